"""What steps cost: memory and time of two batches make a line for any batch."""

import time
from collections.abc import Callable
from functools import partial

import torch
from torch import nn

from engine.data.batches import Fetch
from engine.previews.measured_costs import Cost
from engine.training.memory import PeakMemory, kept_bytes
from engine.training.network.cut import Cut
from engine.training.recipe import Recipe
from engine.training.state import Training
from engine.training.step import Stepper

IMAGES = 64  # of noise: what is in them changes neither memory nor time
STEP_S = 0.5  # a measured step may take so long
LARGEST = 128  # images of the larger batch
RELIABLE = 64  # images: peaks of fewer say more about noise than about images
LEAST = 4  # images of the smallest batch
TIMED = 2  # steps


class StepProfiler:
    """Takes steps and measures what they cost.

    Args:
        training: Whose steps they are.
        recipe: How it trains.
        stepper: Takes them.
        fetch: Gives images to train on, `IMAGES` different ones.
        memory: Of the device.
    """

    def __init__(self, training: Training, recipe: Recipe, stepper: Stepper, fetch: Fetch, memory: PeakMemory) -> None:
        self.training, self.form, self.epoch = training, stepper.format, 0
        self._recipe, self._stepper, self._fetch, self._memory = recipe, stepper, fetch, memory
        self._device = next(training.model.parameters()).device

    def training_cost(self, made: Cut | None) -> Cost:
        """Of training steps; with a cut only of what comes after it, on features that are looked up."""
        enter = made.rest(self.training.model) if made else self.training.model
        features = self._features(made) if made else None

        def step(images: int) -> None:
            chosen = torch.arange(images) % IMAGES
            entering = self._fetch(chosen) if features is None else features[chosen.to(self._device)]
            labels = (chosen % 2).to(self._device)
            self._stepper.step(enter, self.training.optimizer, entering, labels)
            if self._stepper.choices.parts > 1:
                self._stepper.choices.parts = 1
                raise MemoryError("out of memory")

        self.training.model.train()
        self._recipe.unfreezing.begin_epoch(self.epoch)
        return self._cost(step)

    def eval_s(self) -> float:
        """Seconds for each image that is evaluated."""
        forward = self._forward(self.training.model)
        images = 4
        self._seconds(forward, images)
        while (seconds := self._seconds(forward, images)) < STEP_S / 4 and images < LARGEST:
            images *= 2
        return seconds / images

    def making_cost(self, made: Cut) -> Cost:
        """Of what lies before a cut, computed once for each image."""
        return self._cost(self._forward(made.first(self.training.model)))

    def feature_bytes(self, made: Cut) -> int:
        """Of what lies before a cut, for each image."""
        features = self._features(made)
        return features[0].numel() * features.element_size()

    def _forward(self, network: nn.Module) -> Callable[[int], None]:
        network.eval()

        @torch.inference_mode()
        def forward(images: int) -> None:
            with self.form.cast():
                network(self._fetch(torch.arange(images) % IMAGES))

        return forward

    @torch.inference_mode()
    def _features(self, made: Cut) -> torch.Tensor:
        first = made.first(self.training.model).eval()
        with self.form.cast():
            blocks = [first(self._fetch(some)) for some in torch.arange(IMAGES).split(8)]
        return torch.cat(blocks).clone()

    def _cost(self, step: Callable[[int], None]) -> Cost:
        many = self._size(step)
        few = many // 2
        peaks, kept = [], []
        for images, times in ((few, 1), (many, TIMED)):
            self._memory.reset()
            many_s = min(self._seconds(step, images) for _ in range(times))
            peaks.append(self._memory.peak())
            kept.append(kept_bytes(partial(step, images), self.training.model))
        image = (kept[1] - kept[0]) / (many - few)
        if many >= RELIABLE:
            image = max(image, (peaks[1] - peaks[0]) / (many - few))
        # times are noisier than memory: their line goes through the smallest batch, far away from the largest
        least = min(LEAST, few)
        least_s = min(self._seconds(step, least) for _ in range(TIMED))
        image_s = max(0.0, (many_s - least_s) / (many - least))
        step_s = max(0.0, least_s - least * image_s)
        # with few images gradients and libraries may hide activations: a line from the larger batch errs upwards
        return Cost(peaks[0], peaks[1] - many * image, image, step_s, image_s or many_s / many)

    def _size(self, step: Callable[[int], None]) -> int:
        """As large a batch as is quick, up to `LARGEST`; 4 at least, where that many fit."""
        images = 4
        self._seconds(step, images)  # warms up: libraries load, the optimiser takes its memory
        while images < LARGEST and self._seconds(step, images) < STEP_S / 2:
            images *= 2
        return images

    def _seconds(self, step: Callable[[int], None], images: int) -> float:
        began = time.perf_counter()
        step(images)
        if self._device.type == "cuda":
            torch.cuda.synchronize(self._device)
        return time.perf_counter() - began
