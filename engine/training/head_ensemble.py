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
from engine.training.epoch_data import Feed, Feeds
from engine.training.evaluation import Judged, outcomes
from engine.training.loop import end_epoch
from engine.training.metric_logger import Meter
from engine.training.network.stages import stages_of
from engine.training.recipe import Recipe
from engine.training.retention import Checkpoints
from engine.training.state import Training


def with_own_head(network: nn.Module, asked: specs.Model) -> nn.Module:
    """A copy that shares all weights and statistics but the head's."""
    *_, head = stages_of(network, asked)
    own = {id(value) for value in head.parameters.values()}
    shared = [value for value in (*network.parameters(), *network.buffers()) if id(value) not in own]
    return copy.deepcopy(network, {id(value): value for value in shared})


@dataclass(slots=True)
class Member:
    """A run among the others, with all that is its own."""

    training: Training
    recipe: Recipe
    meter: Meter
    checkpoints: Checkpoints
    leaves: Callable[[], bool]  # asked to stop
    ended: Callable[[bool, Exception | None], None]  # told once: whether it finished, and what it failed of


class Together:
    """Trains members from their first epoch on with the same batches. Each leaves when it is over, asked to, or failed.

    Args:
        feeds: Those of the first member; all others' would be the same.
    """

    def __init__(self, members: list[Member], feeds: Feeds) -> None:
        self._active, self._feeds, self._form = list(members), feeds, feeds.format
        for one in members[1:]:  # one order for all: whoever goes on from a checkpoint finds it again
            one.training.generator = members[0].training.generator

    def fit(self) -> None:
        """Until nobody is left."""
        while self._active:
            feed, began = self._feeds.at(self._active[0].training.at.epoch), time.perf_counter()
            self._train(feed)
            trained = time.perf_counter()
            judged = self._judge(feed)
            for one, found in zip(tuple(self._active), judged, strict=True):
                with self._alone(one):
                    images = one.training.images
                    pace = {"speed/images_per_s": images / (trained - began), "speed/epoch_s": trained - began}
                    end_epoch(one.training, found, pace, one.recipe, one.meter, one.checkpoints)
                    if one.recipe.is_over(one.training.at.epoch, one.training.trend):
                        self._end(one, finished=True)

    def _train(self, feed: Feed) -> None:
        heads: _Heads | None = None
        for one in self._active:
            one.meter.phase("training")
            one.training.model.train()
            one.recipe.thawing.begin_epoch(one.training.at.epoch)
        for features, labels in feed.train.passing(0):
            self._let_go()
            if not self._active:
                return
            if heads is None or heads.count != len(self._active):
                heads = _Heads(feed, [one.training.model for one in self._active])
            with self._form.cast():
                logits = heads(features).float()
            each = zip(self._active, logits.unbind(), strict=True)
            losses = torch.stack([one.recipe.objective(made, labels) for one, made in each])
            losses.sum().backward()
            each_found = zip(tuple(self._active), losses.detach().unbind(), logits.detach().unbind(), strict=True)
            for one, loss, made in each_found:
                with self._alone(one):
                    self._move(one, len(feed.train))
                    one.training.count(loss, made, labels)
                    one.meter.step(loss, len(labels))
        for one in tuple(self._active):
            with self._alone(one):
                one.meter.flush()

    @torch.inference_mode()
    def _judge(self, feed: Feed) -> list[Judged]:
        """What each says of all validation images."""
        if not self._active:
            return []
        networks = [one.training.judged.eval() for one in self._active]
        heads, found = _Heads(feed, networks), []
        for features, labels in feed.validation:
            with self._form.cast():
                logits = heads(features)
            found.append(outcomes(logits, labels.expand(len(networks), -1)))
        return [Judged(rows) for rows in torch.cat(found, dim=1)]

    @staticmethod
    def _move(one: Member, steps: int) -> None:
        training, at = one.training, one.training.at
        one.recipe.rates.set(training.optimizer, at.epoch * steps + at.batch, training.trend)
        if one.recipe.clip_norm:
            clip_grad_norm_(training.model.parameters(), one.recipe.clip_norm)
        training.optimizer.step()
        training.optimizer.zero_grad(set_to_none=True)

    def _let_go(self) -> None:
        """Whoever is asked to stop saves and leaves."""
        for one in [one for one in self._active if one.leaves()]:
            with self._alone(one):
                one.meter.flush()
                one.checkpoints.leave(one.training)
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

    def __init__(self, feed: Feed, networks: list[nn.Module]) -> None:
        rests = [feed.enter(network) for network in networks]
        self.count, self._one = len(rests), rests[0]
        self._states = [dict(rest.named_parameters()) | dict(rest.named_buffers()) for rest in rests]

    def __call__(self, features: Tensor) -> Tensor:
        stacked = {name: torch.stack([state[name] for state in self._states]) for name in self._states[0]}
        return vmap(self._of_one, in_dims=(0, None), randomness="different")(stacked, features)

    def _of_one(self, state: dict[str, Tensor], features: Tensor) -> Tensor:
        return functional_call(self._one, state, (features,))
