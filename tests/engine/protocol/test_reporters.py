"""What reporters write is whole, plain JSON, whatever came before and whatever the numbers."""

import json
import math
from pathlib import Path
from typing import Any

from engine.protocol.json_lines import JsonLines
from engine.protocol.reasons import Why
from engine.protocol.run_lines import Message, Metrics
from engine.protocol.run_reporter import NullReporter, Reporter
from engine.protocol.search_reporter import SearchReporter


def written(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "events.jsonl").read_text().splitlines()]


def test_not_finite_becomes_null(tmp_path: Path) -> None:
    lines = JsonLines.events(tmp_path)
    lines.write(Metrics(step=1, epoch=1, values={"a": math.nan, "b": math.inf, "c": 1.5}))
    lines.close()
    assert written(tmp_path)[0]["values"] == {"a": None, "b": None, "c": 1.5}


def test_half_a_line_of_a_killed_attempt_is_closed_first(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    path.write_bytes(b'{"kind":"message"}\n{"kind":"met')
    lines = JsonLines.events(tmp_path)
    lines.write(Message(level="info", text="안녕"))
    lines.close()
    first, torn, ours = path.read_text(encoding="utf-8").splitlines()
    assert (first, torn) == ('{"kind":"message"}', '{"kind":"met')
    assert json.loads(ours)["text"] == "안녕"


def test_whole_file_gets_no_empty_line(tmp_path: Path) -> None:
    for _ in range(2):
        lines = JsonLines.events(tmp_path)
        lines.write(Message(level="info", text=""))
        lines.close()
    assert len(written(tmp_path)) == 2


def test_metrics_wait_for_a_flush_and_the_rest_does_not(tmp_path: Path) -> None:
    reporter = Reporter(JsonLines.events(tmp_path))
    reporter.metrics(1, 1, {"train/loss": 0.5}, at=12.5)
    assert written(tmp_path) == []
    reporter.progress("training", step=1)
    metrics, progress = written(tmp_path)
    assert metrics == {"kind": "metrics", "at": 12.5, "step": 1, "epoch": 1, "values": {"train/loss": 0.5}}
    assert progress.pop("at") > 1e9
    assert progress == {"kind": "progress", "phase": "training", "step": 1, "eta_s": None, "message": None}


def test_what_is_not_known_is_left_out(tmp_path: Path) -> None:
    reporter = Reporter(JsonLines.events(tmp_path))
    reporter.ended("finished")
    reporter.ended("interrupted", Why("disk", "The disk is full."), needs_bytes=0)
    finished, interrupted = written(tmp_path)
    assert finished.keys() == {"kind", "at", "state", "reason", "advice", "detail"}
    assert (interrupted["needs_bytes"], interrupted["code"]) == (0, "disk")


def test_null_reporter_says_nothing() -> None:
    reporter = NullReporter()
    reporter.metrics(1, 1, {})
    reporter.progress("training")
    reporter.ended("finished")


def test_a_search_repeats_its_progress_seldom(tmp_path: Path) -> None:
    reporter = SearchReporter(tmp_path)
    for _ in range(5):
        reporter.progress("starting")
    reporter.progress("searching", "one")
    reporter.progress("searching", "two")
    assert [line["phase"] for line in written(tmp_path)] == ["starting", "searching"]
