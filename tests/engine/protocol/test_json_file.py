import json
from pathlib import Path

import pytest

from engine.protocol import json_file
from engine.protocol.json_file import write_json


@pytest.mark.parametrize("durable", [True, False])
def test_a_file_is_replaced_whole_and_nothing_else_is_left(tmp_path: Path, durable: bool) -> None:
    path = tmp_path / "run.json"
    for value in ({"class": "Bär"}, {"class": "\udcff"}):  # the second as Python reads a name that is no valid Unicode
        write_json(path, value, durable=durable)
        assert json.loads(path.read_text(encoding="utf-8")) == value
    assert list(tmp_path.iterdir()) == [path]


def test_what_cannot_be_written_leaves_what_was_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "run.json"
    write_json(path, 1)

    def fail(_: int) -> None:
        raise OSError("the disk is full")

    monkeypatch.setattr(json_file.os, "fsync", fail)
    with pytest.raises(OSError, match="full"):
        write_json(path, 2)
    assert path.read_text() == "1" and list(tmp_path.iterdir()) == [path]
