"""Whatever is written is read as it was; what the code before wrote is read; what is damaged harms nobody."""

import json
import math
import types
from collections.abc import Sequence
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any, Union, get_args, get_origin, get_type_hints

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.protocol.driver_requests import DRIVER_REQUESTS, DriverRequest, Inbox, StopRequest, send
from engine.protocol.json_lines import EVENTS, JsonLines, Line, Unknown, parse_line, read_lines
from engine.protocol.manifest import FileEntry, Manifest
from engine.protocol.rank_endings import clear_endings, read_ending, write_ending
from engine.protocol.run_file import RUN_FILE, RunFile, copy_dataset, read_dataset
from engine.protocol.run_lines import RUN_LINES, Ended, Message, has_ended, read_run_lines
from engine.protocol.search_file import SEARCH_FILE, SearchFile, TrialRecord
from engine.protocol.search_lines import SEARCH_LINES, read_search_lines
from engine.protocol.serialization import Malformed, from_json, is_required, key_of, to_json

OLD = Path(__file__).parent / "old"
LINES: dict[str, type[Line]] = {
    **{f"run {kind}": one for kind, one in RUN_LINES.items()},
    **{f"search {kind}": one for kind, one in SEARCH_LINES.items()},
    **{f"request {kind}": one for kind, one in DRIVER_REQUESTS.items()},
}
RECORDS: list[type[Any]] = [RunFile, SearchFile, TrialRecord, Manifest, FileEntry, StopRequest]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
NUMBERS = st.floats(allow_nan=False, allow_infinity=False)
VALUES: dict[Any, st.SearchStrategy[Any]] = {
    str: TEXT,
    int: st.integers(0, 2**62 - 1),
    float: NUMBERS,
    bool: st.booleans(),
    types.NoneType: st.none(),
    Any: st.none() | TEXT | NUMBERS | st.lists(TEXT, max_size=2),
}


def values_of(hint: Any) -> st.SearchStrategy[Any]:
    """Values that a field of this type may have."""
    origin, inner = get_origin(hint), get_args(hint)
    if hint in VALUES:
        return VALUES[hint]
    if is_dataclass(hint):
        return made(hint)
    if origin in (Union, types.UnionType):
        return st.one_of(*map(values_of, inner))
    if origin is dict:
        return st.dictionaries(TEXT, values_of(inner[1]), max_size=3)
    if inner[-1] is ...:
        return st.lists(values_of(inner[0]), max_size=3).map(tuple)
    return st.tuples(*map(values_of, inner))


def made(kind: type[Any]) -> st.SearchStrategy[Any]:
    return st.builds(kind, **{name: values_of(hint) for name, hint in get_type_hints(kind).items() if name != "kind"})


@pytest.mark.parametrize("name", LINES)
def test_every_kind_of_line_is_read_as_it_was_written(name: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    path, kind = tmp_path_factory.mktemp("lines") / EVENTS, LINES[name]

    @given(st.lists(made(kind), min_size=1, max_size=5))
    def reads_what_it_wrote(written: list[Line]) -> None:
        path.unlink(missing_ok=True)
        lines = JsonLines(path)
        for one in written:
            lines.write(one)
        lines.close()
        found = list(read_lines(path, {kind.kind: kind}))
        assert [line for line, _ in found] == written
        assert found[-1][1] == path.stat().st_size

    reads_what_it_wrote()


@pytest.mark.parametrize("kind", RECORDS, ids=lambda kind: kind.__name__)
def test_every_file_is_read_as_it_was_written(kind: type[Any]) -> None:
    @given(made(kind))
    def reads_what_it_wrote(record: Any) -> None:
        assert from_json(kind, json.loads(json.dumps(to_json(record)))) == record

    reads_what_it_wrote()


@pytest.mark.parametrize("kind", [*LINES.values(), *RECORDS], ids=lambda kind: kind.__module__ + kind.__name__)
def test_what_is_no_record_is_refused_and_nothing_else_happens(kind: type[Any]) -> None:
    keys = [key_of(one) for one in fields(kind)]

    @given(JSON | st.dictionaries(st.sampled_from(keys) if keys else TEXT, JSON))
    def reads_or_refuses(values: Any) -> None:
        try:
            record = from_json(kind, values)
        except Malformed:
            return
        assert isinstance(record, kind)

    reads_or_refuses()


@given(st.binary(), st.booleans())
def test_no_line_can_harm_its_reader(raw: bytes, is_json: bool) -> None:
    assert parse_line(raw, RUN_LINES) is None or json.loads(raw)["kind"]


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"null",
        b"[" * 100_000,
        b'{"kind": {}}',
        b'{"kind": "message", "at": "now", "level": "info", "text": ""}',
        b'{"kind": "message", "level": "info", "text": "\\ud800"}',
        b'{"kind": "message", "level": "info"}',
        b'{"kind": "metrics", "step": 1.5, "epoch": 1, "values": {}}',
        b'{"kind": "metrics", "step": -1, "epoch": 1, "values": {}}',
        b'{"kind": "metrics", "step": 1, "epoch": 1, "values": {"a": "b"}}',
        b'{"kind": "metrics", "step": 1, "epoch": 1, "values": {"a": 1' + b"0" * 400 + b"}}",
        b'{"kind": "checkpoint_deleted", "path": ["a"]}',
    ],
)
def test_damaged_lines_are_none(raw: bytes) -> None:
    assert parse_line(raw, RUN_LINES) is None


def test_newer_writers_are_read() -> None:
    line = parse_line(b'{"kind": "message", "at": 1, "level": "info", "text": "a", "later": {"b": 1}}', RUN_LINES)
    assert line == Message(at=1.0, level="info", text="a")
    assert isinstance(parse_line(b'{"kind": "later", "at": 1, "anything": []}', RUN_LINES), Unknown)


def test_a_line_without_its_end_waits(tmp_path: Path) -> None:
    whole = b'{"kind": "stop", "at": 1}\n'
    (tmp_path / EVENTS).write_bytes(whole + whole[:9])
    found = list(read_lines(tmp_path / EVENTS, DRIVER_REQUESTS))
    assert [end for _, end in found] == [len(whole)]
    assert list(read_lines(tmp_path / EVENTS, DRIVER_REQUESTS, len(whole))) == []
    assert list(read_lines(tmp_path / "none", DRIVER_REQUESTS)) == []


def test_an_ending_is_seen_at_the_end_alone(tmp_path: Path) -> None:
    assert not has_ended(tmp_path)
    lines = JsonLines.events(tmp_path)
    lines.write(Ended(state="stopped", reason=None, advice=None, detail="x" * 70_000))
    lines.flush()
    assert not has_ended(tmp_path), "longer than what is read of it"
    lines.write(Ended(state="stopped", reason=None, advice=None, detail=None))
    lines.flush()
    assert has_ended(tmp_path)
    lines.write(Message(level="info", text="again"))
    lines.close()
    assert not has_ended(tmp_path)


def test_requests_reach_a_driver_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.protocol.driver_requests.POLL_S", 0.0)
    inbox = Inbox(tmp_path)
    assert list(inbox.new_requests()) == []
    sent: list[DriverRequest] = []
    for kind in DRIVER_REQUESTS.values():
        sent.append(from_json(kind, {"at": 1, "run": "r1", "trials": 5}))
        send(tmp_path, sent[-1])
        with (tmp_path / "control.jsonl").open("a") as file:
            file.write('{"kind": "later"}\nnonsense\n')
        assert list(inbox.new_requests()) == sent[-1:]
    assert list(inbox.new_requests()) == []


def test_a_stop_request_may_put_aside(tmp_path: Path) -> None:
    for request in (StopRequest(), StopRequest(None), StopRequest("interrupted", "Paused.")):
        request.write(tmp_path / "leave.json")
        assert StopRequest.read(tmp_path / "leave.json") == request
    (tmp_path / "leave.json").write_text("{")
    assert StopRequest.read(tmp_path / "leave.json") is None


def test_ranks_leave_their_endings(tmp_path: Path) -> None:
    ending = Ended(at=1.0, state="failed", reason="A.", advice=None, detail="B", code="memory")
    write_ending(tmp_path, 1, ending)
    assert (read_ending(tmp_path, 0), read_ending(tmp_path, 1)) == (None, ending)
    clear_endings(tmp_path)
    assert read_ending(tmp_path, 1) is None


def test_a_changed_manifest_is_refused(tmp_path: Path) -> None:
    manifest = Manifest.read(OLD)
    manifest.write(tmp_path)
    assert Manifest.read(tmp_path) == manifest
    text = (tmp_path / "manifest.json").read_text()
    for changed in (text.replace('"epoch": ', '"epoch": 1'), "[]", "{}", text[:50]):
        (tmp_path / "manifest.json").write_text(changed)
        with pytest.raises(Malformed):
            Manifest.read(tmp_path)


def test_a_run_takes_over_what_its_parent_was_launched_with(tmp_path: Path) -> None:
    assert read_dataset(tmp_path / RUN_FILE) is None
    copy_dataset(OLD, tmp_path)
    assert read_dataset(tmp_path / RUN_FILE) == RunFile.read(OLD).dataset
    with pytest.raises(Malformed):
        RunFile.read(tmp_path)


class TestOldFiles:
    """Files of a home that the code before these types made (a run, a search of heads that was extended, a scan)."""

    def test_run_file(self) -> None:
        run = RunFile.read(OLD)
        assert (run.name, run.attempt, run.device, run.has_parent) == ("old", 1, "cpu", False)
        assert run.spec["epochs"] == 2 and run.dataset["kind"] == "digits"

    def test_run_file_of_a_trial(self) -> None:
        run = RunFile.read(OLD / "trial")
        assert (run.best_by, run.resume_from) == ("val/accuracy", None)

    def test_search_file(self) -> None:
        search = SearchFile.read(OLD)
        assert (search.attempt, search.slots, search.stop_requests) == (2, ("cpu",), ())
        assert search.num_trials == json.loads((OLD / SEARCH_FILE).read_text())["wanted"]
        first = search.trials[0]
        assert (first.number, first.state) == (1, "finished")
        assert first.value is not None and math.isclose(first.value, max(value or 0 for _, value in first.history))

    @pytest.mark.parametrize("folder", ["run", "trial", "import"])
    def test_run_lines(self, folder: str) -> None:
        lines = [line for line, _ in read_run_lines(OLD / folder)]
        assert lines and not any(line is None or isinstance(line, Unknown) for line in lines)
        assert isinstance(lines[-1], Ended)
        check_keys(lines, OLD / folder)

    def test_search_lines(self) -> None:
        lines = [line for line, _ in read_search_lines(OLD / "search")]
        assert {type(line) for line in lines} >= {SEARCH_LINES[kind] for kind in ("started", "trial", "trial_ended")}
        check_keys(lines, OLD / "search")

    def test_files_are_written_with_the_same_keys(self) -> None:
        for kind, name in ((RunFile, RUN_FILE), (SearchFile, SEARCH_FILE)):
            values = json.loads((OLD / name).read_text())
            written = to_json(from_json(kind, values))
            missing = {key_of(one) for one in fields(kind) if not is_required(one) and values.get(key_of(one)) is None}
            assert set(written) | missing == set(values) | missing


def check_keys(lines: Sequence[Line | None], folder: Path) -> None:
    """They are written with the keys that they had; null may stand where there was none."""
    rows = [json.loads(raw) for raw in (folder / EVENTS).read_text().splitlines()]
    for line, row in zip(lines, rows, strict=True):
        assert line and {name for name, value in row.items() if value is not None} <= {"kind", *to_json(line)}
        assert {name for name, value in to_json(line).items() if value is not None} <= set(row)
