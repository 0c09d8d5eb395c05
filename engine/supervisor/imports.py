"""The supervisor's care of imports: each a process of its own, so that a hostile zip meets no one else."""

import json
import shutil
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TypeVar

from engine.catalog.datasets import DATASET_KINDS
from engine.machine import processes
from engine.machine.processes import Identity
from engine.protocol.run_lines import Ended, Progress, RunLine, read_run_lines
from engine.worker.launchers import ROOT
from storage import Dataset, Request, Store

MOST_TRIES = 2


class Importing:
    def __init__(self, store: Store) -> None:
        self._store = store

    def tick(self, request: Request) -> None:
        """One step of one import."""
        folder = self._folder(request)
        leader = _leader(request)
        if leader and leader.is_alive:
            self._show(request, _last(folder, Progress))
            return
        ended = _last(folder, Ended)
        is_import = request.kind == "import_dataset"  # a scan that was moved before the kill is just made again
        moved = (
            is_import and not folder.exists() and (self._store.home.dataset(request.target) / "dataset.json").exists()
        )
        if moved or (ended and ended.state == "finished"):
            self._register(request, folder)
        elif ended:
            self._refuse(request, folder, " ".join(filter(None, [ended.reason, ended.advice])))
        elif request.payload.get("tries", 0) >= MOST_TRIES:
            self._refuse(request, folder, "It was killed twice; perhaps memory or disk ran out. Try it again.")
        else:
            self._launch(request, folder)

    def scan_embedded(self) -> None:
        """Ask for samples and a scan of the data sets that come with Thaw, where there are none yet."""
        waiting = {request.target for request in self._store.requests.open() if request.kind == "scan_dataset"}
        for dataset in self._store.datasets.list():
            seen = (self._store.home.dataset(dataset.id) / "scan.json").exists()
            if DATASET_KINDS[dataset.kind].embedded and not seen and dataset.id not in waiting:
                self._store.requests.add("scan_dataset", dataset.id, {"name": dataset.name, "dataset": asdict(dataset)})

    def _launch(self, request: Request, folder: Path) -> None:
        if not processes.end_all(self._mark(request)):  # of a try before, whose pid we may never have noted
            return
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(mode=0o700, parents=True)
        (folder / "request.json").write_text(
            json.dumps({"id": request.target, **request.payload}, ensure_ascii=False), encoding="utf-8"
        )
        leader = processes.spawn(
            [sys.executable, "-m", "engine.data.imports.importer", str(folder)],
            mark=self._mark(request),
            log=folder / "log.txt",
            environment={},
            folder=ROOT,
        )
        self._store.requests.update(
            request.id,
            state="running",
            pid=leader.pid,
            pid_started=leader.started,
            payload={**request.payload, "tries": request.payload.get("tries", 0) + 1, "boot_id": leader.boot_id},
        )

    def _show(self, request: Request, line: Progress | None) -> None:
        if line and line.steps and line.step is not None:
            done = line.step / line.steps
            if done != request.progress:
                self._store.requests.update(request.id, progress=done, message=line.message, eta_s=line.eta_s)

    def _register(self, request: Request, folder: Path) -> None:
        """Killed at any point, it is taken up again: the rename comes first, the rows in one transaction after it."""
        final = self._store.home.dataset(request.target)
        if request.kind == "scan_dataset":
            self._keep_scan(request, folder, final)
            return
        if folder.exists():
            shutil.rmtree(final, ignore_errors=True)
            folder.rename(final)
        record = json.loads((final / "dataset.json").read_text(encoding="utf-8"))
        record |= {name: tuple(record[name]) for name in ("classes", "set_aside", "notes", "excluded")}
        if record["kind"] == "folder":
            record["path"] = str(final)
        with self._store.transaction():
            self._store.datasets.add(Dataset(**record))
            self._store.requests.finish(request.id, "done")
        self._drop_upload(request)

    def _keep_scan(self, request: Request, folder: Path, final: Path) -> None:
        """Lay what a scan made over what is there; the scan itself comes last, and says that all is there."""
        final.mkdir(mode=0o700, exist_ok=True)
        for name in ("thumbnails", "samples", "index.json", "scan.json"):
            if (folder / name).exists():
                if (final / name).is_dir():
                    shutil.rmtree(final / name)
                (folder / name).replace(final / name)
        shutil.rmtree(folder, ignore_errors=True)
        self._store.requests.finish(request.id, "done")

    def _refuse(self, request: Request, folder: Path, reason: str) -> None:
        processes.end_all(self._mark(request))
        shutil.rmtree(folder, ignore_errors=True)
        self._drop_upload(request)
        self._store.requests.finish(request.id, "refused", reason)

    def _drop_upload(self, request: Request) -> None:
        source = Path(request.payload.get("source", ""))
        if source.parent == self._store.home.uploads:
            source.unlink(missing_ok=True)

    def _mark(self, request: Request) -> str:
        return f"{self._store.home.root}:{request.id}:import"

    def _folder(self, request: Request) -> Path:
        return self._store.home.datasets / ".incoming" / request.id


def _leader(request: Request) -> Identity | None:
    if request.pid is None or request.pid_started is None:
        return None
    return Identity(request.pid, request.pid_started, request.payload.get("boot_id", ""))


L = TypeVar("L", bound=RunLine)


def _last(folder: Path, kind: type[L]) -> L | None:
    """The newest line of a kind that an import said."""
    found = None
    for line, _ in read_run_lines(folder):
        if isinstance(line, kind):
            found = line
    return found
