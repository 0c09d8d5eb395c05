"""The driver of one search: reads search.json, has its trials trained, and writes the search's last line."""

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

from engine.protocol.reasons import Reason, Why
from engine.protocol.search_reporter import SearchReporter
from engine.specs import heads_alone
from engine.training.failures import explain
from engine.tuning.job import SearchJob
from engine.tuning.lifecycle import ActiveSearch, SearchEnding

RAY_FILES = "ray"  # in the search's folder while its driver lives: pointers to the runs' own checkpoints
CHECK_S = 1.0  # between two checks of Ray's processes

log = logging.getLogger("thaw")


def main(folder: Path) -> int:
    """Run the search of `folder`. Returns 0 unless it failed or must be started again."""
    logging.basicConfig(level=logging.INFO, stream=sys.stdout, format="%(asctime)s %(message)s")
    faulthandler.enable()
    faulthandler.register(signal.SIGUSR1)  # the stack of every thread, into the log
    reporter, num_trials = SearchReporter(folder), None
    try:
        ending, num_trials = _run_search(SearchJob.read(folder), reporter)
    except Exception as error:
        log.exception("the search failed")
        ending = SearchEnding("failed", explain(error))
        log.info("%s", traceback.format_exc())
    reporter.ended(ending.state, ending.why, num_trials=num_trials)
    reporter.close()
    return 1 if ending.state == "failed" else 0


def _run_search(job: SearchJob, reporter: SearchReporter) -> tuple[SearchEnding, int]:
    """(how it ended, trials in all)."""
    reporter.progress("starting")
    search = ActiveSearch.of(job, reporter)
    if heads_alone(job.spec):
        from engine.tuning import heads  # torch takes seconds, which a driver of Ray does without

        heads.train(search)
    else:
        train_by_ray(search)
    return search.lifecycle.conclude(), search.ledger.num_trials


def train_by_ray(search: ActiveSearch) -> None:
    """Train the trials in processes of Ray's, until the search ends."""
    from engine.tuning import ray_settings

    job, reporter = search.job, search.reporter
    device, max_concurrent = f"{job.gpus} GPUs" if job.gpus else "cpu", job.max_concurrent
    reporter.started(attempt=job.attempt, pid=os.getpid(), device=device, max_concurrent=max_concurrent, path="ray")
    reporter.progress("starting Ray")
    shutil.rmtree(job.folder / RAY_FILES, ignore_errors=True)  # of a driver that was killed
    vital = ray_settings.start(
        max_concurrent=max_concurrent, cpus=job.spec.cpus, gpus=job.gpus, format_file=job.folder / "format"
    )
    search.lifecycle.handle_signals()
    if not vital:  # a cluster: its machines are what there is
        job.cpus, job.gpus = ray_settings.resources()
    try:
        _run_tune(search, check_ray=RayWatchdog(vital, reporter))
    finally:
        shutil.rmtree(job.folder / RAY_FILES, ignore_errors=True)
        ray_settings.stop()
        kill_children()  # Ray asks its processes to go, and does not wait until they are gone


def _run_tune(search: ActiveSearch, check_ray: Callable[[], None]) -> None:
    from ray import tune

    from engine.tuning.ray_adapters import CallbackAdapter, SearcherAdapter, StopperAdapter
    from engine.tuning.ray_bridge import RayBridge
    from engine.tuning.ray_trial import RunTrainable

    job, bridge = search.job, RayBridge(search, check_ray)
    resources = {"cpu": job.spec.cpus, **({"gpu": job.spec.gpus} if job.gpus else {})}
    while search.goes_on:
        tune.run(
            tune.with_resources(RunTrainable, resources),
            name=f"attempt-{job.attempt}",
            storage_path=str(job.folder / RAY_FILES),
            num_samples=-1,
            search_alg=SearcherAdapter(bridge),
            scheduler=bridge.make_scheduler(),
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
        self._checked_at = 0.0

    def __call__(self) -> None:
        if time.monotonic() - self._checked_at < CHECK_S:
            return
        self._checked_at = time.monotonic()
        if all(map(_is_alive, self._vital)):
            return
        why = Why.of(Reason.RAY_GONE)
        log.error("%s", why.reason)
        kill_children()
        self._reporter.ended("interrupted", why, num_trials=None)
        os._exit(1)  # Ray's own way out would wait for what is gone


def _is_alive(one: psutil.Process) -> bool:
    try:
        return one.is_running() and one.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def kill_children() -> None:
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
