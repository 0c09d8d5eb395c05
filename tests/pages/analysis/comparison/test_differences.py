"""What sets runs apart, which of them are one group, and what is said of them."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from engine.api import Predictions
from pages.parts.analysis.comparison.differences import differences, every_setting, line_names, nothing_apart, setups
from pages.parts.analysis.comparison.group_values import PLAIN, painted
from pages.parts.analysis.comparison.groups import SEEDS, groups
from pages.parts.analysis.comparison.significance import sign_test
from pages.parts.analysis.comparison.summary import summary
from pages.parts.analysis.results.by_image import ByImage, by_image
from pages.parts.analysis.run_stats import common_metric
from pages.parts.compare.tables import _precise
from pages.parts.palette import LIGHT
from storage import Run, RunState
from tests.pages.compared_runs import SIX, compared, elsewhere, run


def grouped(runs: list[Run], by: str) -> list[Any]:
    return groups(runs, line_names(runs), differences(runs), by)


def said(runs: list[Run], by: str = "each", images: ByImage | None = None, **costs: Any) -> str:
    all_ = compared(runs, by, costs)
    return " ".join(summary(all_, all_.groups, PLAIN, images))


def test_only_what_differs_is_told_in_the_words_of_the_form() -> None:
    apart = {one.path: one.values for one in differences(SIX)}
    assert set(apart) == {"freeze.policy", "freeze.every_epochs", "seed"}
    assert apart["freeze.policy"][:2] == ("Head only", "Train everything")
    assert apart["freeze.every_epochs"] == ("–", "–", "–", "–", "2", "2")  # no run but a gradual one has a use for it
    assert differences([SIX[0], SIX[0]]) == []
    assert {"optimisation.learning_rate", "freeze.policy"} <= {one.path for one in every_setting(SIX)}
    labels = [one.label for one in every_setting(SIX)]
    assert len(set(labels)) == len(labels)  # no two rows are called alike


def test_numbers_that_are_alike_in_four_digits_are_told_in_as_many_as_it_takes() -> None:
    rates = [run(f"{place}", optimisation={"learning_rate": rate}) for place, rate in enumerate((0.0123411, 0.0123421))]
    (rate,) = [one for one in differences(rates) if one.path == "optimisation.learning_rate"]
    assert rate.values == ("0.012341", "0.012342")
    assert list(setups(rates, differences(rates)).values()) == [0, 1]
    assert _precise(rate) == "%.5g"
    (other,) = differences([run("a", optimisation={"learning_rate": one}) for one in (0.1, 0.123456)])
    assert (other.values, _precise(other)) == (("0.1", "0.1235"), "%.4g")


def test_runs_on_other_images_differ_though_their_data_sets_share_a_name() -> None:
    first, second = (replace(SIX[0], dataset_fingerprint=one) for one in ("aaaaaaaaaa", "bbbbbbbbbb"))
    assert [one.path for one in differences([first, second])] == ["data.fingerprint"]


def test_names_have_room_and_stand_for_one_run_each() -> None:
    long = "the very same beginning of two names that only differ in their last words, seed {}"
    names = line_names([run(long.format(0)), run(long.format(1))])
    assert names == ["the very same beginnin…t words, seed 0", "the very same beginnin…t words, seed 1"]
    assert line_names([replace(SIX[0], id="one"), replace(SIX[0], id="two")]) == [
        "head only, seed 0 (one)",
        "head only, seed 0 (two)",
    ]
    trials = [replace(run(f"search {number}"), search_id="s", trial=number) for number in (1, 2)]
    assert line_names(trials) == ["Trial 1", "Trial 2"]
    assert line_names([*trials, SIX[0]])[:2] == ["search 1", "search 2"]


def test_runs_that_differ_in_their_seed_alone_are_one_group_called_by_their_names() -> None:
    found = grouped(SIX, SEEDS)
    assert [(group.name, len(group.runs)) for group in found] == [
        ("head only", 2),
        ("from scratch", 2),
        ("gradual", 2),
    ]
    assert list(setups(SIX, differences(SIX)).values()) == [0, 1, 0, 1, 2, 2]


def test_an_imported_run_called_as_a_way_is_wears_a_name_of_its_own() -> None:
    imported = replace(run("head only", 0.5), spec={}, dataset_id="")
    names = [group.name for group in grouped([SIX[0], SIX[2], imported], SEEDS)]
    assert names == ["head only", "head only (imported)"]


def test_groups_whose_names_tell_nothing_are_called_by_the_fewest_settings() -> None:
    nameless = [replace(one, name="resnet") for one in SIX]
    assert {group.name for group in grouped(nameless, SEEDS)} == {"Head only", "Train everything", "Gradual unfreezing"}
    by_rate = [run("a", optimisation={"learning_rate": rate}) for rate in (0.1, 0.01)]
    assert {group.name for group in grouped(by_rate, SEEDS)} == {"Learning rate 0.1", "Learning rate 0.01"}


def test_any_setting_that_differs_makes_groups() -> None:
    assert [(group.name, len(group.runs)) for group in grouped(SIX, "seed")] == [("Seed 0", 3), ("Seed 1", 3)]
    assert [group.key for group in grouped(SIX, "each")] == [one.id for one in SIX]
    assert len(grouped(SIX, "gone.setting")) == 6


def test_two_runs_are_told_with_their_gap_their_costs_and_how_sure_that_is() -> None:
    head, scratch = SIX[0], replace(SIX[1], ended_at=120.0)
    costs = {head.id: {"memory_mb": 800.0, "memory_of": "GPU"}, scratch.id: {"memory_mb": 500.0, "memory_of": "GPU"}}
    assert said([scratch, head], **costs) == (
        "head only, seed 0 beats from scratch, seed 0 by 10.0 points: 80.0% against 70.0%. "
        "It takes 1.6× the memory and 2.0× the time. "
        "One run each does not tell skill from luck: train both with a few seeds to be sure."
    )


def test_costs_are_compared_only_where_they_can_be() -> None:
    head, scratch = SIX[0], replace(SIX[1], device="cuda:0")
    costs = {head.id: {"memory_mb": 800.0, "memory_of": "GPU"}, scratch.id: {"memory_mb": 9.0, "memory_of": "process"}}
    told = said([head, scratch], **costs)
    assert "memory" not in told
    assert "time" not in told


def test_groups_say_whether_their_runs_overlap() -> None:
    told = said(SIX, SEEDS)
    assert told.startswith("head only is best of 3: 82.0% on average of 2 runs (80.0% to 84.0%), and gradual does as")
    assert "Single runs of it and of gradual overlap: more seeds would tell." in told
    apart = said([SIX[0], SIX[1], SIX[2], SIX[3]], SEEDS)
    assert (
        "Each of its 2 runs does better than each of from scratch, as luck alone would have it in 1 of 3 cases."
        in apart
    )
    four = [
        replace(SIX[place], id=f"{place}{seed}", spec=SIX[place].spec | {"seed": seed})
        for place in (0, 1)
        for seed in range(4)
    ]
    assert said(four, SEEDS).endswith("Each of its 4 runs does better than each of from scratch.")
    assert said(SIX[:3], SEEDS).endswith(
        "A single run of from scratch does not tell skill from luck: train it with a few seeds to be sure."
    )


def test_a_gap_between_seeds_is_called_luck() -> None:
    assert said([SIX[0], SIX[2]]).endswith("what lies between them is luck.")
    told = said([SIX[0], replace(SIX[2], best_value=0.82), SIX[1], SIX[3]])
    assert told.endswith("The best that is set up otherwise is from scratch, seed 1, 10.0 points behind: 72.0%.")


def test_many_runs_are_told_with_what_is_nearly_as_good_for_less() -> None:
    quick = replace(run("quick", 0.898, optimisation={"learning_rate": 0.02}), ended_at=84.0)
    runs = [run("best", 0.90, optimisation={"learning_rate": 0.1}), quick, *SIX[1:4]]
    told = said(runs)
    assert told.startswith(
        "best is best of 5: 90.0%, 0.2 points better than quick, and 6.0 points better than the median."
    )
    assert "Within a point of it: quick (89.8%) for 0.2× the time." in told


def test_lower_losses_are_better() -> None:
    losses = [replace(run(name, value), metric="val/loss") for name, value in (("a", 0.5), ("b", 0.25))]
    assert said(losses).startswith("b beats a by 0.25: 0.25 against 0.5.")


def test_other_images_are_no_contest_and_other_splits_a_caution() -> None:
    assert said([SIX[0], elsewhere(SIX[1])]).startswith("They were judged by different images")
    other = run("other split", 0.6, data={"dataset": "digits", "split_seed": 5})
    assert "Their splits differ" in said([SIX[0], other])


def test_of_runs_of_other_programs_nothing_is_claimed() -> None:
    foreign = [replace(SIX[place], spec={}, dataset_id="") for place in (0, 2)]
    told = said(foreign)
    assert "is luck" not in told
    assert "It is not known whether the same images judged them." in told
    assert "splits" not in said([SIX[0], foreign[1]])
    assert len(set(setups(foreign, differences(foreign)).values())) == 2
    assert [group.name for group in grouped([*foreign, SIX[4]], SEEDS)][1:] == line_names(foreign)
    assert "not known" in nothing_apart(foreign)
    assert "alike" in nothing_apart(SIX[:1])


def test_images_that_were_excluded_in_between_do_not_make_others_of_the_rest() -> None:
    before, after = replace(SIX[0], dataset_fingerprint="a"), replace(SIX[1], dataset_fingerprint="b")
    all_ = compared([before, after])

    def told(images: ByImage | None = None, **sources: str | None) -> str:
        known = replace(all_, sources={before.id: "a", **sources})
        return " ".join(summary(known, all_.groups, PLAIN, images))

    apart = "Images were excluded in between, so the higher value need not be the better run: head only, seed 0 80.0%"
    assert told(**{after.id: "a"}).startswith(apart)
    shared = ByImage(855, are_all=False, right=464, gained=0, lost=0, classes=())
    assert "Of the 855 images that judged both, head only, seed 0 gets 464 right and from scratch, seed 0 464" in told(
        shared, **{after.id: "a"}
    )
    assert told(**{after.id: None}).startswith("They were judged by different images")
    same = ByImage(9, are_all=True, right=8, gained=3, lost=1, classes=())
    assert "beats" in told(same, **{after.id: "a"})  # only what others learn from was excluded
    assert "beats" not in told(
        same, **{after.id: None}
    )  # images of a data set that was replaced may bear the same names


def test_what_has_no_value_is_not_kept_quiet() -> None:
    failed = replace(run("broken"), state=RunState.FAILED)
    going = replace(run("going", 0.5), state=RunState.RUNNING, ended_at=None)
    told = said([SIX[0], SIX[1], failed, going])
    assert told.endswith("1 run is not over yet and 1 run ended without a value.")
    assert said([failed, SIX[0]]) == "Only head only, seed 0 has a value: 80.0%. 1 run ended without a value."
    assert said([failed]) == said(SIX[:1]) == ""


@pytest.mark.parametrize("state", [RunState.STOPPED, RunState.RUNNING])
def test_a_run_that_was_cut_short_is_not_judged_as_if_it_had_ended(state: RunState) -> None:
    cut = replace(SIX[2], best_value=0.2, state=state)
    told = said([SIX[0], cut])
    assert "Not all of them ran to their end" in told
    assert "luck" not in told
    assert "time" not in told
    assert said([SIX[0], cut, SIX[1], SIX[3]], SEEDS).startswith(
        "head only beats from scratch by 9.0 points: 80.0% against"
    )


def test_those_that_do_as_well_as_the_second_are_counted() -> None:
    ways = [
        run(f"way {rate}", value, optimisation={"learning_rate": rate})
        for rate, value in ((1, 0.9), (2, 0.8), (3, 0.8))
    ]
    assert said(ways).startswith("way 1 is best of 3: 90.0%, 10.0 points better than way 2 and 1 more.")
    assert said([*ways[1:], run("worse", 0.1)]).startswith("way 2 is best of 3: 80.0%, and way 3 does as well.")


def test_names_are_set_beside_their_colours_and_shown_letter_for_letter() -> None:
    hostile = run("<script>alert(1)</script>", 0.9)
    all_ = compared([hostile, SIX[1]])
    told = " ".join(summary(all_, all_.groups, painted({hostile.name: "#112233"}, LIGHT)))
    assert "&lt;script&gt;" in told
    assert "<script>" not in told
    assert "#112233" in told


def test_runs_of_different_metrics_are_judged_by_accuracy() -> None:
    assert common_metric([SIX[0], replace(SIX[1], metric="val/loss")]) == "val/accuracy"
    assert common_metric([replace(SIX[1], metric="val/loss")]) == "val/loss"


def predictions(right: list[bool], labels: list[int], ids: tuple[str, ...] = ()) -> Predictions:
    count, wrong = len(labels), ~np.asarray(right)
    guess = np.asarray(labels) ^ wrong
    return Predictions(
        run="r",
        epoch=1,
        dataset="digits",
        part="validation",
        classes=("cat", "dog"),
        ids=ids or tuple(f"{place}" for place in range(count)),
        labels=np.asarray(labels),
        guesses=np.stack([guess, 1 - guess], axis=1),
        shares=np.zeros((count, 2), dtype=np.float32),
        of_label=np.zeros(count, dtype=np.float32),
        rank=wrong.astype(np.int64),
    )


def test_images_are_matched_by_their_ids_whatever_their_order() -> None:
    first = predictions([True, True, False, True], [0, 0, 1, 1])
    second = predictions([True, True, False, False], [1, 1, 0, 0], ids=("3", "2", "1", "0"))
    found = by_image(first, second)
    assert found == ByImage(4, are_all=True, right=3, gained=2, lost=1, classes=(("cat", 2, 0), ("dog", 0, 1)))
    assert by_image(first, None) is None
    assert by_image(first, predictions([True], [0], ids=("else",))) is None
    assert by_image(first, replace(second, dataset="retouched")) is None, "images of others may bear the same names"
    relabelled = by_image(first, replace(second, labels=np.asarray([1, 1, 0, 1])))
    assert relabelled is not None and (relabelled.images, relabelled.are_all) == (3, False)


def test_classes_that_made_the_difference_are_named_with_the_chance_of_it() -> None:
    images = ByImage(
        100, are_all=True, right=80, gained=12, lost=2, classes=(("cat", 9, 0), ("dog", 2, 1), ("owl", 1, 1))
    )
    told = said([SIX[0], SIX[1]], images=images)
    assert "against 70.0%, mostly on cat." in told
    assert (
        "Of 100 images it gets 12 right that the other gets wrong, and 2 the other way round: a split as uneven comes"
        in told
    )
    assert "in 1 of 100 cases" in told
    assert "splits differ" not in said([SIX[0], run("other split", 0.6, data={"split_seed": 5})], images=images)
    assert "Of 100 images both get the same right." in said([SIX[0], SIX[1]], images=replace(images, gained=0, lost=0))
    assert "Of 100 images" not in said([SIX[0], SIX[2]], images=images), "between seeds it would seem more than luck"
    even = ByImage(
        100, are_all=True, right=90, gained=30, lost=0, classes=tuple((f"class {place}", 1, 0) for place in range(30))
    )
    assert "mostly" not in said([SIX[0], SIX[1]], images=even)
    assert "mostly" not in said([SIX[0], SIX[1]], images=replace(images, lost=12))


@pytest.mark.parametrize(
    ("gained", "lost", "chance"),
    [(0, 0, 1.0), (1, 0, 1.0), (6, 0, 2 / 64), (5, 5, 1.0), (500_000, 500_000, 1.0), (50_000, 40_000, 0.0)],
)
def test_the_sign_test_counts_as_many_splits_as_there_are(gained: int, lost: int, chance: float) -> None:
    assert sign_test(gained, lost) == pytest.approx(chance)
