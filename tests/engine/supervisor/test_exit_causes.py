"""Why a process is gone, told apart from outside; and a log that cannot fill the disk."""

import shutil
import signal
import subprocess
from pathlib import Path

import pytest

from engine.faults import FAULTS
from engine.machine import processes, resources
from engine.supervisor import log_files
from engine.supervisor.exit_causes import ExitCauses
from engine.supervisor.runs import Running
from storage import Run, RunState, Store


@pytest.fixture
def run(store: Store) -> Run:
    made = store.runs.add(name="a", spec={"device": "cpu"}, dataset_id="digits", epochs=3)
    store.runs.update(made.id, pid=4242)
    return store.runs.get(made.id)


@pytest.mark.parametrize(
    ("code", "fault"), [(-9, "killed"), (-11, "crashed"), (-6, "crashed"), (1, "killed"), (None, "killed")]
)
def test_how_a_process_ended_names_the_fault(
    store: Store, run: Run, monkeypatch: pytest.MonkeyPatch, code: int | None, fault: str
) -> None:
    monkeypatch.setattr(processes, "exit_code", lambda pid: code)
    cause = ExitCauses(store.home).cause(run)
    assert cause.why.code == fault
    assert fault in FAULTS


def test_memory_and_hangs_are_told_from_a_plain_kill(store: Store, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    deaths, kills = ExitCauses(store.home), 3
    monkeypatch.setattr(resources, "kills", lambda: kills)
    deaths.launched(run.id)
    assert deaths.cause(run).why.code == "killed"
    kills = 4
    assert deaths.cause(run).why.code == "killed_for_memory"
    deaths.hung(run.id)
    assert deaths.cause(run).why.code == "hung"


def test_only_the_same_cause_in_the_same_epoch_repeats(store: Store, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    codes = iter([-11, -6, -11, -11, -9, -9])
    monkeypatch.setattr(processes, "exit_code", lambda pid: next(codes))
    deaths, repeated = ExitCauses(store.home), []
    for epoch in (0, 0, 1, 2, 2, 2):
        store.runs.update(run.id, epoch=epoch)
        now = store.runs.get(run.id)
        repeated.append(deaths.repeats(now, deaths.cause(now)))
    assert repeated == [False, True, False, False, False, False]  # a plain kill says nothing about the next


def test_the_exit_code_of_a_child_is_kept_when_it_is_reaped(tmp_path: Path) -> None:
    who = processes.spawn(
        ["sh", "-c", "kill -SEGV $$"], mark="x", log=tmp_path / "log", environment={}, folder=tmp_path
    )
    while who.is_alive:
        processes.reap()
    subprocess.run(["true"], check=True)  # another child must not take it along
    assert processes.exit_code(who.pid) == -signal.SIGSEGV
    assert processes.exit_code(who.pid) is None  # told once


def test_a_paused_run_waits_for_room_and_fails_only_after_five_times(
    store: Store, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    free = 10**6
    usage = shutil.disk_usage(store.home.root)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=free))
    running = Running(store)

    def pause(tries: int) -> None:
        store.runs.move(run.id, RunState.STARTING)
        store.runs.move(run.id, RunState.INTERRUPTED, reason="disk full: x.", needs_bytes=10**9, tries=tries)

    pause(1)
    running.tick()
    assert store.runs.get(run.id).state is RunState.INTERRUPTED
    free = 2 * 10**9
    running.tick()
    assert store.runs.get(run.id).state is RunState.QUEUED
    assert store.runs.get(run.id).needs_bytes is None
    pause(5)
    running.tick()
    failed = store.runs.get(run.id)
    assert failed.state is RunState.FAILED
    assert failed.reason_code == "disk_full"
    assert "5 times" in (failed.reason or "")


def test_a_flooded_log_keeps_its_head_and_its_end(tmp_path: Path) -> None:
    log = tmp_path / "log.txt"
    with log.open("ab") as writer:
        writer.write(b"first error\n" + b"x" * 5000 + b"\nlast words\n")
        writer.flush()
        assert log_files.trim(log, most=1000, head=100, tail=200)
        assert log.stat().st_size < 400 and log.stat().st_blocks * 512 < 10_000
        writer.write(b"and on\n")
    text = log.read_bytes()
    assert text.startswith(b"first error\n") and text.endswith(b"last words\nand on\n")
    assert b"4724 bytes left out" in text
    assert not log_files.trim(log, most=1000, head=100, tail=200)
