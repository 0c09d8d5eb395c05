"""Going on from a checkpoint with other settings than it was trained with: what still fits is taken over."""

from typing import Any

import torch
from torch import Tensor

from engine.catalog import OPTIMIZERS
from engine.errors import Refused
from engine.protocol.manifest import Manifest
from engine.specs import RunSpec
from engine.training.network.stages import stages_of
from engine.training.optimiser import build_optimizer
from engine.training.randomness import random_state, seed_all
from engine.training.state import Training

UNTRAINED = {"name", "keep_checkpoints", "device", "strategy"}  # settings that no step depends on

State = dict[str, Any]


def spec_before(manifest: Manifest, now: RunSpec) -> RunSpec | None:
    """What a checkpoint was trained with where that differs from `now`; None where it is the same."""
    try:
        before = RunSpec.parse(manifest.spec)
    except Refused:  # by another version of Thaw, in the same run
        return None
    return None if before.model_dump(exclude=UNTRAINED) == now.model_dump(exclude=UNTRAINED) else before


def adapted(
    training: Training, weights: dict[str, Tensor], state: State, *, before: RunSpec, now: RunSpec
) -> tuple[State, str]:
    """The `state` of a run of `before`, for `training`, which was built as `now` asks; and what begins anew, in words.

    Position and chance go on as they were, moments of the optimiser as far as it is the same optimiser.

    Args:
        training: Built as `now` asks.
        weights: Of the checkpoint.
        state: Of the checkpoint's resume.pt.
        before: What the checkpoint was trained with.
        now: What it goes on with.
    """
    fitting, anew = dict(state), []
    if _memory(now) == _memory(before):
        _take_memory(training, state["optimizer"], before)
    else:
        anew.append(f"{now.optimisation.optimizer} begins without a memory of earlier steps")
    fitting["optimizer"] = training.optimizer.state_dict()
    if training.average and "model" not in state:  # an average begins with the weights as they are
        fitting |= {"model": weights, "averaged": 1}
    fitting["trend"] = _trend(state.get("trend", {}), before, now)
    if now.compute != before.compute or now.optimisation.batch_size != before.optimisation.batch_size:
        fitting.pop("choices", None)
    if now.seed != before.seed:
        fitting |= _reseeded(state, now.seed)
        anew.append(f"chance begins at seed {now.seed}")
    return fitting, f"{'; '.join(anew)}." if anew else ""


def _trend(trend: dict[str, Any], before: RunSpec, now: RunSpec) -> dict[str, Any]:
    """Patience counts afresh: a run that early stopping has ended could not be extended otherwise."""
    fields = ("schedule", "learning_rate")
    same_rate = all(getattr(now.optimisation, name) == getattr(before.optimisation, name) for name in fields)
    return trend | {"since": 0, "waited": 0} | ({} if same_rate else {"drops": 0})


def _reseeded(state: State, seed: int) -> State:
    """Shuffles and every rank's generators from `seed` on; what each counted so far stays."""
    came = random_state()
    ranks = []
    for number, rank in enumerate(state.get("ranks") or [{"totals": state["totals"]}]):
        seed_all(seed + number)
        ranks.append({**rank, "random": random_state()})
    torch.set_rng_state(came["torch"])
    return {"ranks": ranks, "shuffle": torch.Generator().manual_seed(seed).get_state()}


def _memory(spec: RunSpec) -> tuple[str, bool]:
    """What an optimiser's memory is made of: torch's RMSprop keeps a momentum only when it has one."""
    options = spec.optimisation
    return options.optimizer, "momentum" in OPTIMIZERS[options.optimizer].takes and options.momentum > 0


def _take_memory(training: Training, saved: dict[str, Any], before: RunSpec) -> None:
    """By weight: `saved` counts weights in the order of its own groups, which `before` made."""
    old = build_optimizer(before.optimisation, stages_of(training.model, before.model), before.rates)
    old.load_state_dict(saved)
    training.optimizer.state.update(old.state)
