"""docs/faults.md: every fault has a row, and every test it names is there."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def test_every_fault_has_a_row_and_every_test_named_is_there() -> None:
    text = (ROOT / "docs" / "faults.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| F(\d+) \|", text, re.MULTILINE)
    assert [int(number) for number in rows] == list(range(1, 35))
    named = re.findall(r"`(tests/[\w/]+\.py)(?:::(\w+))?`", text)
    assert len(named) > 30
    for path, test in named:
        assert (ROOT / path).exists(), path
        assert not test or f"def {test}(" in (ROOT / path).read_text(encoding="utf-8"), f"{path}::{test}"
