"""The driver of one search: reads search.json, has its trials trained, and writes the search's last word."""

import faulthandler
import logging
import os
import shutil
import signal
import sys
import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import psutil

from engine.protocol.search_reporter import Telling
from engine.specs import heads_alone
from engine.training.failures import explain
from engine.tuning.job import Order
from engine.tuning.lifecycle import Closing, Course
from engine.tuning.trial_ledger import Asking

RAY_FILES = "ray"  # in the search's folder while its driver lives: pointers to the runs' own checkpoints
WATCH_S = 1.0
RAY_GONE = "Ray's own process was killed; the search goes on from its runs."

log = logging.getLogger("thaw")


def main(folder: Path) -> int:
    """Run the search of `folder`. Returns 0 unless it failed or must be started again."""
    logging.basicConfig(level=logging.INFO, stream=sys.stdout, format="%(asctime)s %(message)s")
    faulthandler.enable()
    faulthandler.register(signal.SIGUSR1)  # the stack of every thread, into the log
    telling, wanted = Telling(folder), None
    try:
        ending, wanted = _searched(Order.read(folder), telling)
    except Exception as error:
        log.exception("the search failed")
        failure = explain(error)
        ending = Closing("failed", failure.reason, failure.advice)
        log.info("%s", traceback.format_exc())
    telling.ended(ending.state, wanted=wanted, reason=ending.reason, advice=ending.advice)
    telling.close()
    return 1 if ending.state == "failed" else 0


def _searched(order: Order, telling: Telling) -> tuple[Closing, int]:
    telling.progress("starting")
    asking = Asking(order.spec, telling, known=order.known, wanted=order.wanted)
    course = Course(order, asking, telling)
    if not _by_heads(order, asking, course, telling):
        by_ray(order, asking, course, telling)
    return course.ending, asking.wanted


def _by_heads(order: Order, asking: Asking, course: Course, telling: Telling) -> bool:
    """Train the trials here, where that can be done; False where it cannot."""
    if not heads_alone(order.spec):
        return False
    from engine.tuning import heads  # torch takes seconds, which a driver of Ray does without

    heads.conduct(order, asking, course, telling)
    return True


def by_ray(order: Order, asking: Asking, course: Course, telling: Telling) -> None:
    """Train the trials in processes of Ray's, until the course of the search ends."""
    from engine.tuning import ray_settings

    path, device = "ray", f"{order.gpus} GPUs" if order.gpus else "cpu"
    telling.started(attempt=order.attempt, pid=os.getpid(), device=device, at_once=order.at_once, path=path)
    telling.progress("starting Ray")
    shutil.rmtree(order.folder / RAY_FILES, ignore_errors=True)  # of a driver that was killed
    vital = ray_settings.start(
        at_once=order.at_once, cpus=order.spec.cpus, gpus=order.gpus, format_file=order.folder / "format"
    )
    course.listen()
    if not vital:  # a cluster: its machines are what there is
        order.told["cpus"], gpus = ray_settings.has()
        order.told["slots"] = [str(number) for number in range(gpus)] or ["cpu"]
    try:
        conduct(order, asking, course, telling, watch=Watch(vital, telling))
    finally:
        shutil.rmtree(order.folder / RAY_FILES, ignore_errors=True)
        ray_settings.stop()
        end_children()  # Ray asks its processes to go, and does not wait until they are gone


def conduct(order: Order, asking: Asking, course: Course, telling: Telling, watch: Callable[[], None]) -> None:
    from ray import tune

    from engine.tuning.ray_bridge import Asks, Closes, Conductor, Hears
    from engine.tuning.ray_trial import Trial

    conductor = Conductor(order, asking, course, telling, watch)
    needs = {"cpu": order.spec.cpus, **({"gpu": order.spec.gpus} if order.gpus else {})}
    while not asking.is_over and course.closing is None:
        tune.run(
            tune.with_resources(Trial, needs),
            name=f"attempt-{order.attempt}",
            storage_path=str(order.folder / RAY_FILES),
            num_samples=-1,
            search_alg=Asks(conductor),
            scheduler=conductor.scheduler(),
            callbacks=[Hears(conductor)],
            stop=Closes(conductor),
            max_failures=2,
            reuse_actors=True,
            verbose=0,
            raise_on_failed_trial=False,
            trial_dirname_creator=lambda trial: trial.trial_id,
        )
    conductor.finish()


class Watch:
    """Sees that the processes live without which Ray would wait for ever: then this one goes too, to be begun anew."""

    def __init__(self, vital: list[int], telling: Telling) -> None:
        self._vital, self._telling = [psutil.Process(pid) for pid in vital], telling
        self._looked = 0.0

    def __call__(self) -> None:
        if time.monotonic() - self._looked < WATCH_S:
            return
        self._looked = time.monotonic()
        if all(map(_lives, self._vital)):
            return
        log.error("%s", RAY_GONE)
        end_children()
        self._telling.ended("interrupted", wanted=None, reason=RAY_GONE)
        os._exit(1)  # Ray's own way out would wait for what is gone


def _lives(one: psutil.Process) -> bool:
    try:
        return one.is_running() and one.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def end_children() -> None:
    """Kill every process below this one, and those of its session that lost their parents, until none is left."""
    own, session = os.getpid(), os.getsid(0)

    def is_ours(one: psutil.Process) -> bool:
        try:
            if one.pid == own or one.status() == psutil.STATUS_ZOMBIE:
                return False
            below = own in (parent.pid for parent in one.parents())
            return below or (session == own and os.getsid(one.pid) == session)
        except (psutil.Error, ProcessLookupError):
            return False

    while left := [one for one in psutil.process_iter() if is_ours(one)]:
        for one in left:
            with suppress(psutil.NoSuchProcess):
                one.kill()
        psutil.wait_procs(left, timeout=1.0)
