"""What algorithms make of how trials ended."""

import math
from pathlib import Path
from typing import Any

import pytest

from engine.catalog import ALGORITHMS
from engine.protocol.reasons import Why
from engine.tuning.trial_ledger import PastTrial, TrialLedger
from tests.trial_ledgers import NUMBERS, RATE, SMOOTHING, SPACE, make_ledger, quality, rows, run_all


@pytest.mark.parametrize("algorithm", ["hyperopt", "optuna", "cmaes", "bohb"])
def test_an_algorithm_learns(algorithm: str, tmp_path: Path) -> None:
    tried = run_all(make_ledger(tmp_path, algorithm, trials=60, space=NUMBERS))
    by_chance = run_all(make_ledger(tmp_path, "random", trials=60, space=NUMBERS))
    late = [sum(value for _, value in one[-20:]) / 20 for one in (tried, by_chance)]
    assert late[0] > late[1] + 0.03


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_the_table_says_who_learns(algorithm: str, tmp_path: Path) -> None:
    def tried(sign: int) -> list[object]:
        ledger, found = make_ledger(tmp_path, algorithm), []
        while trial := ledger.next_trial():
            found.append(trial.params)
            ledger.end(trial.run, "finished", value=sign * quality(trial))
        return found

    assert (tried(1) != tried(-1)) == ALGORITHMS[algorithm].learns


@pytest.mark.parametrize("algorithm", ["hyperopt", "optuna", "cmaes", "bohb"])
def test_what_was_learned_before_counts(algorithm: str, tmp_path: Path) -> None:
    past = rows(run_all(make_ledger(tmp_path, algorithm, trials=60, space=NUMBERS)))
    after = run_all(make_ledger(tmp_path, algorithm, trials=80, space=NUMBERS, past=past))
    by_chance = run_all(make_ledger(tmp_path, "random", trials=20, space=NUMBERS))
    assert sum(value for _, value in after) / 20 > sum(value for _, value in by_chance) / 20 + 0.03


@pytest.mark.parametrize("trials", [5, 60])
def test_numbers_go_on_from_where_the_best_lay(trials: int, tmp_path: Path) -> None:
    space = {RATE: SPACE[RATE], "optimisation.weight_decay": {"log": [1e-5, 1e-1]}}

    def tried(num_trials: int, past: list[PastTrial]) -> list[PastTrial]:
        ledger, found = make_ledger(tmp_path, "cmaes", space=space, trials=num_trials, past=past), []
        for trial in iter(ledger.next_trial, None):
            rate, decay = (math.log10(trial.params[path]) for path in space)
            found.append(
                PastTrial(trial.run, trial.number, "finished", trial.params, -abs(rate + 1.2) - abs(decay + 4.6))
            )
            ledger.end(trial.run, "finished", value=found[-1].value)
        return found

    before = tried(trials, [])
    after = tried(trials + 20, before)
    assert len(after) == 20
    if trials > 5:
        assert sum(one.value or 0 for one in after) > sum(one.value or 0 for one in before[-20:]) - 2


@pytest.mark.parametrize("algorithm", ["optuna", "bohb"])
def test_trials_that_were_ended_early_teach_too(algorithm: str, tmp_path: Path) -> None:
    ledger, late = make_ledger(tmp_path, algorithm, trials=60, space=NUMBERS), []
    while trial := ledger.next_trial():
        late.append(quality(trial))
        is_good = late[-1] > 0.7
        for epoch in range(1, 4 if is_good else 2):
            ledger.report(trial.run, epoch, late[-1] * epoch / 3)
        ledger.end(trial.run, "finished" if is_good else "stopped", value=late[-1] * (1 if is_good else 1 / 3))
    assert sum(late[-20:]) > sum(late[:20])


def test_numbers_that_were_ended_early_teach_too(tmp_path: Path) -> None:
    late = []
    for seed in range(4):
        ledger, tried = make_ledger(tmp_path, "cmaes", trials=90, seed=seed, space=NUMBERS), list[float]()
        while trial := ledger.next_trial():
            tried.append(quality(trial))
            is_good = sum(tried[-1] < other for other in tried) < len(tried) / 3
            value = tried[-1] * (1 if is_good else 0.6)
            ledger.report(trial.run, 1, value)
            ledger.end(trial.run, "finished" if is_good else "stopped", value=value)
        late += tried[-20:]
    assert sum(late) / len(late) > 0.85


FAILS: dict[str, Any] = {"optimisation.batch_size": {"choices": [32, 64, 128, 512]}, RATE: SPACE[RATE]}  # 512: memory


def failures(ledger: TrialLedger, *, are_pruned: bool = False) -> int:
    """How many trials fail: about a quarter by chance."""
    failed = 0
    while trial := ledger.next_trial():
        if trial.spec.optimisation.batch_size == 512:
            failed += 1
            ledger.end(trial.run, "failed", why=Why("", "Out of memory."), cost=1.0)
        else:
            ledger.report(trial.run, 1, quality(trial))
            is_early = are_pruned and trial.number % 6 != 1
            ledger.end(trial.run, "stopped" if is_early else "finished", value=quality(trial), cost=1.0)
    return failed


@pytest.mark.parametrize("are_pruned", [False, True])
@pytest.mark.parametrize("algorithm", ["hyperopt", "optuna", "bohb"])
def test_an_algorithm_keeps_away_from_what_fails(algorithm: str, are_pruned: bool, tmp_path: Path) -> None:
    ledgers = [make_ledger(tmp_path, algorithm, space=FAILS, seed=seed, trials=60) for seed in range(3)]
    assert max(failures(ledger, are_pruned=are_pruned) for ledger in ledgers) <= 12


def test_two_goals_keep_away_from_what_fails(tmp_path: Path) -> None:
    assert failures(make_ledger(tmp_path, "optuna", space=FAILS, cost="epoch_s", trials=60)) <= 12


def test_numbers_keep_away_from_what_fails(tmp_path: Path) -> None:
    ledger, failed = make_ledger(tmp_path, "cmaes", space=NUMBERS, trials=80), []
    while trial := ledger.next_trial():
        failed.append(trial.spec.optimisation.learning_rate > 1e-2)
        ledger.end(
            trial.run, "failed" if failed[-1] else "finished", value=quality(trial), why=Why("", "The loss became NaN.")
        )
    assert sum(failed[-40:]) <= 4 < sum(failed[:40])


@pytest.mark.parametrize("algorithm", ["hyperopt", "optuna", "bohb"])
def test_failures_of_an_earlier_driver_are_known(algorithm: str, tmp_path: Path) -> None:
    past = []
    before = make_ledger(tmp_path, "random", space=FAILS, trials=30)
    for number, trial in enumerate(iter(before.next_trial, None), start=1):
        has_failed = trial.spec.optimisation.batch_size == 512
        ended = ("failed", None) if has_failed else ("finished", quality(trial))
        past.append(PastTrial(trial.run, number, ended[0], trial.params, ended[1], reason="Out of memory."))
    assert failures(make_ledger(tmp_path, algorithm, space=FAILS, past=past, trials=60)) <= 4


def test_a_field_that_was_added_is_learned(tmp_path: Path) -> None:
    """CMA-ES draws at random what any trial that it knows lacks."""
    before = rows(run_all(make_ledger(tmp_path, "cmaes", trials=20, space={RATE: SPACE[RATE]})))
    after = run_all(make_ledger(tmp_path, "cmaes", trials=90, past=before, space=NUMBERS))
    smoothing = [trial.params[SMOOTHING] for trial, _ in after]  # least is best
    assert sum(smoothing[-20:]) < 0.6 * sum(smoothing[:20])


def test_bohb_learns_from_trials_that_wait_for_their_round(tmp_path: Path) -> None:
    ledger, tried = make_ledger(tmp_path, "bohb", trials=60, space=NUMBERS), []
    while trial := ledger.next_trial():
        tried.append(quality(trial))
        ledger.report(trial.run, 1, tried[-1])
    random = make_ledger(tmp_path, "random", trials=60, space=NUMBERS)
    by_chance = [quality(trial) for trial in iter(random.next_trial, None)]
    assert sum(tried[-20:]) > sum(by_chance[-20:]) + 0.6


def test_two_goals_are_weighed(tmp_path: Path) -> None:
    ledger = make_ledger(tmp_path, "optuna", cost="epoch_s")
    while trial := ledger.next_trial():
        ledger.end(trial.run, "finished", value=quality(trial), cost=float(trial.spec.optimisation.batch_size))
    assert ledger.is_over
