"""Runs that go on from a checkpoint: resumed in place, or branched off into a run of their own.

A finished run never changes: what goes on from it, be it for a few more epochs, is a new run that begins with a copy of
its checkpoint and of its curves so far.
"""

import os
import shutil
import uuid
from dataclasses import replace
from operator import attrgetter
from pathlib import Path

from engine.api.datasets import replaced_data
from engine.api.runs import check, device_problems, find_run, queue_run
from engine.catalog import BACKBONES
from engine.errors import NotFound, Problem, Refused, Unavailable
from engine.protocol.events import EventCode, Happening
from engine.protocol.run_file import copy_dataset
from engine.specs import RunSpec, settings
from storage import Checkpoint, Request, Run, RunState, Store

Which = str | int  # "best", "last", a completed epoch, or the name of a checkpoint's folder

PINNED = "pinned"  # an empty file in a checkpoint's folder: training, which sees no database, keeps it
FIRST_WEIGHTS = {"model.weights", "model.weights_from", "model.initialisation"}  # of no effect from a checkpoint on
_SEEN = "else images that it has learned from would judge it"
_FITS = "else its weights do not fit"
FIXED = {  # settings, or whole parts, that a branch keeps -> why
    "data.dataset": "to learn other images, start a run from its weights",
    "data.channels": _FITS,
    "data.validation_fraction": _SEEN,
    "data.test_fraction": _SEEN,
    "data.split_seed": _SEEN,
    "data.group_by": _SEEN,
    "model": _FITS,
}
_ITS_EPOCH = "else the epoch it was saved in is another; choose a checkpoint after a whole epoch"
FIXED_IN_MID_EPOCH = {path: _ITS_EPOCH for path in ("optimisation.batch_size", "optimisation.balance", "data", "seed")}


def resume(store: Store, run_id: str, checkpoint: Which | None = None) -> Request:
    """Ask a stopped or failed run to go on: from its last checkpoint, or back at `checkpoint`, without what came after.

    Raises:
        NotFound: No such run, or it keeps no such checkpoint.
        Refused: It is finished, or not over; or one that it would lose is pinned.
    """
    run = find_run(store, run_id)
    if run.state is RunState.FINISHED:
        advice = "a finished run never changes; extend it by some epochs, or branch from one of its checkpoints"
        raise Refused([Problem("run", run.id, f"it is finished: {advice}")])
    if run.search_id is not None:
        advice = "its search trains it: let that go on, or branch from one of its checkpoints"
        raise Refused([Problem("run", run.id, f"it is a trial: {advice}")])
    if run.state not in (RunState.STOPPED, RunState.FAILED):
        raise Refused([Problem("run", run.id, f"it is {run.state}; only a stopped or failed run can be resumed")])
    if problems := [*device_problems(RunSpec.parse(run.spec)), *replaced_data(store, run)]:
        raise Refused(problems)
    if checkpoint is None:
        return store.requests.add("resume_run", run.id)
    kept = checkpoint_of(store, run, checkpoint)
    if lost := [one.name for one in store.checkpoints.list(run.id) if one.is_pinned and one.step > kept.step]:
        message = f"{', '.join(lost)} came after it and would be lost; unpin it, or branch from here"
        raise Refused([Problem("checkpoint", kept.name, message)])
    return store.requests.add("resume_run", run.id, {"step": kept.step})


def extend(store: Store, run_id: str, epochs: int, *, key: str | None = None) -> Run:
    """A new run that goes on from the end of one that is over, settings and curves alike.

    Args:
        run_id: The id, the beginning of it, or the name.
        epochs: How many more.
        key: The same again gives the run that was made first.

    Raises:
        NotFound: No such run.
        Refused: It is not over, or keeps no checkpoint.
    """
    run = find_run(store, run_id)
    if not run.state.is_over:
        raise Refused([Problem("run", run.id, f"it is {run.state}; extend it once it is over, or stop it first")])
    planned = run.epoch if run.state is RunState.FINISHED else run.epochs  # early stopping ends before its last epoch
    if not 1 <= epochs <= 10_000 - planned:
        raise Refused([Problem("epochs", epochs, f"must be 1 to {10_000 - planned:,}")])
    values = {**run.spec, "epochs": planned + epochs, "name": f"{run.name}, extended"[:200]}
    return branch(store, run.id, "last", RunSpec.parse(values), key=key)


def branch(store: Store, run_id: str, checkpoint: Which, spec: RunSpec, *, key: str | None = None) -> Run:
    """A new run that goes on from a checkpoint of another, trained on as `spec` asks.

    Args:
        key: The same one again gives the run that was made first.

    Raises:
        NotFound: No such run, or it keeps no such checkpoint.
        Unavailable: The checkpoint's files are gone.
        Refused: The checkpoint does not fit the spec: another network or data set, or no epoch is left.
    """
    parent = find_run(store, run_id)
    kept = checkpoint_of(store, parent, checkpoint)
    if problems := branch_problems(store, parent.id, kept.name, spec):
        raise Refused(problems)
    copied = store.home.run(f".{uuid.uuid4().hex}.branch")
    try:
        _copy(store, parent, kept, copied)
        best = _copied_best(store, parent, kept, copied)
        with store.transaction():
            run = queue_run(store, spec, key=key)
            if run.parent_id is None:  # else this very branch was asked for before
                _become_child(store, run, parent, [*best, kept], copied)
    finally:
        shutil.rmtree(copied, ignore_errors=True)
    return store.runs.get(run.id)


def branch_problems(store: Store, run_id: str, checkpoint: Which, spec: RunSpec) -> list[Problem]:
    """Why a new run of `spec` cannot go on from a checkpoint of another; [] when it can.

    Args:
        run_id: Of the run that keeps the checkpoint.
        checkpoint: Its epoch, its name, or best or last.

    Raises:
        NotFound: No such run, or it keeps no such checkpoint.
    """
    parent = find_run(store, run_id)
    return _misfits(parent, checkpoint_of(store, parent, checkpoint), spec) + _checked(store, spec)


def _misfits(parent: Run, kept: Checkpoint, spec: RunSpec) -> list[Problem]:
    """Why `spec` cannot go on from a checkpoint; [] when it can."""
    was = RunSpec.parse(parent.spec)
    fixed = FIXED | ({} if kept.is_whole else FIXED_IN_MID_EPOCH)
    if BACKBONES[spec.model.backbone].layout.is_of_one_size:
        fixed |= {"data.image_size": _FITS}
    problems = []
    for path in (one.path for one in settings() if one.path not in FIRST_WEIGHTS):
        before, now = attrgetter(path)(was), attrgetter(path)(spec)
        why = fixed.get(path) or fixed.get(path.partition(".")[0])
        if why and before != now:
            problems.append(Problem(path, now, f"must stay {before!r}, {why}"))
    if spec.epochs <= kept.epoch:
        problems.append(Problem("epochs", spec.epochs, f"{kept.epoch} are done already; ask for more in all"))
    return problems


def checkpoint_of(store: Store, run: Run, which: Which) -> Checkpoint:
    """
    Raises:
        NotFound: The run keeps no such checkpoint.
    """
    try:
        return store.checkpoints.get(run.id, which)
    except KeyError as error:
        raise NotFound(error.args[0]) from None


def pin_checkpoint(store: Store, run_id: str, which: Which, *, pinned: bool = True) -> None:
    """Keep a checkpoint however many newer ones follow, or let it go with the others again.

    Args:
        which: Its epoch, its name, or best or last.
        pinned: False: let it go.

    Raises:
        NotFound: No such run or checkpoint.
        Unavailable: Its files are gone.
    """
    run = find_run(store, run_id)
    kept = checkpoint_of(store, run, which)
    mark = store.home.run(run.id) / kept.path / PINNED
    try:
        mark.touch() if pinned else mark.unlink(missing_ok=True)
    except FileNotFoundError:
        raise Unavailable(f"{kept.name} was deleted a moment ago: newer ones have taken its place.") from None
    store.checkpoints.pin(run.id, kept.path, pinned)


def _become_child(store: Store, run: Run, parent: Run, taken: list[Checkpoint], copied: Path) -> None:
    """Give a queued run, which nobody has seen yet, the checkpoint to begin with and the curves that lead to it.

    Args:
        taken: The copied ones; the last is that to begin with.
    """
    kept = taken[-1]
    store.runs.update(
        run.id,
        parent_id=parent.id,
        parent_epoch=kept.epoch,
        parent_step=kept.step,
        epoch=kept.epoch,
        step=kept.step,
        dataset_fingerprint=parent.dataset_fingerprint,
    )
    store.metrics.copy(parent.id, run.id, last_step=kept.step)
    best = store.metrics.best(run.id, run.metric, run.mode)
    if best:
        store.runs.update(run.id, best_value=best.value, best_epoch=best.epoch)
    for one in taken:
        store.checkpoints.add(
            replace(one, run_id=run.id, is_best=one is taken[0] and run.metric in one.metrics, is_pinned=False)
        )
    after = f"epoch {kept.epoch}" if kept.is_whole else f"step {kept.step}"
    begun = Happening.of(EventCode.FROM_CHECKPOINT, name=parent.name, run=parent.id, after=after)
    store.events.note(run.id, begun)
    copied.rename(store.home.run(run.id))


def _copied_best(store: Store, parent: Run, kept: Checkpoint, to: Path) -> list[Checkpoint]:
    """The best one on the way to `kept`, where that is another: the curves that are taken along show it as the best."""
    try:
        best = checkpoint_of(store, parent, "best")
    except NotFound:
        return []
    if best.step >= kept.step:
        return []
    try:
        _copy(store, parent, best, to)
    except Unavailable:  # a parent that trains has just saved a better one
        shutil.rmtree(to / best.path, ignore_errors=True)
        return []
    return [best]


def _copy(store: Store, parent: Run, kept: Checkpoint, to: Path) -> None:
    """The checkpoint as links: no file of a checkpoint is ever changed, so two runs may share one on the disk.

    And what the parent was launched with: images excluded since are not taken from under its child either.
    """
    folder = store.home.run(parent.id)
    target = to / kept.path
    target.mkdir(parents=True, mode=0o700)
    try:
        for file in (folder / kept.path).iterdir():
            if file.name != PINNED:
                _link(file, target / file.name)
        copy_dataset(folder, to)
    except (OSError, ValueError) as error:
        raise Unavailable(f"{kept.name} of {parent.name} cannot be copied ({error}).", "Choose another one.") from None
    if not any(target.iterdir()):
        raise Unavailable(f"The files of {kept.name} of {parent.name} are gone.", "Choose another one.")


def _link(file: Path, to: Path) -> None:
    try:
        os.link(file, to)
    except OSError:  # a file system without links
        shutil.copyfile(file, to)


def _checked(store: Store, spec: RunSpec) -> list[Problem]:
    """What this home cannot do; where its first weights came from does not matter any more."""
    return [one for one in check(store, spec) if one.field not in FIRST_WEIGHTS]
