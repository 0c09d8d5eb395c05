"""What algorithms make of how trials ended."""

import math
from pathlib import Path
from typing import Any

import pytest

from engine.catalog import ALGORITHMS
from engine.tuning.trial_ledger import PastTrial, TrialLedger
from tests.asking import NUMBERS, RATE, SMOOTHING, SPACE, asking, quality, rows, run_all


@pytest.mark.parametrize("algorithm", ["hyperopt", "optuna", "cmaes", "bohb"])
def test_an_algorithm_learns(algorithm: str, tmp_path: Path) -> None:
    tried = run_all(asking(tmp_path, algorithm, trials=60, space=NUMBERS))
    by_chance = run_all(asking(tmp_path, "random", trials=60, space=NUMBERS))
    late = [sum(value for _, value in one[-20:]) / 20 for one in (tried, by_chance)]
    assert late[0] > late[1] + 0.03


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_the_table_says_who_learns(algorithm: str, tmp_path: Path) -> None:
    def tried(sign: int) -> list[object]:
        book, found = asking(tmp_path, algorithm), []
        while asked := book.ask():
            found.append(asked.assignment)
            book.tell(asked.run, "finished", value=sign * quality(asked))
        return found

    assert (tried(1) != tried(-1)) == ALGORITHMS[algorithm].learns


@pytest.mark.parametrize("algorithm", ["hyperopt", "optuna", "cmaes", "bohb"])
def test_what_was_learned_before_counts(algorithm: str, tmp_path: Path) -> None:
    known = rows(run_all(asking(tmp_path, algorithm, trials=60, space=NUMBERS)))
    after = run_all(asking(tmp_path, algorithm, trials=80, space=NUMBERS, known=known))
    by_chance = run_all(asking(tmp_path, "random", trials=20, space=NUMBERS))
    assert sum(value for _, value in after) / 20 > sum(value for _, value in by_chance) / 20 + 0.03


@pytest.mark.parametrize("trials", [5, 60])
def test_numbers_go_on_from_where_the_best_lay(trials: int, tmp_path: Path) -> None:
    space = {RATE: SPACE[RATE], "optimisation.weight_decay": {"log": [1e-5, 1e-1]}}

    def tried(wanted: int, known: list[PastTrial]) -> list[PastTrial]:
        book, found = asking(tmp_path, "cmaes", space=space, trials=wanted, known=known), []
        for asked in iter(book.ask, None):
            rate, decay = (math.log10(asked.assignment[path]) for path in space)
            found.append(
                PastTrial(asked.run, asked.number, "finished", asked.assignment, -abs(rate + 1.2) - abs(decay + 4.6))
            )
            book.tell(asked.run, "finished", value=found[-1].value)
        return found

    before = tried(trials, [])
    after = tried(trials + 20, before)
    assert len(after) == 20
    if trials > 5:
        assert sum(one.value or 0 for one in after) > sum(one.value or 0 for one in before[-20:]) - 2


@pytest.mark.parametrize("algorithm", ["optuna", "bohb"])
def test_trials_that_were_ended_early_teach_too(algorithm: str, tmp_path: Path) -> None:
    book, late = asking(tmp_path, algorithm, trials=60, space=NUMBERS), []
    while asked := book.ask():
        late.append(quality(asked))
        is_good = late[-1] > 0.7
        for epoch in range(1, 4 if is_good else 2):
            book.saw(asked.run, epoch, late[-1] * epoch / 3)
        book.tell(asked.run, "finished" if is_good else "stopped", value=late[-1] * (1 if is_good else 1 / 3))
    assert sum(late[-20:]) > sum(late[:20])


def test_numbers_that_were_ended_early_teach_too(tmp_path: Path) -> None:
    late = []
    for seed in range(4):
        book, tried = asking(tmp_path, "cmaes", trials=90, seed=seed, space=NUMBERS), list[float]()
        while asked := book.ask():
            tried.append(quality(asked))
            is_good = sum(tried[-1] < other for other in tried) < len(tried) / 3
            value = tried[-1] * (1 if is_good else 0.6)
            book.saw(asked.run, 1, value)
            book.tell(asked.run, "finished" if is_good else "stopped", value=value)
        late += tried[-20:]
    assert sum(late) / len(late) > 0.85


FAILS: dict[str, Any] = {"optimisation.batch_size": {"choices": [32, 64, 128, 512]}, RATE: SPACE[RATE]}  # 512: memory


def failures(book: TrialLedger, *, are_pruned: bool = False) -> int:
    """How many trials fail: about a quarter by chance."""
    failed = 0
    while asked := book.ask():
        if asked.spec.optimisation.batch_size == 512:
            failed += 1
            book.tell(asked.run, "failed", reason="Out of memory.", cost=1.0)
        else:
            book.saw(asked.run, 1, quality(asked))
            is_early = are_pruned and asked.number % 6 != 1
            book.tell(asked.run, "stopped" if is_early else "finished", value=quality(asked), cost=1.0)
    return failed


@pytest.mark.parametrize("are_pruned", [False, True])
@pytest.mark.parametrize("algorithm", ["hyperopt", "optuna", "bohb"])
def test_an_algorithm_keeps_away_from_what_fails(algorithm: str, are_pruned: bool, tmp_path: Path) -> None:
    books = [asking(tmp_path, algorithm, space=FAILS, seed=seed, trials=60) for seed in range(3)]
    assert max(failures(book, are_pruned=are_pruned) for book in books) <= 12


def test_two_goals_keep_away_from_what_fails(tmp_path: Path) -> None:
    assert failures(asking(tmp_path, "optuna", space=FAILS, cost="epoch_s", trials=60)) <= 12


def test_numbers_keep_away_from_what_fails(tmp_path: Path) -> None:
    book, failed = asking(tmp_path, "cmaes", space=NUMBERS, trials=80), []
    while asked := book.ask():
        failed.append(asked.spec.optimisation.learning_rate > 1e-2)
        book.tell(
            asked.run, "failed" if failed[-1] else "finished", value=quality(asked), reason="The loss became NaN."
        )
    assert sum(failed[-40:]) <= 4 < sum(failed[:40])


@pytest.mark.parametrize("algorithm", ["hyperopt", "optuna", "bohb"])
def test_failures_of_an_earlier_driver_are_known(algorithm: str, tmp_path: Path) -> None:
    known = []
    for number, asked in enumerate(iter(asking(tmp_path, "random", space=FAILS, trials=30).ask, None), start=1):
        has_failed = asked.spec.optimisation.batch_size == 512
        ended = ("failed", None) if has_failed else ("finished", quality(asked))
        known.append(PastTrial(asked.run, number, ended[0], asked.assignment, ended[1], reason="Out of memory."))
    assert failures(asking(tmp_path, algorithm, space=FAILS, known=known, trials=60)) <= 4


def test_a_field_that_was_added_is_learned(tmp_path: Path) -> None:
    """CMA-ES draws by chance what any trial that it was told of lacks."""
    before = rows(run_all(asking(tmp_path, "cmaes", trials=20, space={RATE: SPACE[RATE]})))
    after = run_all(asking(tmp_path, "cmaes", trials=90, known=before, space=NUMBERS))
    smoothing = [asked.assignment[SMOOTHING] for asked, _ in after]  # least is best
    assert sum(smoothing[-20:]) < 0.6 * sum(smoothing[:20])


def test_bohb_learns_from_trials_that_wait_for_their_round(tmp_path: Path) -> None:
    book, tried = asking(tmp_path, "bohb", trials=60, space=NUMBERS), []
    while asked := book.ask():
        tried.append(quality(asked))
        book.saw(asked.run, 1, tried[-1])
    by_chance = [quality(asked) for asked in iter(asking(tmp_path, "random", trials=60, space=NUMBERS).ask, None)]
    assert sum(tried[-20:]) > sum(by_chance[-20:]) + 0.6


def test_two_goals_are_weighed(tmp_path: Path) -> None:
    book = asking(tmp_path, "optuna", cost="epoch_s")
    while asked := book.ask():
        book.tell(asked.run, "finished", value=quality(asked), cost=float(asked.spec.optimisation.batch_size))
    assert book.is_over
