"""The commands for names, tags, notes and the archive, called as the command line calls them."""

import io
import json

import pytest

from engine.cli.main import main
from storage import RunState, Store


@pytest.fixture
def ids(store: Store) -> list[str]:
    return [store.runs.add(name=name, spec={}, dataset_id="digits", epochs=1).id for name in ("first", "second")]


def test_runs_are_tagged_renamed_noted_and_listed_by_tag(
    store: Store, ids: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert main(["tag", *ids, "--add", "발표", "--add", "paper"]) == 0
    assert main(["tag", "first", "--remove", "paper"]) == 0
    assert main(["rename", "first", "고양이"]) == 0
    monkeypatch.setattr("sys.stdin", io.StringIO("It *learns*.\n"))
    assert main(["note", "고양이", "-"]) == 0
    assert "고양이 (tags: 발표)" in capsys.readouterr().out
    assert main(["list", "--tag", "paper", "--json"]) == 0
    assert [one["name"] for one in json.loads(capsys.readouterr().out)] == ["second"]
    assert main(["list", "--find", "발표", "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert [one["tags"] for one in shown] == [["발표", "paper"], ["발표"]]
    assert shown[1]["notes"] == "It *learns*."
    assert main(["show", "고양이"]) == 0
    assert "It *learns*." in capsys.readouterr().out


def test_a_tag_that_was_not_there_is_told(ids: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["tag", "first", "--add", "paper"]) == 0
    assert main(["tag", *ids, "--remove", "Paper"]) == 0
    assert capsys.readouterr().err == ""
    assert main(["tag", *ids, "--remove", "nosuch"]) == 0
    assert capsys.readouterr().err == "There was no tag 'nosuch' to take off.\n"


@pytest.mark.parametrize("command", ["list", "searches"])
@pytest.mark.parametrize("bad", ["0", "-1", "few"])
def test_a_limit_is_a_number_of_rows(command: str, bad: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        main([command, "--limit", bad])
    assert left.value.code == 2
    assert f"must be a whole number of 1 or more, not '{bad}'" in capsys.readouterr().err


def test_archived_runs_are_listed_when_asked_for(
    store: Store, ids: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["archive", "first"]) == 2
    assert "archive it once it is over" in capsys.readouterr().err
    store.runs.move(ids[0], RunState.STOPPED)
    assert main(["archive", "first"]) == 0
    assert main(["list"]) == 0
    listed = capsys.readouterr().out
    assert "second" in listed and "first (archived)" in listed and listed.count("first") == 1  # told by archive alone
    assert main(["list", "--archived"]) == 0
    assert "first" in capsys.readouterr().out
    assert main(["archive", "first", "--off"]) == 0
    assert store.runs.get(ids[0]).archived_at is None


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (["tag", "first"], "--add TAG or --remove TAG"),
        (["tag", "first", "--add", "a,b"], "none of them a comma"),
        (["rename", "first", "second"], "the name of another run"),
        (["rename", "third", "x"], "There is no run 'third'"),
        (["list", "--tag", "nothing"], "No run is like that."),
    ],
    ids=str,
)
def test_bad_input_is_refused_with_what_is_allowed(
    ids: list[str], command: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(command) == (0 if command[0] == "list" else 2)
    captured = capsys.readouterr()
    assert words in captured.out + captured.err
