"""Short forms of `python -m benchmarks checkpoints` and `resume`: what checkpoints promise under kills and damage."""

import random
import re
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks import checkpoints
from tests.conftest import ROOT

SOAK = """
import sys
from pathlib import Path
from benchmarks import resume
from benchmarks.checks import print_checks
print_checks(resume.checks(Path(sys.argv[1]), runs=3, kills_each=2))
"""


def test_every_kind_of_damage_is_refused_and_the_control_shows_that_it_matters(tmp_path: Path) -> None:
    found = checkpoints.refuse_damage(tmp_path, 30)
    assert found.is_good, found.summary
    assert "30 of 30 refused" in found.summary
    assert not found.summary.endswith("taken 0 of them")


@pytest.mark.parametrize("damage", checkpoints.DAMAGES_BY)
def test_damage_damages(damage) -> None:
    whole = bytes(range(1, 251)) * 100
    assert all(damage(whole, random.Random(seed)) != whole for seed in range(20))


@pytest.mark.slow
def test_runs_killed_at_random_moments_are_equal_and_the_forgetful_control_is_not(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", SOAK, str(tmp_path)], cwd=ROOT, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"(\d+) of \1 runs bit-equal after ([6-9]|1\d) kills", done.stdout), done.stdout
    assert "differs, as it must" in done.stdout
