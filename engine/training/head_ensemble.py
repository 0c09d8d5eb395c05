"""Many heads at once: runs that differ only in how their head learns, over the same features, as one computation.

The frozen stages are the same for all, so that every head sees the same features in the same order. The forward and
backward pass of all heads is one batched call, as in torch.func's tutorial on model ensembling; optimiser, schedule,
averages, early stopping and checkpoints are each run's own, as if it trained alone: the same losses within rounding.
"""

import copy
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.func import functional_call, vmap
from torch.nn.utils import clip_grad_norm_

from engine import specs
from engine.training.epoch_data import EpochData, TrainingData
from engine.training.evaluation import Evaluation, per_sample_eval
from engine.training.loop import end_epoch
from engine.training.metric_logger import MetricLogger
from engine.training.network.stages import stages_of
from engine.training.recipe import Recipe
from engine.training.retention import Checkpoints
from engine.training.state import Training


def with_own_head(network: nn.Module, model_spec: specs.Model) -> nn.Module:
    """A copy that shares all weights and statistics but the head's."""
    *_, head = stages_of(network, model_spec)
    own = {id(value) for value in head.parameters.values()}
    shared = [value for value in (*network.parameters(), *network.buffers()) if id(value) not in own]
    return copy.deepcopy(network, {id(value): value for value in shared})


@dataclass(slots=True)
class Member:
    """A run among the others, with all that is its own."""

    training: Training
    recipe: Recipe
    logger: MetricLogger
    checkpoints: Checkpoints
    leaves: Callable[[], bool]  # whether it is to stop
    ended: Callable[[bool, Exception | None], None]  # called once: whether it finished, and what it failed of


class HeadEnsemble:
    """Trains members from their first epoch on with the same batches. Each leaves when it is over, asked to, or failed.

    Args:
        training_data: That of the first member; all others' would be the same.
    """

    def __init__(self, members: list[Member], training_data: TrainingData) -> None:
        self._active, self._training_data, self._form = list(members), training_data, training_data.features.format
        for one in members[1:]:  # one order for all: whoever goes on from a checkpoint finds it again
            one.training.generator = members[0].training.generator

    def fit(self) -> None:
        """Until nobody is left."""
        while self._active:
            epoch_data, began = (
                self._training_data.for_epoch(self._active[0].training.progress.epoch),
                time.perf_counter(),
            )
            self._train(epoch_data)
            trained = time.perf_counter()
            evaluation = self._evaluate(epoch_data)
            for one, found in zip(tuple(self._active), evaluation, strict=True):
                with self._alone(one):
                    images = one.training.images
                    pace = {"speed/images_per_s": images / (trained - began), "speed/epoch_s": trained - began}
                    end_epoch(one.training, found, pace, one.recipe, one.logger, one.checkpoints)
                    if one.recipe.is_over(one.training.progress.epoch, one.training.plateau):
                        self._end(one, finished=True)

    def _train(self, epoch_data: EpochData) -> None:
        heads: _Heads | None = None
        for one in self._active:
            one.logger.phase("training")
            one.training.model.train()
            one.recipe.unfreezing.begin_epoch(one.training.progress.epoch)
        for features, labels in epoch_data.train.iterate(0):
            self._drop_stopped()
            if not self._active:
                return
            if heads is None or heads.count != len(self._active):
                heads = _Heads(epoch_data, [one.training.model for one in self._active])
            with self._form.cast():
                logits = heads(features).float()
            each = zip(self._active, logits.unbind(), strict=True)
            losses = torch.stack([one.recipe.criterion(made, labels) for one, made in each])
            losses.sum().backward()
            each_found = zip(tuple(self._active), losses.detach().unbind(), logits.detach().unbind(), strict=True)
            for one, loss, made in each_found:
                with self._alone(one):
                    self._move(one, len(epoch_data.train))
                    one.training.count(loss, made, labels)
                    one.logger.step(loss, len(labels))
        for one in tuple(self._active):
            with self._alone(one):
                one.logger.flush()

    @torch.inference_mode()
    def _evaluate(self, epoch_data: EpochData) -> list[Evaluation]:
        """What each says of all validation images."""
        if not self._active:
            return []
        networks = [one.training.eval_model.eval() for one in self._active]
        heads, found = _Heads(epoch_data, networks), []
        for features, labels in epoch_data.validation:
            with self._form.cast():
                logits = heads(features)
            found.append(per_sample_eval(logits, labels.expand(len(networks), -1)))
        return [Evaluation(rows) for rows in torch.cat(found, dim=1)]

    @staticmethod
    def _move(one: Member, steps: int) -> None:
        training, progress = one.training, one.training.progress
        one.recipe.lr_scheduler.set(training.optimizer, progress.epoch * steps + progress.batch, training.plateau)
        if one.recipe.clip_norm:
            clip_grad_norm_(training.model.parameters(), one.recipe.clip_norm)
        training.optimizer.step()
        training.optimizer.zero_grad(set_to_none=True)

    def _drop_stopped(self) -> None:
        """Whoever is asked to stop saves and leaves."""
        for one in [one for one in self._active if one.leaves()]:
            with self._alone(one):
                one.logger.flush()
                one.checkpoints.save_unsaved(one.training)
                self._end(one, finished=False)

    @contextmanager
    def _alone(self, one: Member) -> Iterator[None]:
        """What goes wrong in here is this one's own: it fails, and the others go on."""
        try:
            yield
        except Exception as error:
            self._end(one, finished=False, error=error)

    def _end(self, one: Member, *, finished: bool, error: Exception | None = None) -> None:
        self._active.remove(one)
        one.ended(finished, error)


class _Heads:
    """The heads of several networks as one computation: features (b, ...) to logits (heads, b, classes)."""

    def __init__(self, epoch_data: EpochData, networks: list[nn.Module]) -> None:
        rests = [epoch_data.rest_of(network) for network in networks]
        self.count, self._one = len(rests), rests[0]
        self._states = [dict(rest.named_parameters()) | dict(rest.named_buffers()) for rest in rests]

    def __call__(self, features: Tensor) -> Tensor:
        stacked = {name: torch.stack([state[name] for state in self._states]) for name in self._states[0]}
        return vmap(self._of_one, in_dims=(0, None), randomness="different")(stacked, features)

    def _of_one(self, state: dict[str, Tensor], features: Tensor) -> Tensor:
        return functional_call(self._one, state, (features,))
