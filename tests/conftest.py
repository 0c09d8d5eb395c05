"""Homes of their own for tests, and the end of every process that a test started."""

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import pytest

from engine import api
from storage import Home, Store
from tests.reruns import RERUNS

if TYPE_CHECKING:
    from tests.ranks import Trained

ROOT = Path(__file__).resolve().parent.parent
SHARED = ROOT.parent / "shared" / "data"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What failed at first stays in the report, as `R`."""
    for item in items:
        _, names = RERUNS.get(item.path.relative_to(ROOT).as_posix(), ("", ()))
        if getattr(item, "originalname", item.name) in names:
            item.add_marker(pytest.mark.flaky(reruns=1))


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Home]:
    """An empty home that `$THAW_HOME` names; whatever runs in it is ended by pid when the test is over."""
    path = tmp_path / "home"
    monkeypatch.setenv("THAW_HOME", str(path))
    yield Home.find(path)
    end_processes_of(path)


@pytest.fixture
def store(home: Home) -> Store:
    return api.open_store(home)


@pytest.fixture(scope="session")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> "Trained":
    """Two ranks that nobody stopped or killed."""
    from tests.ranks import DDP, Trained, finished, queue

    folder = tmp_path_factory.mktemp("undisturbed")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("THAW_HOME", str(folder / "home"))
        store = api.open_store(Home.find(folder / "home"))
        trained = Trained.by(store, finished(store, queue(store, folder, DDP)))
    end_processes_of(folder / "home")
    return trained


@pytest.fixture(scope="session")
def cifar_zip() -> Path:
    """6,000 real photos in 10 classes, train and validation."""
    path = SHARED / "cifar10-6k.zip"
    if not path.exists():
        pytest.skip(f"needs the photos of {path.name} beside the repository")
    return path


def processes_of(home: Path) -> list[psutil.Process]:
    """Every living process whose environment names this home."""
    found = []
    for process in psutil.process_iter():
        try:
            ours = process.environ().get("THAW_HOME") == str(home)
            if ours and process.pid != os.getpid() and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
        except psutil.Error:
            continue
    return found


def end_processes_of(home: Path) -> None:
    deadline = time.monotonic() + 10
    while (left := processes_of(home)) and time.monotonic() < deadline:
        for process in left:
            try:
                process.send_signal(signal.SIGCONT)
                process.kill()
            except psutil.Error:
                continue
        time.sleep(0.05)
