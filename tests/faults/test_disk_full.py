"""A really full disk while training: the run waits, nothing kept is harmed, and it goes on by itself with room."""

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import ROOT

NAMESPACE = ["unshare", "--user", "--map-root-user", "--mount"]


def may_mount() -> bool:
    if not shutil.which("unshare"):
        return False
    tried = [*NAMESPACE, "mount", "-t", "tmpfs", "tmpfs", "/mnt"]
    return subprocess.run(tried, capture_output=True, check=False).returncode == 0


pytestmark = pytest.mark.skipif(not may_mount(), reason="needs user namespaces to mount a small disk")


def on_a_small_disk(folder: Path, left: int) -> dict[str, Any]:
    command = [*NAMESPACE, sys.executable, "-m", "tests.faults.on_a_small_disk", str(folder / "disk"), str(left)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    result: dict[str, Any] = json.loads(done.stdout)
    return result


def test_no_room_for_a_checkpoint_pauses_the_run_until_there_is(tmp_path: Path) -> None:
    result = on_a_small_disk(tmp_path, 20 * 10**6)
    assert result["paused"]["state"] == "interrupted"
    assert result["paused"]["reason"].startswith("disk full: ")
    assert result["paused"]["needs_bytes"] > 20 * 10**6
    assert result["bad"] == 0
    assert (result["over"], result["attempts"]) == ("finished", 2), result["reason"]
    assert len(set(result["steps"])) == 1  # each step counts once


@pytest.mark.slow
def test_not_a_byte_left_ends_neither_the_run_nor_the_supervisor(tmp_path: Path) -> None:
    result = on_a_small_disk(tmp_path, 0)
    assert result["bad"] == 0
    assert result["over"] == "finished", result["reason"]
    assert len(set(result["steps"])) == 1
