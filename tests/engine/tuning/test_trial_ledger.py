"""The ledger hands out trials and takes their ends, with every algorithm and no training at all."""

from pathlib import Path
from typing import Any

import pytest

from engine.catalog import ALGORITHMS, SCHEDULERS
from engine.catalog.named import named
from engine.protocol.driver_requests import LEAVE, StopRequest, StopTrial, send
from engine.protocol.reasons import Reason, Why
from engine.training.failures import Diverged, explain
from engine.tuning.lifecycle import SearchLifecycle
from engine.tuning.samplers.sampler import Outcome, Params, Sampler
from engine.tuning.trial_ledger import PastTrial, TrialLedger
from tests.engine.digits_run import read_lines
from tests.trial_ledgers import RATE, SMOOTHING, SPACE, make_job, make_ledger, rows, run_all


@pytest.mark.parametrize("row", [*ALGORITHMS.values(), *SCHEDULERS.values()], ids=lambda row: row.label)
def test_every_row_names_what_makes_it_run(row: Any) -> None:
    assert callable(named(row.make))


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_trial_1_is_the_base_run_and_all_keep_to_the_space(algorithm: str, tmp_path: Path) -> None:
    ledger = make_ledger(tmp_path, algorithm)
    tried = [trial for trial, _ in run_all(ledger)]
    assert tried[0].params == ledger.spec.base
    assert tried[0].spec.model_dump(exclude={"name"}) == ledger.spec.run.model_dump(exclude={"name"})
    assert [trial.number for trial in tried] == list(range(1, len(tried) + 1))
    for trial in tried[1:]:
        for path, value in trial.params.items():
            one = ledger.spec.space[path]
            assert value in one.values if one.count else one.low <= value <= one.high
            assert type(value) in (int, float, str, tuple)  # nothing of NumPy's
        if "optimisation.optimizer" in ledger.spec.space:
            is_sgd = trial.params["optimisation.optimizer"] == "sgd"
            assert ("optimisation.momentum" in trial.params) == is_sgd
    assert ledger.is_over and len({trial.run for trial in tried}) == len(tried)
    assert len(tried) == (6 if algorithm == "grid" else 30)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_search_goes_on_where_it_was(algorithm: str, tmp_path: Path) -> None:
    before = run_all(make_ledger(tmp_path, algorithm))[:4]
    after = [trial for trial, _ in run_all(make_ledger(tmp_path, algorithm, past=rows(before)))]
    assert [trial.number for trial in after] == list(range(5, len(after) + 5))
    settings = [repr(sorted(trial.params.items())) for trial in [*(one for one, _ in before), *after]]
    assert len(set(settings)) == len(settings)


def test_unfinished_trials_come_first_with_their_own_settings(tmp_path: Path) -> None:
    half = PastTrial("abc", 2, "interrupted", {RATE: 0.02}, attempt=1)
    ledger = make_ledger(
        tmp_path, past=[PastTrial("xyz", 1, "finished", {RATE: 0.001}, 0.9), half], trials=3, space={RATE: SPACE[RATE]}
    )
    first = ledger.next_trial()
    assert first and (first.run, first.number, first.attempt) == ("abc", 2, 2)
    assert first.spec.optimisation.learning_rate == 0.02
    second = ledger.next_trial()
    assert second and second.number == 3 and ledger.next_trial() is None


def test_a_space_that_changed_leaves_out_what_it_knows_no_more(tmp_path: Path) -> None:
    for algorithm in ("hyperopt", "optuna", "bohb"):
        past = rows(run_all(make_ledger(tmp_path, algorithm, trials=6)))
        ledger = make_ledger(
            tmp_path, algorithm, past=past, space={"optimisation.weight_decay": {"log": [1e-5, 1e-1]}}, trials=9
        )
        assert [trial.number for trial, _ in run_all(ledger)] == [7, 8, 9]


def test_settings_that_do_not_go_together_are_a_failed_trial(tmp_path: Path) -> None:
    space = {"model.backbone": {"choices": ["small_cnn", "vit_b_16"]}}
    ledger = make_ledger(tmp_path, space=space, run={"data": {"image_size": 28}, "model": {"backbone": "small_cnn"}})
    run_all(ledger)
    failed = [line for line in read_lines(tmp_path) if line["kind"] == "trial_ended" and line["state"] == "failed"]
    assert failed and "vit_b_16 needs" in failed[0]["reason"]


def test_trials_that_all_fail_alike_end_the_search(tmp_path: Path) -> None:
    ledger = make_ledger(tmp_path)
    for number in range(1, 6):
        trial = ledger.next_trial()
        assert trial and ledger.failure is None
        ledger.end(trial.run, "failed", why=Why("", f"The loss became NaN at step {number}."))
    assert (
        ledger.failure
        and ledger.failure.reason == "All of its first 5 trials failed in the same way: The loss became NaN at step 1."
    )
    assert ledger.next_trial() is None and ledger.is_over


def test_failures_are_alike_by_their_fault(tmp_path: Path) -> None:
    ledger = make_ledger(tmp_path)
    for number in range(5):
        trial = ledger.next_trial()
        assert trial
        how = "infinite" if number % 2 else "NaN"
        failure = explain(Diverged(f"the loss became {how} at step {number}"))
        ledger.end(trial.run, "failed", why=failure)
    assert ledger.failure and ledger.failure.code == Reason.ALL_FAILED_ALIKE


def test_different_failures_end_it_with_the_last_trial(tmp_path: Path) -> None:
    ledger = make_ledger(tmp_path, trials=8)
    for number in range(1, 9):
        assert ledger.failure is None
        trial = ledger.next_trial()
        assert trial
        ledger.end(trial.run, "failed", why=Why("", "The loss became NaN." if number % 3 else "Out of memory."))
    assert (
        ledger.failure
        and ledger.failure.reason == "All of its first 8 trials failed, most of them so: The loss became NaN."
    )


def test_what_failed_before_is_past(tmp_path: Path) -> None:
    failed = [PastTrial(f"r{number}", number, "failed", {RATE: 0.5}, reason="Too fast.") for number in range(1, 6)]
    ledger = make_ledger(tmp_path, past=failed, trials=30)
    for number in range(6, 11):
        assert ledger.failure is None
        trial = ledger.next_trial()
        assert trial and trial.number == number
        ledger.end(trial.run, "failed", why=Why("", "Too fast."))
    assert ledger.failure
    lived = make_ledger(tmp_path, past=[*failed, PastTrial("r6", 6, "finished", {RATE: 0.01}, 0.9)], trials=30)
    for _ in range(6):
        trial = lived.next_trial()
        assert trial
        lived.end(trial.run, "failed", why=Why("", "Too fast."))
    assert lived.failure is None


def test_an_interruption_that_nobody_requested_ends_the_driver_alone(tmp_path: Path, no_signal_handlers: None) -> None:
    ledger = make_ledger(tmp_path, trials=3)
    job = make_job(tmp_path, ledger.spec)
    lifecycle, trial = SearchLifecycle(job, ledger), ledger.next_trial()
    assert trial and lifecycle.poll() is None
    ledger.end(trial.run, "interrupted", why=Why("", "The disk is full."))
    ending = lifecycle.poll()
    assert ending and (ending.state, ending.why and ending.why.reason) == ("interrupted", "The disk is full.")
    assert ending.stop_request.state == "interrupted"


def test_a_waiting_trial_remembers_that_its_user_stopped_it(tmp_path: Path, no_signal_handlers: None) -> None:
    past = [PastTrial(f"r{number}", number, "interrupted", {RATE: 0.01}, attempt=1) for number in (1, 2)]
    ledger = make_ledger(tmp_path, past=past, trials=2)
    job = make_job(tmp_path, ledger.spec)
    lifecycle = SearchLifecycle(job, ledger)
    send(tmp_path, StopTrial(run="r2"))
    assert lifecycle.poll() is None
    first, second = ledger.next_trial(), ledger.next_trial()
    assert first and second
    assert not (job.prepare_run(first) / LEAVE).exists()
    assert StopRequest.read(job.prepare_run(second) / LEAVE) == StopRequest.of(
        "stopped", Why.of(Reason.STOPPED_BY_USER)
    )


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_the_base_run_may_stand_between_the_steps(algorithm: str, tmp_path: Path) -> None:
    space = {
        "optimisation.batch_size": {"integers": [16, 64], "step": 16},
        SMOOTHING: {"uniform": [0, 0.2], "step": 0.1},
    }
    base = {"optimisation": {"batch_size": 40, "label_smoothing": 0.05}}
    ledger = make_ledger(tmp_path, algorithm, space=space, run=base)
    first = ledger.next_trial()
    assert first and first.spec.optimisation.batch_size == 40 and first.params[SMOOTHING] == 0.05
    ledger.end(first.run, "finished", value=0.5)
    for trial in iter(ledger.next_trial, None):
        assert trial.spec.optimisation.batch_size in (16, 32, 48, 64)
        ledger.end(trial.run, "finished", value=1 - trial.params[SMOOTHING])
    assert ledger.is_over


def test_a_grid_does_not_repeat_what_goes_on(tmp_path: Path) -> None:
    before = list(iter(make_ledger(tmp_path, "grid", trials=4).next_trial, None))
    past = [PastTrial(one.run, one.number, "interrupted", one.params) for one in before]
    after = list(iter(make_ledger(tmp_path, "grid", trials=6, past=past).next_trial, None))
    assert len({repr(one.params) for one in after}) == len(after) == 6


class RecordingSampler(Sampler):
    """Keeps the outcomes of trials."""

    def __init__(self) -> None:
        self.outcomes: dict[int, Outcome] = {}

    def suggest(self, number: int) -> Params:
        return {RATE: 0.01}

    def on_trial_complete(self, number: int, params: Params, outcome: Outcome) -> None:
        self.outcomes[number] = outcome


def recorded_outcomes(ledger: TrialLedger) -> dict[int, Outcome]:
    ledger._sampler = sampler = RecordingSampler()
    return sampler.outcomes


@pytest.mark.parametrize(("metric", "best"), [("val/accuracy", 0.9), ("val/loss", 0.4)])
def test_all_epochs_of_a_trial_count_whoever_trained_them(metric: str, best: float, tmp_path: Path) -> None:
    half = PastTrial("abc", 1, "interrupted", {RATE: 0.02}, value=best, history=[[1, 0.9], [2, 0.4]])
    ledger = make_ledger(tmp_path, past=[half], metric=metric, space={RATE: SPACE[RATE]})
    outcomes = recorded_outcomes(ledger)
    assert ledger.next_trial()
    ledger.report("abc", 3, 0.7)
    ledger.end("abc", "finished", value=0.7)
    assert outcomes == {1: Outcome("complete", (best,), {1: 0.9, 2: 0.4, 3: 0.7})}


def test_a_sampler_learns_how_a_trial_ended(tmp_path: Path) -> None:
    ledger = make_ledger(tmp_path)
    outcomes = recorded_outcomes(ledger)
    for state in ("finished", "stopped", "failed"):
        trial = ledger.next_trial()
        assert trial
        ledger.report(trial.run, 1, 0.5)
        ledger.end(trial.run, state, value=0.5, why=Why("", "Why."))
    trial = ledger.next_trial()
    assert trial
    ledger.end(trial.run, "stopped")  # before its first epoch was over
    assert [outcome.state for outcome in outcomes.values()] == ["complete", "pruned", "failed", "unknown"]


def test_the_number_of_trials_may_change_on_the_way(tmp_path: Path) -> None:
    ledger = make_ledger(tmp_path, trials=2)
    assert len(run_all(ledger)) == 2
    ledger.num_trials = 4
    assert not ledger.is_over and len(run_all(ledger)) == 2
