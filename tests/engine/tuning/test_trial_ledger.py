"""Asking for trials and telling of them, with every algorithm and no training at all."""

import json
from pathlib import Path
from typing import Any

import pytest

from engine.catalog import ALGORITHMS, SCHEDULERS
from engine.catalog.named import named
from engine.protocol.search_reporter import SearchReporter
from engine.training.failures import Diverged, explain
from engine.tuning.epoch_gate import LEAVE, StopRequest
from engine.tuning.job import SearchJob
from engine.tuning.lifecycle import SearchLifecycle
from engine.tuning.samplers.sampler import Drawn, Outcome, Sampler
from engine.tuning.trial_ledger import PastTrial, TrialLedger
from tests.asking import RATE, SMOOTHING, SPACE, asking, rows, run_all
from tests.engine.digits_run import read_lines


@pytest.mark.parametrize("row", [*ALGORITHMS.values(), *SCHEDULERS.values()], ids=lambda row: row.label)
def test_every_row_names_what_makes_it_run(row: Any) -> None:
    assert callable(named(row.make))


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_trial_1_is_the_base_run_and_all_keep_to_the_space(algorithm: str, tmp_path: Path) -> None:
    book = asking(tmp_path, algorithm)
    tried = [asked for asked, _ in run_all(book)]
    assert tried[0].assignment == book.spec.base
    assert tried[0].spec.model_dump(exclude={"name"}) == book.spec.run.model_dump(exclude={"name"})
    assert [asked.number for asked in tried] == list(range(1, len(tried) + 1))
    for asked in tried[1:]:
        for path, value in asked.assignment.items():
            one = book.spec.space[path]
            assert value in one.values if one.count else one.low <= value <= one.high
            assert type(value) in (int, float, str, tuple)  # nothing of NumPy's
        if "optimisation.optimizer" in book.spec.space:
            is_sgd = asked.assignment["optimisation.optimizer"] == "sgd"
            assert ("optimisation.momentum" in asked.assignment) == is_sgd
    assert book.is_over and len({asked.run for asked in tried}) == len(tried)
    assert len(tried) == (6 if algorithm == "grid" else 30)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_search_goes_on_where_it_was(algorithm: str, tmp_path: Path) -> None:
    before = run_all(asking(tmp_path, algorithm))[:4]
    after = [asked for asked, _ in run_all(asking(tmp_path, algorithm, known=rows(before)))]
    assert [asked.number for asked in after] == list(range(5, len(after) + 5))
    settings = [repr(sorted(asked.assignment.items())) for asked in [*(one for one, _ in before), *after]]
    assert len(set(settings)) == len(settings)


def test_unfinished_trials_come_first_with_their_own_settings(tmp_path: Path) -> None:
    half = PastTrial("abc", 2, "interrupted", {RATE: 0.02}, attempt=1)
    book = asking(
        tmp_path, known=[PastTrial("xyz", 1, "finished", {RATE: 0.001}, 0.9), half], trials=3, space={RATE: SPACE[RATE]}
    )
    first = book.ask()
    assert first and (first.run, first.number, first.attempt) == ("abc", 2, 2)
    assert first.spec.optimisation.learning_rate == 0.02
    second = book.ask()
    assert second and second.number == 3 and book.ask() is None


def test_a_space_that_changed_leaves_out_what_it_knows_no_more(tmp_path: Path) -> None:
    for algorithm in ("hyperopt", "optuna", "bohb"):
        known = rows(run_all(asking(tmp_path, algorithm, trials=6)))
        book = asking(
            tmp_path, algorithm, known=known, space={"optimisation.weight_decay": {"log": [1e-5, 1e-1]}}, trials=9
        )
        assert [asked.number for asked, _ in run_all(book)] == [7, 8, 9]


def test_settings_that_do_not_go_together_are_a_failed_trial(tmp_path: Path) -> None:
    space = {"model.backbone": {"choices": ["small_cnn", "vit_b_16"]}}
    book = asking(tmp_path, space=space, run={"data": {"image_size": 28}, "model": {"backbone": "small_cnn"}})
    run_all(book)
    failed = [line for line in read_lines(tmp_path) if line["kind"] == "trial_ended" and line["state"] == "failed"]
    assert failed and "vit_b_16 needs" in failed[0]["reason"]


def test_trials_that_all_fail_alike_end_the_search(tmp_path: Path) -> None:
    book = asking(tmp_path)
    for number in range(1, 6):
        asked = book.ask()
        assert asked and book.doom is None
        book.tell(asked.run, "failed", reason=f"The loss became NaN at step {number}.")
    assert book.doom == "All of its first 5 trials failed in the same way: The loss became NaN at step 1."
    assert book.ask() is None and book.is_over


def test_failures_are_alike_by_their_fault(tmp_path: Path) -> None:
    book = asking(tmp_path)
    for number in range(5):
        asked = book.ask()
        assert asked
        how = "infinite" if number % 2 else "NaN"
        failure = explain(Diverged(f"the loss became {how} at step {number}"))
        book.tell(asked.run, "failed", reason=failure.reason)
    assert (book.doom or "").startswith("All of its first 5 trials failed in the same way: ")


def test_different_failures_end_it_with_the_last_trial(tmp_path: Path) -> None:
    book = asking(tmp_path, trials=8)
    for number in range(1, 9):
        assert book.doom is None
        asked = book.ask()
        assert asked
        book.tell(asked.run, "failed", reason="The loss became NaN." if number % 3 else "Out of memory.")
    assert book.doom == "All of its first 8 trials failed, most of them so: The loss became NaN."


def test_what_failed_before_is_past(tmp_path: Path) -> None:
    failed = [PastTrial(f"r{number}", number, "failed", {RATE: 0.5}, reason="Too fast.") for number in range(1, 6)]
    book = asking(tmp_path, known=failed, trials=30)
    for number in range(6, 11):
        assert book.doom is None
        asked = book.ask()
        assert asked and asked.number == number
        book.tell(asked.run, "failed", reason="Too fast.")
    assert book.doom
    lived = asking(tmp_path, known=[*failed, PastTrial("r6", 6, "finished", {RATE: 0.01}, 0.9)], trials=30)
    for _ in range(6):
        asked = lived.ask()
        assert asked
        lived.tell(asked.run, "failed", reason="Too fast.")
    assert lived.doom is None


def test_an_interruption_that_nobody_asked_for_ends_the_driver_alone(tmp_path: Path, unheard: None) -> None:
    book = asking(tmp_path, trials=3)
    job = SearchJob(tmp_path, book.spec, {"runs": str(tmp_path / "runs"), "slots": ["cpu"]})
    lifecycle, asked = SearchLifecycle(job, book, SearchReporter(tmp_path)), book.ask()
    assert asked and lifecycle.closing is None
    book.tell(asked.run, "interrupted", reason="The disk is full.")
    assert lifecycle.closing and (lifecycle.closing.state, lifecycle.closing.reason) == (
        "interrupted",
        "The disk is full.",
    )
    assert lifecycle.closing.word.state == "interrupted"


def test_a_waiting_trial_remembers_that_its_user_stopped_it(tmp_path: Path, unheard: None) -> None:
    known = [PastTrial(f"r{number}", number, "interrupted", {RATE: 0.01}, attempt=1) for number in (1, 2)]
    book = asking(tmp_path, known=known, trials=2)
    told = {"runs": str(tmp_path / "runs"), "dataset": {}, "device": "cpu", "cache": "", "slots": ["cpu"]}
    job = SearchJob(tmp_path, book.spec, told)
    lifecycle = SearchLifecycle(job, book, SearchReporter(tmp_path))
    (tmp_path / "control.jsonl").write_text(json.dumps({"kind": "stop_trial", "run": "r2"}) + "\n")
    assert lifecycle.closing is None
    first, second = book.ask(), book.ask()
    assert first and second
    assert not (job.lay_out(first) / LEAVE).exists()
    assert StopRequest.read(job.lay_out(second) / LEAVE) == StopRequest("stopped", "Stopped by its user.")


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_the_base_run_may_stand_between_the_steps(algorithm: str, tmp_path: Path) -> None:
    space = {
        "optimisation.batch_size": {"integers": [16, 64], "step": 16},
        SMOOTHING: {"uniform": [0, 0.2], "step": 0.1},
    }
    base = {"optimisation": {"batch_size": 40, "label_smoothing": 0.05}}
    book = asking(tmp_path, algorithm, space=space, run=base)
    first = book.ask()
    assert first and first.spec.optimisation.batch_size == 40 and first.assignment[SMOOTHING] == 0.05
    book.tell(first.run, "finished", value=0.5)
    for asked in iter(book.ask, None):
        assert asked.spec.optimisation.batch_size in (16, 32, 48, 64)
        book.tell(asked.run, "finished", value=1 - asked.assignment[SMOOTHING])
    assert book.is_over


def test_a_grid_does_not_repeat_what_goes_on(tmp_path: Path) -> None:
    before = list(iter(asking(tmp_path, "grid", trials=4).ask, None))
    known = [PastTrial(one.run, one.number, "interrupted", one.assignment) for one in before]
    asked = list(iter(asking(tmp_path, "grid", trials=6, known=known).ask, None))
    assert len({repr(one.assignment) for one in asked}) == len(asked) == 6


class Noting(Sampler):
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.outcomes: dict[int, Outcome] = {}

    def propose(self, number: int) -> Drawn:
        return {RATE: 0.01}

    def told(self, number: int, assignment: Drawn, outcome: Outcome) -> None:
        self.outcomes[number] = outcome


def noted(book: TrialLedger) -> dict[int, Outcome]:
    book._proposer = noting = Noting()
    return noting.outcomes


@pytest.mark.parametrize(("metric", "best"), [("val/accuracy", 0.9), ("val/loss", 0.4)])
def test_all_epochs_of_a_trial_count_whoever_trained_them(metric: str, best: float, tmp_path: Path) -> None:
    half = PastTrial("abc", 1, "interrupted", {RATE: 0.02}, value=best, history=[[1, 0.9], [2, 0.4]])
    book = asking(tmp_path, known=[half], metric=metric, space={RATE: SPACE[RATE]})
    outcomes = noted(book)
    assert book.ask()
    book.saw("abc", 3, 0.7)
    book.tell("abc", "finished", value=0.7)
    assert outcomes == {1: Outcome("whole", (best,), {1: 0.9, 2: 0.4, 3: 0.7})}


def test_an_algorithm_is_told_how_a_trial_ended(tmp_path: Path) -> None:
    book = asking(tmp_path)
    outcomes = noted(book)
    for state in ("finished", "stopped", "failed"):
        asked = book.ask()
        assert asked
        book.saw(asked.run, 1, 0.5)
        book.tell(asked.run, state, value=0.5, reason="Why.")
    asked = book.ask()
    assert asked
    book.tell(asked.run, "stopped")  # before its first epoch was over
    assert [outcome.end for outcome in outcomes.values()] == ["whole", "early", "failed", "unknown"]


def test_more_trials_may_be_wanted_on_the_way(tmp_path: Path) -> None:
    book = asking(tmp_path, trials=2)
    assert len(run_all(book)) == 2
    book.want(4)
    assert not book.is_over and len(run_all(book)) == 2
