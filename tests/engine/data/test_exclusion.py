"""Images taken out and back in, and what else the face tells of a data set, on an import of real digits."""

import json
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest

from engine import api
from engine.api.datasets import replaced_data
from engine.data.imports.importer import run
from engine.specs import RunSpec
from engine.training.preparation import prepare_data
from storage import Dataset, RunState, Store
from tests.engine.data.imports.test_importer import imported
from tests.engine.digits_run import Recorder
from tests.engine.pictures import Quiet, digits, write_zip

SPLIT = {"validation_fraction": 0.5, "test_fraction": 0.0, "split_seed": 0, "group_by": ""}


@pytest.fixture
def numbers(store: Store, tmp_path: Path) -> Dataset:
    """Sixty digits and a copy of one of them, as the supervisor registers an import."""
    source = write_zip(tmp_path / "a.zip", digits() | {"3/copy.png": digits()["3/3-0.png"]})
    dataset, _ = imported(store.home.dataset("numbers"), source)
    store.datasets.add(dataset := replace(dataset, path=str(store.home.dataset("numbers"))))
    return dataset


def test_excluded_images_are_not_counted_and_change_what_the_data_is(store: Store, numbers: Dataset) -> None:
    without = api.exclude_images(store, "numbers", ["3/copy.png", "4/4-0.png"])
    assert without == store.datasets.get("numbers")
    assert (numbers.images, without.images) == (61, 59)
    assert (without.counts["all"]["3"], without.counts["all"]["4"], without.counts["all"]["5"]) == (6, 5, 6)
    assert without.fingerprint != numbers.fingerprint
    assert without.source_fingerprint == numbers.source_fingerprint == numbers.fingerprint


def test_runs_know_the_images_theirs_were_chosen_from(store: Store, numbers: Dataset) -> None:
    def launched(name: str, *, is_trial: bool = False) -> str:
        run = store.runs.add(name=name, spec={}, dataset_id="numbers", epochs=1)
        now = store.datasets.get("numbers")
        store.runs.update(run.id, dataset_fingerprint=now.fingerprint)
        if not is_trial:
            folder = store.home.run(run.id)
            folder.mkdir(parents=True)
            (folder / "run.json").write_text(json.dumps({"dataset": asdict(now)}))
        return run.id

    ids = [launched("before")]
    api.exclude_images(store, "numbers", ["4/4-0.png"])
    ids += [launched("after"), launched("trial", is_trial=True)]
    assert [api.source_fingerprint(store, store.runs.get(one)) for one in ids] == [numbers.fingerprint] * 3
    api.exclude_images(store, "numbers", ["4/4-1.png"])
    assert api.source_fingerprint(store, store.runs.get(ids[1])) == numbers.fingerprint
    assert api.source_fingerprint(store, store.runs.get(ids[2])) is None


def test_only_which_images_are_out_matters(store: Store, numbers: Dataset) -> None:
    both = api.exclude_images(store, "numbers", ["3/copy.png", "4/4-0.png"])
    assert api.include_images(store, "numbers", ["3/copy.png"]).fingerprint != both.fingerprint
    assert api.exclude_images(store, "numbers", ["3/copy.png", "3/copy.png"]).fingerprint == both.fingerprint
    assert api.include_images(store, "numbers", both.excluded) == numbers


def test_no_class_loses_its_last_image(store: Store, numbers: Dataset) -> None:
    api.exclude_images(store, "numbers", [f"7/7-{k}.png" for k in range(5)])
    with pytest.raises(api.Refused, match="is the last one to learn 7 from"):
        api.exclude_images(store, "numbers", ["7/7-5.png"])
    assert store.datasets.get("numbers").counts["all"]["7"] == 1


def test_unknown_images_are_refused_and_nothing_is_changed(store: Store, numbers: Dataset) -> None:
    with pytest.raises(api.Refused, match="there is no such image in Numbers"):
        api.exclude_images(store, "numbers", ["3/copy.png", "3/none.png"])
    assert store.datasets.get("numbers") == numbers
    with pytest.raises(api.NotFound):
        api.exclude_images(store, "letters", ["a.png"])


def test_excluded_images_neither_teach_nor_judge(store: Store, numbers: Dataset, tmp_path: Path) -> None:
    spec = RunSpec.parse({"data": {"dataset": "numbers", "image_size": 8}, "model": {"backbone": "small_cnn"}})

    def used(dataset: Dataset) -> tuple[set[int], int]:
        made = prepare_data(json.loads(json.dumps(asdict(dataset))), spec, tmp_path / "cache", Recorder(), bool)
        return set(np.concatenate([made.parts.train, made.parts.validation]).tolist()), len(made.arrays.labels)

    place = sorted([*digits(), "3/copy.png"]).index("3/copy.png")
    assert used(numbers) == (set(range(61)), 61)
    assert used(api.exclude_images(store, "numbers", ["3/copy.png"])) == (set(range(61)) - {place}, 61)
    assert len(list((tmp_path / "cache/images").glob("*.npy"))) == 1  # decoded once for both


def test_the_split_that_is_shown_is_the_one_that_trains(store: Store, numbers: Dataset) -> None:
    api.exclude_images(store, "numbers", ["4/4-0.png", "4/4-1.png"])
    shown = api.dataset_split(store, "numbers", **SPLIT)
    assert {part: sum(counts.values()) for part, counts in shown.items()} == {"train": 29, "validation": 30}
    assert shown["train"]["4"] == shown["validation"]["4"] == 2
    grouped = api.dataset_split(store, "numbers", **SPLIT | {"group_by": r"[^/]+$"})
    assert sum(map(sum, (counts.values() for counts in grouped.values()))) == 59
    for wrong in ({"group_by": "("}, {"group_by": "^x"}, {"validation_fraction": 2.0}):
        with pytest.raises(api.Refused, match=f"data.{next(iter(wrong))}"):
            api.dataset_split(store, "numbers", **SPLIT | wrong)


def test_what_the_pages_show_of_images(store: Store, numbers: Dataset) -> None:
    api.exclude_images(store, "numbers", ["3/copy.png"])
    assert api.dataset_images(store, "numbers", "3") == [*(f"3/3-{k}.png" for k in range(6)), "3/copy.png"]
    assert api.dataset_image(store, "numbers", "3/copy.png").size == (8, 8)
    sizes = dict(api.dataset_files(store, "numbers"))
    assert sizes["3/copy.png"] == len(digits()["3/3-0.png"])
    assert set(api.dataset_thumbnails(store, "numbers", ["3/copy.png", "5/5-0.png"])) == {"3/copy.png"}
    scan = api.dataset_scan(store, "numbers")
    assert scan is not None
    assert [one.kind for one in scan.findings] == ["duplicate"]
    for wrong in (api.dataset_images, api.dataset_image):
        with pytest.raises(api.NotFound):
            wrong(store, "numbers", "none")


def test_a_second_scan_leaves_the_images_where_they_are(store: Store, numbers: Dataset, tmp_path: Path) -> None:
    (tmp_path / "again").mkdir()
    (tmp_path / "again/request.json").write_text(json.dumps({"dataset": asdict(numbers)}))
    run(tmp_path / "again", Quiet())  # type: ignore[arg-type]
    made = {path.name for path in (tmp_path / "again").iterdir()}
    assert made == {"dataset.json", "samples", "scan.json", "thumbnails"}


def test_a_data_set_without_a_scan_has_none(store: Store) -> None:
    assert api.dataset_scan(store, "digits") is None
    assert api.dataset_thumbnails(store, "digits", ["0000"]) == {}
    with pytest.raises(api.Unavailable, match="scan it"):
        api.exclude_images(store, "digits", ["0000"])


def test_a_users_own_words_are_kept(store: Store, numbers: Dataset) -> None:
    assert api.set_about(store, "numbers", "  From *my* desk.\n").about == "From *my* desk."
    assert store.datasets.get("numbers").about == "From *my* desk."
    with pytest.raises(api.Refused, match="at most 20,000 characters"):
        api.set_about(store, "numbers", "x" * 20_001)


def test_a_scan_is_asked_for_once(store: Store, numbers: Dataset) -> None:
    request = api.scan_dataset(store, "Numbers")
    assert (request.kind, request.target, request.payload["name"]) == ("scan_dataset", "numbers", "Numbers")
    with pytest.raises(api.Refused, match="scanned already"):
        api.scan_dataset(store, "numbers")


def test_what_cannot_be_fetched_or_added_is_refused_at_the_door(store: Store, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("a")
    refused = {
        "must be one of mnist": lambda: api.fetch_dataset(store, "digits"),
        "no such folder": lambda: api.fetch_dataset(store, "cifar10", folder=tmp_path / "none"),
        "is taken": lambda: api.fetch_dataset(store, "mnist", name="digits"),
        "or a .csv of path,label": lambda: api.add_dataset(store, "a", tmp_path / "notes.txt"),
        "no such folder or file": lambda: api.add_dataset(store, "a", tmp_path / "none.csv"),
    }
    for words, ask in refused.items():
        with pytest.raises(api.Refused, match=words):
            ask()
    assert store.requests.list() == []
    assert api.fetch_dataset(store, "mnist").target == "mnist"
    with pytest.raises(api.Refused, match="is taken"):
        api.fetch_dataset(store, "mnist")


def test_a_run_on_what_leaves_nothing_to_judge_by_is_refused(store: Store, numbers: Dataset) -> None:
    by_class: dict[str, list[str]] = {}
    for image_id in api.dataset_files(store, numbers.id):
        by_class.setdefault(image_id[0].rpartition("/")[0], []).append(image_id[0])
    api.exclude_images(store, numbers.id, [one for ids in by_class.values() for one in ids[1:]])
    spec = api.RunSpec.parse({"data": {"dataset": numbers.id}})
    assert "nothing to judge by" in str(api.check(store, spec)[0])


def test_a_run_whose_images_were_replaced_is_not_resumed(store: Store, numbers: Dataset) -> None:
    spec = api.RunSpec.parse({"data": {"dataset": numbers.id}})
    run = api.start_run(store, spec)
    store.runs.move(run.id, RunState.STOPPED)
    folder = store.home.run(run.id)
    folder.mkdir(parents=True)
    for fingerprint, problems in ((numbers.source_fingerprint, 0), ("another", 1)):
        (folder / "run.json").write_text(json.dumps({"dataset": {"source_fingerprint": fingerprint}}))
        assert len(replaced_data(store, store.runs.get(run.id))) == problems
    with pytest.raises(api.Refused, match="other images lie under this name"):
        api.resume(store, run.id)
