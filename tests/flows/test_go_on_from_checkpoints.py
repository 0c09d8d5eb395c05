"""Going on from checkpoints, as on the command line: back to an earlier one, for more epochs, with other settings."""

import json
import shutil
from pathlib import Path

import pytest

from engine import api
from engine.api import Refused, RunSpec
from storage import Home, Run, RunState, Store
from tests.cli import TINY, cli, queue, until_state

KEPT = TINY | {"epochs": 3, "keep_checkpoints": 10}


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with one finished run."""
    folder = tmp_path_factory.mktemp("trained")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("THAW_HOME", str(folder / "home"))
        store = api.open_store(Home.find(folder / "home"))
        until_state(store, queue(store, folder, KEPT).id, RunState.FINISHED)
        assert cli("shutdown").returncode == 0
    return folder / "home"


@pytest.fixture
def store(trained: Path, home: Home) -> Store:
    """That of a home like it."""
    shutil.copytree(trained, home.root, dirs_exist_ok=True)
    return api.open_store(home)


@pytest.fixture
def finished(store: Store) -> Run:
    (run,) = store.runs.list()
    return run


def child_of(store: Store, *arguments: str) -> Run:
    done = cli(*arguments, "--wait", "--json")
    assert done.returncode == 0, done.stderr
    return store.runs.get(json.loads(done.stdout)["id"])


def test_parameters_are_counted_alike_by_the_run_and_in_its_file(store: Store, finished: Run) -> None:
    last = store.metrics.last(finished.id)
    assert last["model/parameters"].value == last["model/learning_parameters"].value  # nothing is frozen
    assert api.count_parameters(store, store.checkpoints.get(finished.id, "best")) == last["model/parameters"].value


def test_extend_and_branch_are_new_runs_and_the_finished_one_never_changes(store: Store, finished: Run) -> None:
    curve = store.metrics.series(finished.id, "train/loss")
    steps = (finished.steps or 0) // 3
    extended = child_of(store, "extend", finished.id, "1")
    assert (extended.state, extended.epoch, extended.steps) == (RunState.FINISHED, 4, 4 * steps)
    assert (extended.parent_id, extended.parent_epoch, extended.parent_step) == (finished.id, 3, 3 * steps)
    theirs = store.metrics.series(extended.id, "train/loss")
    assert theirs.steps == list(range(1, 4 * steps + 1))
    assert theirs.values[: 3 * steps] == curve.values
    assert any("goes on from" in event.text for event in store.events.list(extended.id))
    taken = store.checkpoints.get(extended.id, 3).path + "/predictions.parquet"
    assert (store.home.run(extended.id) / taken).read_bytes() == (store.home.run(finished.id) / taken).read_bytes()

    branched = child_of(store, "branch", finished.id, "1", "--set", "optimisation.learning_rate=0.001")
    assert (branched.parent_epoch, branched.epoch, branched.spec["epochs"]) == (1, 3, 3)
    assert store.metrics.series(branched.id, "train/loss").values[:steps] == curve.values[:steps]
    assert store.metrics.series(branched.id, "train/loss").values[-1] != curve.values[-1]

    assert store.runs.get(finished.id) == finished
    assert store.metrics.series(finished.id, "train/loss") == curve
    assert [run.id for run in store.runs.children(finished.id)] == [extended.id, branched.id]

    assert cli("delete", finished.id).returncode == 0  # what went on from it has all it needs
    kept = store.checkpoints.get(extended.id, 3)
    assert (store.home.run(extended.id) / kept.path / "weights.safetensors").exists()
    assert cli("extend", extended.id, "1", "--wait").returncode == 0


def test_branches_that_cannot_fit_are_refused_in_words(store: Store, finished: Run) -> None:
    for settings, words in (
        (["model.head=mlp"], "model.head = 'mlp': must stay 'linear', else its weights do not fit"),
        (["data.split_seed=9"], "else images that it has learned from would judge it"),
        (["epochs=2"], "3 are done already"),
    ):
        done = cli("branch", finished.id, "last", *[f"--set={one}" for one in settings])
        assert done.returncode == 2, done.stdout
        assert words in " ".join(done.stderr.split())
    assert "keeps no checkpoint '9'" in cli("branch", finished.id, "9").stderr
    assert "must be 1 to" in cli("extend", finished.id, "0").stderr
    assert "a finished run never changes" in " ".join(cli("resume", finished.id).stderr.split())
    assert [run.id for run in store.runs.list()] == [finished.id]
    assert [path.name for path in store.home.runs.iterdir()] == [finished.id]


def test_one_branch_asked_for_twice_is_one_run(store: Store, finished: Run) -> None:
    spec = RunSpec.parse({**finished.spec, "epochs": 5})
    first, second = (api.branch(store, finished.id, "last", spec, key="tab") for _ in range(2))
    assert first.id == second.id
    assert len(list(store.home.runs.iterdir())) == 2


def test_a_run_goes_back_to_an_earlier_checkpoint(store: Store, tmp_path: Path) -> None:
    run = queue(store, tmp_path, KEPT | {"epochs": 200})
    while store.runs.get(run.id).epoch < 3:
        assert not store.runs.get(run.id).state.is_over
    assert cli("stop", run.id).returncode == 0
    kept = {one.name for one in store.checkpoints.list(run.id)}
    first = min(name for name in kept)
    last = store.checkpoints.get(run.id, "last")
    api.pin_checkpoint(store, run.id, last.name)
    with pytest.raises(Refused, match="would be lost"):
        api.resume(store, run.id, first)
    api.pin_checkpoint(store, run.id, last.name, pinned=False)
    assert cli("resume", run.id, "--from", first).returncode == 0
    again = until_state(store, run.id, RunState.RUNNING)
    assert again.resume_from == f"checkpoints/{first}"
    assert cli("stop", run.id).returncode == 0


def test_a_damaged_copy_fails_the_child_instead_of_starting_it_anew(store: Store, finished: Run) -> None:
    last = store.checkpoints.get(finished.id, "last")
    file = store.home.run(finished.id) / last.path / "resume.pt"
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.chmod(0o600)
    file.write_bytes(content)
    done = cli("extend", finished.id, "1", "--wait")
    assert done.returncode == 1
    assert "is damaged. Branch from another one." in " ".join((done.stdout + done.stderr).split())
