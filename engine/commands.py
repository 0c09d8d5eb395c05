"""What users ask the engine to do. Everything is checked here, at the door; the supervisor carries it out."""

import fcntl
import os
import re
import subprocess
import sys
import time
import unicodedata
from dataclasses import asdict
from pathlib import Path

from engine.catalog.datasets import DATASET_KINDS
from engine.errors import NotFound, Problem, Refused, Unavailable
from engine.first_weights import weights_path
from engine.launchers import ROOT
from engine.machine import gpus
from engine.processes import Identity
from engine.spec import RunSpec
from storage import Dataset, Home, Request, Run, RunState, Store

MOST_NAME_BYTES = 200  # of a data set's folder: file systems allow 255


def open_store(home: Home | None = None) -> Store:
    """The store of `home` (or of `$THAW_HOME`, or `~/.thaw`), its database up to date, embedded data sets in it.

    Raises:
        storage.NewerDatabase: The home was used by a newer Thaw.
    """
    store = Store.open(home or Home.find(), migrate=True)
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
            **asdict(row.embedded),
        )
        for kind, row in DATASET_KINDS.items()
        if row.embedded
    ]


def check(store: Store, spec: RunSpec) -> list[Problem]:
    """What only this home and machine know to be wrong with a spec."""
    problems = []
    try:
        store.datasets.get(spec.data.dataset)
    except KeyError:
        names = ", ".join(dataset.name for dataset in store.datasets.list())
        problems.append(Problem("data.dataset", spec.data.dataset, f"there is no such data set; there are: {names}"))
    if spec.device == "cuda" and not gpus():
        problems.append(Problem("device", "cuda", "this machine has no NVIDIA GPU; use auto or cpu"))
    if spec.device == "mps" and sys.platform != "darwin":
        problems.append(Problem("device", "mps", "only Macs have it; use auto or cpu"))
    try:
        weights_path(store, spec)
    except Refused as refused:
        problems += refused.problems
    return problems


def start_run(store: Store, spec: RunSpec, *, key: str | None = None) -> Run:
    """Queue a run. The same `key` again gives the run that was started first.

    Raises:
        Refused: The spec asks for what this home or machine does not have.
    """
    with store.transaction():
        if problems := check(store, spec):
            raise Refused(problems)
        dataset = store.datasets.get(spec.data.dataset)
        name = spec.name.strip() or f"{spec.model.backbone} on {dataset.name}"
        run = store.runs.add(
            name=_unused(name, store.runs.names()),
            spec=spec.model_dump(mode="json"),
            dataset_id=dataset.id,
            epochs=spec.epochs,
            key=key,
        )
        if not store.events.list(run.id, limit=1):
            store.events.add(run.id, "info", "Queued.", run.created_at)
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


def resume(store: Store, run_id: str) -> Request:
    """Ask a stopped or failed run to go on from its last checkpoint.

    Raises:
        NotFound: No such run.
        Refused: It is finished, or not over.
    """
    run = find_run(store, run_id)
    if run.state not in (RunState.STOPPED, RunState.FAILED):
        raise Refused([Problem("run", run.id, f"it is {run.state}; only a stopped or failed run can be resumed")])
    if problems := check(store, RunSpec.parse(run.spec)):
        raise Refused(problems)
    return store.requests.add("resume_run", run.id)


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


def add_dataset(store: Store, name: str, source: Path, *, key: str | None = None) -> Request:
    """Ask for a folder or zip of class folders to be imported as the data set `name`.

    Raises:
        Refused: The name is empty, too long or taken; the path is missing, or neither a folder nor a zip.
    """
    name = unicodedata.normalize("NFC", name.strip())
    source = source.expanduser().absolute()
    with store.transaction():  # of two that ask for one name at once, one is refused
        if problems := _problems_of_import(store, name, source):
            raise Refused(problems)
        payload = {"name": name, "source": str(source)}
        return store.requests.add("import_dataset", dataset_id_of(name), payload, key=key)


def _problems_of_import(store: Store, name: str, source: Path) -> list[Problem]:
    dataset_id = dataset_id_of(name)
    taken = {dataset.id for dataset in store.datasets.list()}
    taken |= {one.target for one in store.requests.open() if one.kind == "import_dataset"}
    problems = []
    if not dataset_id or len(name) > 100 or len(dataset_id.encode()) > MOST_NAME_BYTES:
        allowed = "must have 1 to 100 characters (66 of Hangul), at least one a letter or digit"
        problems.append(Problem("name", name, allowed))
    elif dataset_id in taken or dataset_id in DATASET_KINDS:
        problems.append(Problem("name", name, "is taken by another data set; choose a new one, or delete that first"))
    if not source.exists():
        problems.append(Problem("source", str(source), "there is no such folder or file on this machine"))
    elif source.is_file() and source.suffix.lower() != ".zip":
        problems.append(Problem("source", str(source), "must be a folder or a .zip of class folders"))
    elif store.home.datasets in source.parents:
        problems.append(Problem("source", str(source), "lies among Thaw's own files; choose a folder of yours"))
    return problems


def dataset_id_of(name: str) -> str:
    """A data set's id: its name made safe for a path. Letters of all scripts stay."""
    return re.sub(r"[^\w]+", "-", name.casefold()).strip("-_")


def delete_dataset(store: Store, dataset_id: str) -> Request:
    """Ask for a data set to be removed; images of a folder on the server stay where they are.

    Raises:
        NotFound: No such data set.
        Refused: It comes with Thaw, or a run that is not over uses it.
    """
    dataset = find_dataset(store, dataset_id)
    if DATASET_KINDS[dataset.kind].embedded:
        raise Refused([Problem("dataset", dataset.name, "comes with Thaw and stays")])
    if users := users_of(store, dataset.id):
        raise Refused([Problem("dataset", dataset.name, f"is in use by {', '.join(users[:5])}; stop that first")])
    return store.requests.add("delete_dataset", dataset.id)


def users_of(store: Store, dataset_id: str) -> list[str]:
    """Names of the runs that are not over and train on a data set."""
    waiting = [state for state in RunState if not state.is_over]
    return [run.name for run in store.runs.list(states=waiting, limit=-1) if run.dataset_id == dataset_id]


def find_dataset(store: Store, name: str) -> Dataset:
    """
    Raises:
        NotFound: No such data set.
    """
    try:
        return store.datasets.get(name)
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
    """Start the home's supervisor if none runs. It is nobody's child: it outlives us.

    Raises:
        Unavailable: It did not come up; the text says where to look.
    """
    with (home.root / "start.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # racing callers start one
        store = Store.open(home, migrate=True)
        if engine_alive(store):
            return
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


def engine_alive(store: Store) -> bool:
    """Whether a supervisor works in this home, by the identity of its process."""
    status = store.engine.get()
    return status is not None and Identity(status.pid, status.pid_started, status.boot_id).is_alive


def shut_down(store: Store) -> Request:
    """Ask for all runs to be stopped, and the supervisor to leave."""
    return store.requests.add("shut_down", "engine")


def _unused(name: str, taken: set[str]) -> str:
    if name not in taken:
        return name
    number = 2
    while f"{name} {number}" in taken:
        number += 1
    return f"{name} {number}"
