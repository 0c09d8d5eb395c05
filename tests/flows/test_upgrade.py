"""A home that was made by the code before rooms were parted goes on with the code of today.

`old/flat-rooms.tar.xz` holds that code: `git archive 20ecab0 engine storage`.
"""

import shutil
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine import api
from engine.api import SearchSpec
from engine.machine.code import code_digest
from engine.machine.processes import Identity
from storage import Home, Run, RunState, SearchState, Store
from tests.cli import LONG, TINY, until, until_state
from tests.conftest import ROOT
from tests.other_code import OtherCode

OLD_CODE = Path(__file__).with_name("old") / "flat-rooms.tar.xz"
SEARCH = {
    "name": "rates",
    "run": TINY | {"epochs": 3, "device": "cpu"},
    "space": {"optimisation.learning_rate": {"log": [0.001, 0.1]}},
    "algorithm": "random",
    "trials": 4,
}


@pytest.fixture
def old(tmp_path: Path, home: Home) -> Iterator[OtherCode]:
    with tarfile.open(OLD_CODE) as archive:
        archive.extractall(tmp_path / "before", filter="data")
    code = OtherCode(tmp_path / "before", tmp_path)
    yield code
    code.end()


def gone_on(home: Home) -> Store:
    """The home in the hands of today's code."""
    store = api.open_store(home)
    api.ensure_supervisor(home)
    status = store.engine.get()
    assert status is not None
    assert status.code == code_digest()
    return store


def test_runs_of_every_state_and_a_search_go_on(old: OtherCode, home: Home) -> None:
    finished = old.start("train", "finished", TINY, "--wait")
    wild = {"optimizer": "sgd", "learning_rate": 10, "momentum": 0.99}
    failed = old.start("train", "failed", TINY | {"epochs": 30, "optimisation": wild}, "--wait")
    stopped = old.start("train", "stopped", LONG)
    until(lambda: old.cli("show", stopped)["epoch"] >= 1)
    old.cli("stop", stopped)
    search = old.start("search", "rates", SEARCH)
    queued = old.start("train", "queued", TINY)
    until(lambda: old.state(search) == "running" and old.cli("show", search)["trials"], within_s=120)

    store = gone_on(home)
    assert old.supervisor.wait(5) == 0, "it left by itself"
    driver = Identity.noted(store.searches.get(search))
    assert driver is None or driver.is_alive or store.searches.get(search).state.is_over, "its driver worked on"
    attempt = store.searches.get(search).attempt
    assert [store.runs.get(one).state for one in (finished, failed, stopped)] == [
        RunState.FINISHED,
        RunState.FAILED,
        RunState.STOPPED,
    ]
    assert store.runs.get(failed).reason and store.runs.get(failed).advice
    assert api.run_predictions(store, finished) is not None

    until(lambda: store.searches.get(search).state.is_over, within_s=180, why=lambda: store.searches.get(search))
    now = store.searches.get(search)
    assert (now.state, now.attempt) == (SearchState.FINISHED, attempt), "the same driver finished it"
    assert [run.state for run in store.runs.trials(search)] == [RunState.FINISHED] * 4
    assert SearchSpec.parse(now.spec).trials == 4
    until_state(store, queued, RunState.FINISHED)

    before = store.runs.get(stopped)
    api.resume(store, stopped)
    until(lambda: store.runs.get(stopped).step > before.step, why=lambda: store.runs.get(stopped))
    api.request_stop(store, stopped)
    assert until_state(store, stopped, RunState.STOPPED).attempt == before.attempt + 1


def test_a_supervisor_that_outlives_the_upgrade_starts_todays_code(old: OtherCode, home: Home, tmp_path: Path) -> None:
    """Between the files' change and the next start of the dashboard."""
    under_way = old.start("train", "under way", LONG)
    until(lambda: old.cli("show", under_way)["epoch"] >= 1)
    there, old.folder = old.folder, tmp_path / "commands"
    there.rename(old.folder)
    for package in ("engine", "storage"):
        shutil.copytree(ROOT / package, there / package, ignore=shutil.ignore_patterns("__pycache__"))
    old.cli("stop", under_way)
    ranks = TINY | {"strategy": "ddp", "compute": TINY["compute"] | {"processes": 2}}
    together = old.start("train", "together", ranks)
    pictures = _pictures(old.files / "pictures")
    old.cli("datasets", "add", "pictures", pictures)
    old.until(together, "finished", "failed")
    assert old.state(together) == "finished", old.cli("show", together)
    assert old.supervisor.poll() is None

    store = gone_on(home)
    run: Run = store.runs.get(together)
    assert store.metrics.series(run.id, "val/accuracy").values
    assert store.checkpoints.get(run.id, "best").epoch
    assert ("pictures", ("0", "1")) in [(one.name, one.classes) for one in store.datasets.list()]


def _pictures(folder: Path) -> Path:
    """Real digits as files, in class folders."""
    from PIL import Image
    from sklearn.datasets import load_digits

    digits = load_digits(n_class=2)
    for number, (pixels, label) in enumerate(zip(digits.images[:40], digits.target, strict=False)):
        path = folder / str(label) / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray((pixels * 15).astype("uint8")).save(path)
    return folder
