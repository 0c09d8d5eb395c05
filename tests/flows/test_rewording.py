"""Behaviour follows codes: with every sentence that is made from one worded anew, everything goes as before."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine import api
from engine.api import RunSpec
from engine.protocol.reasons import Reason
from pages.parts.figures.runs.marks import attempt_marks
from storage import Home, RunState, Store
from tests.cli import LONG, TINY, until, until_state
from tests.conftest import ROOT
from tests.other_code import OtherCode

RATE = "optimisation.learning_rate"
MARK = "zz"
# appended to each file that makes sentences; what has a place in one stays, all words go
REWORD = f"""

def _reworded(sentence: str) -> str:
    from string import Formatter

    parts = [(hole, form and ":" + form) for _, hole, form, _ in Formatter().parse(sentence) if hole]
    holes = ["{{" + hole + form + "}}" for hole, form in parts]
    return " ".join(["{MARK}", *holes, "{MARK}"])


"""
TABLES = {
    "protocol/reasons.py": "SENTENCES.update({code: _reworded(text) for code, text in SENTENCES.items()})",
    "protocol/events.py": "EVENTS.update({code: (level, _reworded(text)) for code, (level, text) in EVENTS.items()})",
    "specs/rules.py": "MESSAGES.update({code: _reworded(text) for code, text in MESSAGES.items()})",
}


@pytest.fixture
def reworded(tmp_path: Path, home: Home) -> Iterator[OtherCode]:
    for package in ("engine", "storage"):
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / package, tmp_path / "reworded" / package, ignore=ignored)
    for name, line in TABLES.items():
        with (tmp_path / "reworded" / "engine" / name).open("a", encoding="utf-8") as file:
            file.write(REWORD + line + "\n")
    code = OtherCode(tmp_path / "reworded", tmp_path)
    yield code
    code.end()


def test_runs_fail_stop_and_go_on_whatever_the_words(reworded: OtherCode, store: Store, tmp_path: Path) -> None:
    wild = {"epochs": 30, "optimisation": {"optimizer": "sgd", "learning_rate": 10, "momentum": 0.99}}
    failed = store.runs.get(reworded.start("train", "failed", TINY | wild, "--wait"))
    assert failed.state is RunState.FAILED
    assert failed.reason_code == Reason.DIVERGED
    assert (failed.reason or "").startswith(MARK), "the words are others"
    assert [offer.key for offer in api.remedies(failed.reason_code, RunSpec.parse(failed.spec))]

    stopped = reworded.start("train", "stopped", LONG)
    until(lambda: store.runs.get(stopped).epoch >= 1)
    assert reworded.run("stop", stopped).returncode == 0
    before = store.runs.get(stopped)
    assert (before.state, before.reason_code) == (RunState.STOPPED, Reason.STOPPED_AT_STEP)
    assert reworded.run("resume", stopped).returncode == 0
    until(lambda: store.runs.get(stopped).step > before.step, why=lambda: store.runs.get(stopped))
    marks = until(lambda: attempt_marks(store.events.list(stopped), store.metrics.series(stopped, "train/loss")))
    assert [mark.text for mark in marks] == ["attempt 2"]
    reworded.run("stop", stopped)

    (tmp_path / "empty").mkdir()
    assert reworded.run("datasets", "add", "empty", tmp_path / "empty").returncode == 2


def test_trials_go_on_with_their_search_whatever_the_words(reworded: OtherCode, store: Store) -> None:
    long = {"run": LONG | {"device": "cpu"}, "space": {RATE: {"log": [1e-5, 0.1]}}, "algorithm": "random", "trials": 1}
    search = reworded.start("search", "stopped", long)
    until(lambda: any(run.epoch for run in store.runs.trials(search)), within_s=120)
    assert reworded.run("stop", search).returncode == 0
    (trial,) = store.runs.trials(search)
    assert trial.reason_code == Reason.WITH_SEARCH
    assert (trial.reason or "").startswith(MARK)
    assert reworded.run("continue", search).returncode == 0
    again = until_state(store, trial.id, RunState.RUNNING)
    assert again.attempt == 2, "it goes on with its search"
    reworded.run("stop", search)
