"""Bad specs are refused before anything is queued: field, value, what is allowed, exit code 2, never a traceback."""

from pathlib import Path
from typing import Any

import pytest

from storage import Store
from tests.cli import TINY, cli, spec_file

BAD: list[tuple[dict[str, Any], str]] = [
    ({"epocks": 3}, "epocks = 3: no such field"),
    ({"optimisation": {"learning_rate": -1}}, "optimisation.learning_rate = -1: must be a number above 0"),
    ({"optimisation": {"batch_size": 0}}, "optimisation.batch_size = 0: must be a whole number at least 1"),
    ({"data": {"dataset": "unicorns"}}, "data.dataset = 'unicorns': there is no such data set; there are: digits"),
    ({"device": "cuda"}, "device = 'cuda': this machine has no NVIDIA GPU"),
]


@pytest.mark.parametrize(("values", "words"), BAD, ids=[words.split(" ")[0] for _, words in BAD])
def test_a_bad_spec_is_refused_in_words(store: Store, tmp_path: Path, values: dict[str, Any], words: str) -> None:
    done = cli("train", spec_file(tmp_path, values), "--wait", "--json")
    assert done.returncode == 2
    assert words in " ".join(done.stderr.split())
    assert "Traceback" not in done.stderr
    assert done.stdout == ""
    assert store.runs.list() == []


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["train", "missing.yaml"], "cannot be read"),
        (["show", "nothing"], "There is no run 'nothing'."),
        (["stop", "nothing"], "There is no run 'nothing'."),
        (["download", "nothing", "."], "There is no run 'nothing'."),
        (["datasets", "add", "cats", "/no/such/folder"], "there is no such folder or file"),
        (["datasets", "add", "digits", "/tmp"], "is taken"),
        (["datasets", "add", "///", "/tmp"], "at least one a letter or digit"),
        (["datasets", "delete", "digits"], "comes with Thaw and stays"),
    ],
    ids=lambda value: "-".join(value)[:30] if isinstance(value, list) else "",
)
def test_bad_arguments_are_refused_in_words(store: Store, arguments: list[str], words: str) -> None:
    done = cli(*arguments)
    assert done.returncode == 2
    assert words in " ".join(done.stderr.split())
    assert "Traceback" not in done.stderr


def test_overrides_are_checked_like_the_file(store: Store, tmp_path: Path) -> None:
    done = cli("train", spec_file(tmp_path, TINY), "--set", "optimisation.momentum=2")
    assert done.returncode == 2
    assert "optimisation.momentum = 2: must be a number at least 0 and below 1" in " ".join(done.stderr.split())
