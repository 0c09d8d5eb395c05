"""What users ask the engine to do. Everything is checked here, at the door; the supervisor carries it out."""

import fcntl
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict

from engine.api.datasets import dataset_problems
from engine.artifacts.initial_weights import weights_path
from engine.catalog.datasets import DATASET_KINDS
from engine.errors import NotFound, Problem, Refused, Unavailable
from engine.machine.code import code_digest
from engine.machine.devices import gpus
from engine.machine.processes import Identity
from engine.protocol.events import EventCode, Happening
from engine.specs import RunSpec
from engine.worker.launchers import ROOT
from storage import Dataset, Home, PendingMigrations, Request, Run, Store

LEAVING_S, KILLED_S = 30.0, 5.0  # patience with a supervisor that is to leave


def open_store(home: Home | None = None) -> Store:
    """The store of `home` (or of `$THAW_HOME`, or `~/.thaw`), its database up to date, embedded data sets in it.

    A supervisor of an older version leaves first: it would not understand the newer database. Runs go on training.

    Raises:
        storage.NewerDatabase: The home was used by a newer Thaw.
        Unavailable: The older supervisor does not leave.
    """
    home = home or Home.find()
    try:
        store = Store.open(home, migrate=not home.database.exists())
    except PendingMigrations:
        with _starting(home):
            _end_supervisor(Store(home))
            store = Store.open(home, migrate=True)
    known = {dataset.id for dataset in store.datasets.list()}
    for dataset in embedded_datasets():
        if dataset.id not in known:
            store.datasets.add(dataset)
    return store


def embedded_datasets() -> list[Dataset]:
    """Records of the data sets that come with Thaw's own requirements."""
    return [
        Dataset(
            id=kind,
            name=kind,
            kind=kind,
            path="",
            classes=tuple(next(iter(row.embedded.counts.values()))),
            bytes=0,
            created_at=0.0,
            notes=(row.note,),
            source_fingerprint=row.embedded.fingerprint,
            **asdict(row.embedded),
        )
        for kind, row in DATASET_KINDS.items()
        if row.embedded
    ]


def check(store: Store, spec: RunSpec) -> list[Problem]:
    """What only this home and machine know to be wrong with a spec."""
    problems = dataset_problems(store, spec) + device_problems(spec)
    try:
        weights_path(store, spec)
    except Refused as refused:
        problems += refused.problems
    return problems


def device_problems(spec: RunSpec) -> list[Problem]:
    """What this machine cannot do for a spec."""
    problems = []
    if spec.device == "cuda" and not gpus():
        problems.append(Problem("device", "cuda", "this machine has no NVIDIA GPU; use auto or cpu"))
    if spec.device == "mps" and sys.platform != "darwin":
        problems.append(Problem("device", "mps", "only Macs have it; use auto or cpu"))
    return problems


def start_run(store: Store, spec: RunSpec, *, key: str | None = None) -> Run:
    """Queue a run. The same `key` again gives the run that was started first.

    Raises:
        Refused: The spec asks for what this home or machine does not have.
    """
    with store.transaction():
        if problems := check(store, spec):
            raise Refused(problems)
        return queue_run(store, spec, key=key)


def queue_run(store: Store, spec: RunSpec, *, key: str | None = None) -> Run:
    """Queue a run of a spec that was checked."""
    with store.transaction():
        dataset = store.datasets.get(spec.data.dataset)
        name = spec.name.strip() or f"{spec.model.backbone} on {dataset.name}"
        run = store.runs.add(
            name=unused(name, store.runs.names()),
            spec=spec.model_dump(mode="json"),
            dataset_id=dataset.id,
            epochs=spec.epochs,
            key=key,
        )
        if not store.events.list(run.id, limit=1):
            store.events.note(run.id, Happening.of(EventCode.QUEUED), run.created_at)
    return run


def request_stop(store: Store, run_id: str) -> Request:
    """Ask a run to save and end.

    Raises:
        NotFound: No such run.
        Refused: It is over already.
    """
    run = find_run(store, run_id)
    if run.state.is_over:
        raise Refused([Problem("run", run.id, f"it is {run.state} already; there is nothing to stop")])
    return store.requests.add("stop_run", run.id)


def delete_run(store: Store, run_id: str) -> Request:
    """Ask for a run, its checkpoints and metrics to be removed for good; one that trains is stopped first.

    Raises:
        NotFound: No such run.
    """
    return store.requests.add("delete_run", find_run(store, run_id).id)


def find_run(store: Store, text: str) -> Run:
    """The run of an id, of the beginning of an id, or of a name.

    Raises:
        NotFound: None, or more than one.
    """
    try:
        return store.runs.find(text)
    except KeyError as error:
        raise NotFound(error.args[0]) from None


def wait_for_request(store: Store, request_id: str, *, timeout_s: float = 60.0) -> Request:
    """The request once it is carried out.

    Raises:
        Unavailable: It still waits after `timeout_s`.
    """
    deadline = time.monotonic() + timeout_s
    while (request := store.requests.get(request_id)).state in ("pending", "running"):
        if time.monotonic() > deadline:
            raise Unavailable(f"The engine has not done this within {timeout_s:.0f} s; see {store.home.engine_log}.")
        time.sleep(0.1)
    return request


def ensure_supervisor(home: Home) -> None:
    """Start the home's supervisor if none runs, or one of other code than lies here now. It is nobody's child.

    Raises:
        Unavailable: It did not come up; the text says where to look.
    """
    store = open_store(home)
    with _starting(home):
        status = store.engine.get()
        if status is not None and engine_alive(store):
            if status.code == code_digest():
                return
            _end_supervisor(store)
        command = [sys.executable, "-m", "engine", "supervise", "--on-demand"]
        with home.engine_log.open("ab") as output:
            subprocess.Popen(
                command,
                cwd=ROOT,
                env={**os.environ, "THAW_HOME": str(home.root)},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        deadline = time.monotonic() + 20
        while not engine_alive(store):
            if time.monotonic() > deadline:
                raise Unavailable(f"The engine did not start; the end of {home.engine_log} says why.")
            time.sleep(0.05)


@contextmanager
def _starting(home: Home) -> Iterator[None]:
    """Racing callers start, or end, one supervisor."""
    with (home.root / "start.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _end_supervisor(store: Store) -> None:
    """Have the supervisor leave, whatever its version; what it launched goes on, and the next one follows that.

    Raises:
        Unavailable: It is there still, even killed.
    """
    row = store.engine.process()
    who = Identity.noted(row) if row else None
    if who is None or who.pid == os.getpid():
        return
    for number, patience_s in ((signal.SIGTERM, LEAVING_S), (signal.SIGKILL, KILLED_S)):
        with suppress(ProcessLookupError):
            if who.is_alive:
                os.kill(who.pid, number)
        deadline = time.monotonic() + patience_s
        while who.is_alive and time.monotonic() < deadline:
            time.sleep(0.05)
    if who.is_alive:
        raise Unavailable(f"The engine of an older Thaw (pid {who.pid}) does not leave; end it and try again.")


def engine_alive(store: Store) -> bool:
    """Whether a supervisor works in this home, by the identity of its process."""
    status = store.engine.get()
    return status is not None and Identity(status.pid, status.pid_started, status.boot_id).is_alive


def shut_down(store: Store) -> Request:
    """Ask for all runs to be stopped, and the supervisor to leave."""
    return store.requests.add("shut_down", "engine")


def unused(name: str, taken: set[str]) -> str:
    """The name, with a number behind it where it is taken."""
    if name not in taken:
        return name
    number = 2
    while f"{name} {number}" in taken:
        number += 1
    return f"{name} {number}"
