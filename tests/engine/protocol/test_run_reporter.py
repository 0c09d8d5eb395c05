"""Event lines are whole, plain JSON, whatever came before and whatever the numbers."""

import json
import math

from engine.protocol.json_lines import Lines
from engine.protocol.run_reporter import NullReporter, Reporter


def _read(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_not_finite_becomes_null(tmp_path):
    lines = Lines(tmp_path / "events.jsonl")
    lines.write("metrics", values={"a": math.nan, "b": [math.inf, -math.inf, 1.5]})
    lines.close()
    assert _read(tmp_path / "events.jsonl")[0]["values"] == {"a": None, "b": [None, None, 1.5]}


def test_half_a_line_of_a_killed_attempt_is_closed_first(tmp_path):
    path = tmp_path / "events.jsonl"
    path.write_bytes(b'{"kind":"message"}\n{"kind":"met')
    lines = Lines(path)
    lines.write("message", text="안녕")
    lines.close()
    first, torn, ours = path.read_text(encoding="utf-8").splitlines()
    assert (first, torn) == ('{"kind":"message"}', '{"kind":"met')
    assert json.loads(ours)["text"] == "안녕"


def test_whole_file_gets_no_empty_line(tmp_path):
    for _ in range(2):
        lines = Lines(tmp_path / "events.jsonl")
        lines.write("message")
        lines.close()
    assert len(_read(tmp_path / "events.jsonl")) == 2


def test_metrics_wait_for_a_flush_and_the_rest_does_not(tmp_path):
    path = tmp_path / "events.jsonl"
    reporter = Reporter(Lines(path))
    reporter.metrics(1, 1, {"train/loss": 0.5}, at=12.5)
    assert path.read_text() == ""
    reporter.progress("training", step=1)
    metrics, progress = _read(path)
    assert metrics == {"kind": "metrics", "at": 12.5, "step": 1, "epoch": 1, "values": {"train/loss": 0.5}}
    assert progress.pop("at") > 1e9
    assert progress == {"kind": "progress", "phase": "training", "step": 1, "eta_s": None, "message": None}


def test_null_reporter_says_nothing():
    reporter = NullReporter()
    reporter.metrics(1, 1, {})
    reporter.progress("training")
    reporter.ended("finished")
