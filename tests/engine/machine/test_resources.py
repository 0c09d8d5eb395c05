"""How much memory a new process finds, in a container too, and whether the system killed for lack of it."""

from pathlib import Path

import psutil
import pytest

from engine.machine import resources

GIB = 2**30


@pytest.fixture
def group(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(resources, "GROUP", tmp_path)
    monkeypatch.setattr(resources, "VMSTAT", tmp_path / "vmstat")
    return tmp_path


def test_a_containers_limit_counts_less_what_is_used_and_cannot_go(group: Path) -> None:
    (group / "memory.max").write_text(f"{GIB}\n")
    (group / "memory.current").write_text(f"{GIB // 2}\n")
    (group / "memory.stat").write_text(f"anon {GIB // 4}\ninactive_file {GIB // 8}\n")
    assert resources.free() == min(GIB // 2 + GIB // 8, psutil.virtual_memory().available)


def test_without_a_limit_the_machines_own_memory_counts(group: Path) -> None:
    (group / "memory.max").write_text("max\n")
    assert resources.free() == pytest.approx(psutil.virtual_memory().available, rel=0.1)


def test_kills_are_counted_where_the_system_counts_them(group: Path) -> None:
    assert resources.kills() == 0
    (group / "vmstat").write_text("pgfault 10\noom_kill 2\n")
    (group / "memory.events").write_text("oom 5\noom_kill 3\n")
    assert resources.kills() == 3


def test_a_process_that_is_gone_holds_nothing() -> None:
    assert resources.rss(2**22 + 1) == 0
