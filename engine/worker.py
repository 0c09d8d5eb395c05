"""One training process: `python -m engine.worker <run folder>` reads run.json there and tells all in events.jsonl.

Every path out writes an `ended` line, but a kill: then the run was interrupted.
"""

import faulthandler
import json
import logging
import os
import signal
import sys
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.lines import Lines
from engine.spec import RunSpec
from engine.training.events import Reporter
from engine.training.failures import Stopped, explain

if TYPE_CHECKING:  # torch costs seconds: the first sign of life comes before it
    from engine.training.state import Position

log = logging.getLogger("thaw")


def main(folder: Path) -> int:
    """Train what `folder/run.json` asks for. Returns 0 when finished or stopped, 1 when failed."""
    logging.basicConfig(level=logging.INFO, stream=sys.stdout, format="%(asctime)s %(message)s")
    faulthandler.enable()
    faulthandler.register(signal.SIGUSR1)  # the stack of every thread, into the log
    stop = StopSignal()
    lines = Lines(folder / "events.jsonl")
    reporter = Reporter(lines)
    reporter.progress("starting")
    spec: RunSpec | None = None
    try:
        run = json.loads((folder / "run.json").read_text(encoding="utf-8"))
        spec = RunSpec.parse(run["spec"])
        reason = train(folder, run, spec, reporter, stop)
        log.info("%s", reason or "finished")
        reporter.ended("stopped" if reason else "finished", reason=reason)
    except Stopped as stopped:
        log.info("%s", stopped)
        reporter.ended("stopped", reason=str(stopped))
    except Exception as error:
        log.exception("failed")
        failure = explain(error, spec)
        reporter.ended("failed", reason=failure.reason, advice=failure.advice, detail=traceback.format_exc())
        return 1
    finally:
        lines.close()
    return 0


class StopSignal:
    """True once SIGTERM or SIGINT came. A second signal leaves at once, with nothing saved."""

    def __init__(self) -> None:
        self._came = False
        signal.signal(signal.SIGTERM, self._note)
        signal.signal(signal.SIGINT, self._note)

    def __call__(self) -> bool:
        return self._came

    def _note(self, number: int, _: object) -> None:
        if self._came:
            os._exit(128 + number)
        self._came = True


def train(folder: Path, run: dict[str, Any], spec: RunSpec, reporter: Reporter, stop: StopSignal) -> str | None:
    """The whole run. Returns why it stopped before its last epoch, or None when it is finished.

    Raises:
        Stopped: Asked to leave before training began.
    """
    log.info("attempt %d of %s: %s on %s", run["attempt"], run["name"], spec.model.backbone, run["dataset"]["name"])
    from engine.training import device as devices
    from engine.training.checkpoints import Checkpoints, recipe_of
    from engine.training.loop import fit
    from engine.training.memory import Memory
    from engine.training.meter import Meter
    from engine.training.preparation import build, build_network, find_weights, prepare_data
    from engine.training.state import seed_all

    device = devices.choose(run["device"])
    devices.prepare(device)
    seed_all(spec.seed)
    reporter.progress("preparing data")
    kept = recipe_of(folder / run["resume_from"]) if run["resume_from"] else None
    found = None if kept else find_weights(spec, run.get("weights_path"), reporter, stop)
    looks = kept or (found.recipe if found else None)
    data = prepare_data(run["dataset"], spec, Path(run["cache"]), reporter, stop, recipe=looks)
    network = build_network(spec, data.about, found, reporter)
    training, recipe, batches, judging_batches = build(spec, data, device, network)
    checkpoints = Checkpoints(folder, data.about, keep=spec.keep_checkpoints, reporter=reporter)
    going_on_from = checkpoints.resume(training, run["resume_from"])
    if kept and going_on_from is None:  # none of them can be used: its first weights count again
        return train(folder, {**run, "resume_from": None}, spec, reporter, stop)
    at, steps = training.at, spec.epochs * len(batches)
    reporter.started(
        attempt=run["attempt"],
        pid=os.getpid(),
        device=devices.describe(device),
        epoch=at.epoch,
        step=at.step,
        epochs=spec.epochs,
        steps=steps,
        going_on_from=going_on_from,
    )
    log.info("training on %s from step %d of %d", devices.describe(device), at.step, steps)
    meter = Meter(reporter, at, epochs=spec.epochs, steps=steps, memory=Memory(device))
    finished = fit(training, batches, judging_batches, recipe=recipe, meter=meter, checkpoints=checkpoints, stop=stop)
    return None if finished else _where_it_left(at)


def _where_it_left(at: "Position") -> str:
    if at.batch:
        return f"stopped at step {at.step}, in epoch {at.epoch + 1}; saved, so that resuming goes on from there."
    if at.epoch:
        return f"stopped after epoch {at.epoch}; resuming goes on from there."
    return "stopped before the first step."


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
