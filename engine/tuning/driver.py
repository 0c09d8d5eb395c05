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

from engine.protocol.search_reporter import SearchReporter
from engine.specs import heads_alone
from engine.training.failures import explain
from engine.tuning.job import SearchJob
from engine.tuning.lifecycle import SearchEnding, SearchLifecycle
from engine.tuning.trial_ledger import TrialLedger

RAY_FILES = "ray"  # in the search's folder while its driver lives: pointers to the runs' own checkpoints
WATCH_S = 1.0
RAY_GONE = "Ray's own process was killed; the search goes on from its runs."

log = logging.getLogger("thaw")


def main(folder: Path) -> int:
    """Run the search of `folder`. Returns 0 unless it failed or must be started again."""
    logging.basicConfig(level=logging.INFO, stream=sys.stdout, format="%(asctime)s %(message)s")
    faulthandler.enable()
    faulthandler.register(signal.SIGUSR1)  # the stack of every thread, into the log
    reporter, wanted = SearchReporter(folder), None
    try:
        ending, wanted = _searched(SearchJob.read(folder), reporter)
    except Exception as error:
        log.exception("the search failed")
        failure = explain(error)
        ending = SearchEnding("failed", failure.reason, failure.advice)
        log.info("%s", traceback.format_exc())
    reporter.ended(ending.state, wanted=wanted, reason=ending.reason, advice=ending.advice)
    reporter.close()
    return 1 if ending.state == "failed" else 0


def _searched(job: SearchJob, reporter: SearchReporter) -> tuple[SearchEnding, int]:
    reporter.progress("starting")
    ledger = TrialLedger(job.spec, reporter, known=job.known, wanted=job.wanted)
    lifecycle = SearchLifecycle(job, ledger, reporter)
    if not _by_heads(job, ledger, lifecycle, reporter):
        by_ray(job, ledger, lifecycle, reporter)
    return lifecycle.ending, ledger.wanted


def _by_heads(job: SearchJob, ledger: TrialLedger, lifecycle: SearchLifecycle, reporter: SearchReporter) -> bool:
    """Train the trials here, where that can be done; False where it cannot."""
    if not heads_alone(job.spec):
        return False
    from engine.tuning import heads  # torch takes seconds, which a driver of Ray does without

    heads.conduct(job, ledger, lifecycle, reporter)
    return True


def by_ray(job: SearchJob, ledger: TrialLedger, lifecycle: SearchLifecycle, reporter: SearchReporter) -> None:
    """Train the trials in processes of Ray's, until the course of the search ends."""
    from engine.tuning import ray_settings

    path, device = "ray", f"{job.gpus} GPUs" if job.gpus else "cpu"
    reporter.started(attempt=job.attempt, pid=os.getpid(), device=device, at_once=job.at_once, path=path)
    reporter.progress("starting Ray")
    shutil.rmtree(job.folder / RAY_FILES, ignore_errors=True)  # of a driver that was killed
    vital = ray_settings.start(
        at_once=job.at_once, cpus=job.spec.cpus, gpus=job.gpus, format_file=job.folder / "format"
    )
    lifecycle.listen()
    if not vital:  # a cluster: its machines are what there is
        job.told["cpus"], gpus = ray_settings.has()
        job.told["slots"] = [str(number) for number in range(gpus)] or ["cpu"]
    try:
        conduct(job, ledger, lifecycle, reporter, watch=RayWatchdog(vital, reporter))
    finally:
        shutil.rmtree(job.folder / RAY_FILES, ignore_errors=True)
        ray_settings.stop()
        end_children()  # Ray asks its processes to go, and does not wait until they are gone


def conduct(
    job: SearchJob, ledger: TrialLedger, lifecycle: SearchLifecycle, reporter: SearchReporter, watch: Callable[[], None]
) -> None:
    from ray import tune

    from engine.tuning.ray_bridge import CallbackAdapter, RayBridge, SearcherAdapter, StopperAdapter
    from engine.tuning.ray_trial import RunTrainable

    bridge = RayBridge(job, ledger, lifecycle, reporter, watch)
    needs = {"cpu": job.spec.cpus, **({"gpu": job.spec.gpus} if job.gpus else {})}
    while not ledger.is_over and lifecycle.closing is None:
        tune.run(
            tune.with_resources(RunTrainable, needs),
            name=f"attempt-{job.attempt}",
            storage_path=str(job.folder / RAY_FILES),
            num_samples=-1,
            search_alg=SearcherAdapter(bridge),
            scheduler=bridge.scheduler(),
            callbacks=[CallbackAdapter(bridge)],
            stop=StopperAdapter(bridge),
            max_failures=2,
            reuse_actors=True,
            verbose=0,
            raise_on_failed_trial=False,
            trial_dirname_creator=lambda trial: trial.trial_id,
        )
    bridge.finish()


class RayWatchdog:
    """Sees that the processes live without which Ray would wait for ever: then this one goes too, to be begun anew."""

    def __init__(self, vital: list[int], reporter: SearchReporter) -> None:
        self._vital, self._reporter = [psutil.Process(pid) for pid in vital], reporter
        self._looked = 0.0

    def __call__(self) -> None:
        if time.monotonic() - self._looked < WATCH_S:
            return
        self._looked = time.monotonic()
        if all(map(_lives, self._vital)):
            return
        log.error("%s", RAY_GONE)
        end_children()
        self._reporter.ended("interrupted", wanted=None, reason=RAY_GONE)
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
