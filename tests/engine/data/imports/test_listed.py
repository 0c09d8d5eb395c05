"""A CSV of path,label[,split]: what it makes, and refusals that name the line."""

from pathlib import Path

import pytest

from engine.data.imports.listed import Listed
from engine.errors import Unfit
from tests.engine.data.imports.test_importer import imported
from tests.engine.pictures import digits, write_folder


def listed(folder: Path, *lines: str, encoding: str = "utf-8") -> Path:
    """A CSV beside real images in `folder`/pictures."""
    write_folder(folder / "pictures", digits())
    path = folder / "list.csv"
    path.write_bytes("\r\n".join(lines).encode(encoding))
    return path


def rows(*, split: bool = False) -> list[str]:
    """A line for every digit; one of each class judges, five teach."""
    lines = [(name, name[0], "validation" if name.endswith("-0.png") else "train") for name in digits()]
    return [",".join((f"pictures/{name}", f"digit {label}", part)[: 2 + split]) for name, label, part in lines]


def refusal(folder: Path, *lines: str) -> str:
    with pytest.raises(Unfit) as refused:
        Listed(listed(folder, *lines))
    assert refused.value.advice
    return refused.value.reason


@pytest.mark.parametrize("copy", [False, True])
def test_a_csv_becomes_a_data_set(tmp_path: Path, copy: bool) -> None:
    source_file = listed(tmp_path, "path,label", *rows())
    dataset, source = imported(tmp_path / "new", source_file, copy=copy)
    assert dataset.classes == tuple(f"digit {n}" for n in range(10))
    assert dataset.counts == {"all": dict.fromkeys(dataset.classes, 6)}
    assert source.ids == sorted(f"pictures/{name}" for name in digits())
    assert source.read(0).size == (8, 8)
    assert (tmp_path / "new/images").exists() == copy
    assert any("nothing was copied" in note for note in dataset.notes) != copy


def test_the_split_column_makes_parts_and_empty_is_train(tmp_path: Path) -> None:
    lines = [line.removesuffix("train") for line in rows(split=True)]
    dataset, _ = imported(tmp_path / "new", listed(tmp_path, "Path, Label ,SPLIT", *lines))
    assert {part: set(counts.values()) for part, counts in dataset.counts.items()} == {"train": {5}, "validation": {1}}


def test_columns_may_stand_anywhere_and_others_are_passed_over(tmp_path: Path) -> None:
    lines = [f"{n},{label},{path},some one" for n, (path, label) in enumerate(line.split(",") for line in rows())]
    dataset, _ = imported(tmp_path / "new", listed(tmp_path, "n,label,path,by", *lines))
    assert dataset.images == 60


def test_absolute_paths_and_backslashes_are_read(tmp_path: Path) -> None:
    lines = rows()
    lines[0] = f"{tmp_path}/{lines[0]}"
    lines[1] = lines[1].replace("/", "\\")
    dataset, source = imported(tmp_path / "new", listed(tmp_path, "path,label", *lines))
    assert (dataset.images, len(dataset.set_aside)) == (60, 0)
    assert all(source.read(index).size == (8, 8) for index in range(60))


@pytest.mark.parametrize("encoding", ["utf-8-sig", "cp949"])
def test_spreadsheets_on_korean_windows_are_read(tmp_path: Path, encoding: str) -> None:
    lines = [line.replace("digit 3", '"셋, 삼"') for line in rows()]
    dataset, _ = imported(tmp_path / "new", listed(tmp_path, "path,label", *lines, encoding=encoding))
    assert "셋, 삼" in dataset.classes


def test_files_that_are_missing_or_no_images_are_set_aside(tmp_path: Path) -> None:
    lines = [*rows(), "pictures/3/none.png,digit 3", "list.csv,digit 3"]
    dataset, _ = imported(tmp_path / "new", listed(tmp_path, "path,label", *lines))
    assert dataset.images == 60
    assert {one["path"] for one in dataset.set_aside} == {"pictures/3/none.png", "list.csv"}


def test_repeated_lines_count_once_and_are_told(tmp_path: Path) -> None:
    dataset, _ = imported(tmp_path / "new", listed(tmp_path, "path,label", *rows(), *rows()[:2]))
    assert dataset.images == 60
    assert "Listed more than once: 2 lines." in dataset.notes


def test_refusals_name_the_line_and_the_column(tmp_path: Path) -> None:
    head = "path,label,split"
    assert "first line of list.csv is file,class" in refusal(tmp_path, "file,class", "a.png,b")
    assert "is empty" in refusal(tmp_path)
    assert "lists no images" in refusal(tmp_path, head)
    assert refusal(tmp_path, head, "a.png,cat,train", "", "b.png,,train") == "Line 4 of list.csv has no label."
    assert refusal(tmp_path, head, ",cat,train") == "Line 2 of list.csv has no path."
    assert "Line 3 of list.csv: split 'later' is unknown" in refusal(tmp_path, head, "a,b,train", "c,d,later")
    assert "Lines 2 and 4" in refusal(tmp_path, head, "a.png,cat,", "b.png,cat,", "a.png,dog,")
    assert "Lines 2 and 3" in refusal(tmp_path, head, "a.png,cat,train", "a.png,cat,test")
    assert "Line 2 of list.csv is no CSV" in refusal(tmp_path, head, f"{'x' * 200_000},cat,")


def test_bytes_that_are_no_text_are_refused(tmp_path: Path) -> None:
    (tmp_path / "list.csv").write_bytes(b"path,label\n\xff\xff\xff,a")
    with pytest.raises(Unfit, match="no text in UTF-8"):
        Listed(tmp_path / "list.csv")
