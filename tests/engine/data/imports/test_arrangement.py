"""Folders become classes and parts; what cannot be learned from is refused with the classes' names."""

import pytest

from engine.data.imports.arrangement import arrange, check_classes, count
from engine.errors import Unfit


def arranged(*files: str, folders: tuple[str, ...] = ()) -> tuple[dict[str, tuple[str, str]], list[str]]:
    """id -> (part, class) of every image, and the remarks."""
    found = arrange(list(files), folders)
    notes = found.notes + check_classes(count(found.places, found.folders))
    return {one.id: (one.split, one.name) for one in found.places}, notes


def refusal(*files: str, folders: tuple[str, ...] = ()) -> str:
    with pytest.raises(Unfit) as refused:
        arranged(*files, folders=folders)
    assert refused.value.advice
    return refused.value.reason


FLAT = ("cat/1.png", "cat/2.JPG", "dog/1.png", "dog/2.webp")
FLAT_PLACES = {"cat/1.png": ("", "cat"), "cat/2.JPG": ("", "cat"), "dog/1.png": ("", "dog"), "dog/2.webp": ("", "dog")}


@pytest.mark.parametrize("around", ["", "pets/", "data/pets/v2/"])
def test_class_folders_with_any_folders_around(around: str) -> None:
    assert arranged(*(around + path for path in FLAT)) == (FLAT_PLACES, [])


@pytest.mark.parametrize("around", ["", "cifar/"])
@pytest.mark.parametrize("judging", ["validation", "val", "Valid"])
@pytest.mark.parametrize("train", ["train", "Training", "TRAIN"])
def test_parts_in_their_usual_names(around: str, train: str, judging: str) -> None:
    files = [f"{around}{top}/{name}/1.png" for top in (train, judging, "test") for name in ("cat", "dog")]
    places, notes = arranged(*files)
    assert sorted(places.values()) == [
        (part, name) for part in ("test", "train", "validation") for name in ("cat", "dog")
    ]
    assert notes == []


def test_train_alone_is_a_part() -> None:
    places, _ = arranged("train/cat/1.png", "train/cat/2.png", "train/dog/1.png", "train/dog/2.png")
    assert set(places.values()) == {("train", "cat"), ("train", "dog")}


def test_train_among_other_names_is_a_class() -> None:
    places, _ = arranged("train/1.png", "train/2.png", "plane/1.png", "plane/2.png")
    assert set(places.values()) == {("", "train"), ("", "plane")}


def test_folders_beside_the_parts_are_left_out() -> None:
    files = [f"{part}/{name}/1.png" for part in ("train", "val") for name in ("cat", "dog")]
    places, notes = arranged(*files, "figures/deep/1.png")
    assert len(places) == 4
    assert any("'figures'" in note for note in notes)


def test_folders_inside_a_class_belong_to_it() -> None:
    places, _ = arranged("cat/a/1.png", "cat/b/2.png", "dog/1.png", "dog/x/y/2.png")
    assert set(places.values()) == {("", "cat"), ("", "dog")}


def test_hidden_files_and_system_litter_are_not_seen() -> None:
    litter = ("__MACOSX/cat/._1.png", "cat/.hidden.png", "cat/Thumbs.db", ".git/x.png", "dog/desktop.ini")
    assert arranged(*FLAT, *litter, folders=("__MACOSX", ".git")) == (FLAT_PLACES, [])


def test_what_is_left_out_is_told() -> None:
    places, notes = arranged(*FLAT, "cover.png", "cat/notes.txt", "cat/labels.csv", "README.md")
    assert places == FLAT_PLACES
    assert notes == [
        "Left out: 1 image outside of class folders.",
        "Left out: 2 files in class folders, of other kinds than images.",
    ]


def test_ids_ascend() -> None:
    assert list(arranged("b/2.png", "b/1.png", "a/2.png", "a/1.png")[0]) == ["a/1.png", "a/2.png", "b/1.png", "b/2.png"]


def test_classes_that_are_never_judged_are_told() -> None:
    _, notes = arranged("train/cat/1.png", "train/dog/1.png", "train/owl/1.png", "val/cat/1.png", "val/dog/1.png")
    assert notes == ["Learned but never judged, as validation has no image of them: 'owl'."]
    _, notes = arranged("cat/1.png", "cat/2.png", "owl/1.png")
    assert notes == ["Learned but never judged, as there is only one image of each: 'owl'."]


def test_a_single_image_of_every_class_leaves_none_to_judge_by() -> None:
    assert "single image" in refusal("cat/1.png", "dog/1.png")


def test_twins_by_case_are_told() -> None:
    _, notes = arranged("Cat/1.png", "Cat/2.png", "cat/1.png", "cat/2.png")
    assert notes == ["Kept as different classes though only their case differs: 'Cat', 'cat'."]


def test_nothing_to_learn_from() -> None:
    assert "no images" in refusal("a.txt", "cat/b.csv")
    assert "no images" in refusal()
    assert "class folders" in refusal("1.png", "2.png")
    assert "class folders" in refusal("train/1.png", "test/1.png")


def test_a_single_class_is_named() -> None:
    assert "only one class, 'cat'" in refusal("cat/1.png", "cat/2.png")
    assert "only one class, 'cat'" in refusal("pets/cat/1.png")
    assert "only one class, 'cat'" in refusal("train/cat/1.png", "val/cat/1.png")
    assert "only one class, 'cat'" in refusal("cat/1.png", "cat/more/2.png")


def test_empty_classes_are_named() -> None:
    reason = refusal(*FLAT, folders=("cat", "dog", "owl", "fox"))
    assert "'fox', 'owl'" in reason
    assert "'notes'" in refusal(*FLAT, "notes/a.txt", folders=("notes",))
    assert "'owl'" in refusal(*(f"pets/{path}" for path in FLAT), folders=("pets", "pets/owl"))


def test_classes_without_training_images_are_named() -> None:
    files = ("train/cat/1.png", "train/dog/1.png", "val/cat/1.png", "val/owl/1.png")
    assert "in train for class 'owl'" in refusal(*files)
    assert "none in train" in refusal("val/cat/1.png", "val/dog/1.png", "test/cat/1.png")
