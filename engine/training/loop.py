"""The training loop, whole on one screen."""

import logging
import time
from collections.abc import Callable

import torch
from torch import Tensor, nn

from engine.data.batches import Batches
from engine.training.distributed.process_group import Crew
from engine.training.epoch_data import Feed, Feeds
from engine.training.evaluation import WIDTH, Judged, outcomes
from engine.training.failures import is_out_of_memory
from engine.training.metric_logger import Meter
from engine.training.precision import Format
from engine.training.recipe import Recipe
from engine.training.retention import Checkpoints
from engine.training.state import Training
from engine.training.step import Stepper, let_go

log = logging.getLogger("thaw")

ALONE = Crew()


def fit(
    training: Training,
    feeds: Feeds,
    *,
    recipe: Recipe,
    stepper: Stepper,
    meter: Meter,
    checkpoints: Checkpoints,
    stop: Callable[[], bool],
) -> bool:
    """Train until the recipe is over, or until `stop()`: then False, and what was reached is saved to go on from.

    Of ranks that train together all stop at the step where one is asked to.

    Raises:
        Diverged: The loss or the weights are no longer finite; the last finite checkpoint stays.
        DiskFull: There is no room for the next checkpoint; the last one stays.
    """
    at, crew = training.at, stepper.crew
    while not recipe.is_over(at.epoch, training.trend):
        feed = feeds.at(at.epoch)
        began, seen, judged = time.perf_counter(), int(crew.sum(training.totals)[2]), None
        meter.phase("training")
        if train_epoch(training, feed, recipe, stepper, meter, stop):
            train_s = time.perf_counter() - began
            meter.phase("validating")
            crew.match(training.judged)
            enter = crew.judging(feed.enter(training.judged))
            judged = evaluate(enter, feed.validation, stepper.format, stop, crew, training.choices.parts)

        if judged is None:  # asked to stop in either of the two
            meter.phase("saving")
            checkpoints.leave(training)
            return False

        images = int(crew.sum(training.totals)[2])
        pace = {"speed/images_per_s": (images - seen) / train_s, "speed/epoch_s": time.perf_counter() - began}
        end_epoch(training, judged, pace, recipe, meter, checkpoints, crew)
    if at.epoch < recipe.epochs:
        meter.say(f"Ended after epoch {at.epoch}: no better validation for {training.trend.since} epochs.")
    return True


def end_epoch(
    training: Training,
    judged: Judged,
    pace: dict[str, float],
    recipe: Recipe,
    meter: Meter,
    checkpoints: Checkpoints,
    crew: Crew = ALONE,
) -> None:
    """The epoch under way is done: tell, compare, save."""
    losses, hits, images = crew.sum(training.totals).tolist()
    metrics = {"train/accuracy": hits / images, **judged.metrics}
    meter.epoch({**metrics, **pace, **recipe.rates.read(training.optimizer), **_sizes(training.model)})
    training.trend.judge(checkpoints.quality(metrics), recipe.rates.patience)
    training.finish_epoch()
    meter.phase("saving")
    metrics["train/loss"] = losses / images
    epoch = training.at.epoch
    checkpoints.after_epoch(training, metrics, judged, is_last=recipe.is_over(epoch, training.trend))
    told = "; ".join(f"{name} {value:.4f}" for name, value in metrics.items())
    log.info("epoch %d of %d: %s; %.1f s", epoch, recipe.epochs, told, pace["speed/epoch_s"])


def _sizes(model: nn.Module) -> dict[str, float]:
    """How many parameters the network has, and how many of them learned in this epoch."""
    counts = [(weight.numel(), weight.requires_grad) for weight in model.parameters()]
    return {
        "model/parameters": sum(count for count, _ in counts),
        "model/learning_parameters": sum(count for count, learns in counts if learns),
    }


def train_epoch(
    training: Training, feed: Feed, recipe: Recipe, stepper: Stepper, meter: Meter, stop: Callable[[], bool]
) -> bool:
    """Train on every batch once, going on after those already done; False when `stop()` cut it short."""
    optimizer, at = training.optimizer, training.at
    training.model.train()
    recipe.thawing.begin_epoch(at.epoch)
    model = stepper.crew.wrap(feed.learns or feed.enter(training.model))
    if not at.batch and (thawed := recipe.thawing.thawed_in(at.epoch)):
        meter.say(f"Epoch {at.epoch + 1}: {', '.join(thawed)} thawed.")
    began, compiling = time.perf_counter(), feed.compiles
    for images, labels in feed.train.passing(at.batch, lambda: stepper.crew.any(stop())):
        # not `at.step`: a run that another's checkpoint began may have had batches of another size before
        recipe.rates.set(optimizer, at.epoch * len(feed.train) + at.batch, training.trend)
        loss, logits = stepper.take(model, optimizer, images, labels)
        training.count(loss, logits, labels)
        meter.step(loss, len(labels))
        if compiling:
            meter.say(f"torch.compile: the first step took {time.perf_counter() - began:.1f} s.")
            compiling = False
    meter.flush()
    return at.batch == len(feed.train)


@torch.inference_mode()
def evaluate(
    model: nn.Module,
    batches: Batches,
    form: Format,
    stop: Callable[[], bool] = lambda: False,
    crew: Crew = ALONE,
    parts: int = 1,
) -> Judged | None:
    """What the model says of each image, of all ranks' together; None when `stop()` cut it short.

    Args:
        parts: In which each batch is computed; more where memory asks for it.
    """
    model.eval()
    found = []
    for images, labels in batches:
        if crew.any(stop()):
            return None
        if not len(labels):  # fewer images than ranks
            continue
        while (rows := _judged(model, images, labels, form, parts)) is None:
            let_go()
            parts *= 2
        found.append(rows)
    every = torch.zeros(batches.images, WIDTH, device=next(model.parameters()).device)
    if found:
        every[batches.places] = torch.cat(found)
    return Judged(crew.sum(every))


def _judged(model: nn.Module, images: Tensor, labels: Tensor, form: Format, parts: int) -> Tensor | None:
    """The outcomes of a batch that is judged in `parts`; None: memory ran out."""
    made = []
    try:
        for some, their in zip(images.tensor_split(parts), labels.tensor_split(parts), strict=True):
            if len(their):
                with form.cast():
                    logits = model(some)
                made.append(outcomes(logits, their))
    except (RuntimeError, MemoryError) as error:
        if not is_out_of_memory(error) or parts >= len(labels):
            raise
        return None
    return torch.cat(made)
