"""The worker as a real process: every way out says what happened, and a killed one goes on where it was."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from itertools import pairwise
from pathlib import Path

import psutil
import pytest
from safetensors.torch import load_file

from engine.training.distributed.rank import reporting
from engine.worker.run import attempt
from tests.engine.digits_run import DIGITS, read_lines, write_run_file

EPOCHS = 12


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="module")
def whole(tmp_path_factory, cache):
    """The folder of a run that was never disturbed."""
    folder = tmp_path_factory.mktemp("runs") / "whole"
    write_run_file(folder, cache, epochs=EPOCHS)
    assert _start(folder).wait(60) == 0
    return folder


def _start(folder: Path) -> subprocess.Popen[bytes]:
    with (folder / "log.txt").open("ab") as log:
        command = [sys.executable, "-m", "engine.worker", str(folder)]
        return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)


def _wait_for(folder: Path, seen: Callable[[dict], bool], timeout_s: float = 40) -> None:
    end = time.time() + timeout_s
    while time.time() < end:
        if (folder / "events.jsonl").exists() and any(map(seen, read_lines(folder))):
            return
        time.sleep(0.01)
    raise TimeoutError((folder / "log.txt").read_text())


def _at_step(step: int) -> Callable[[dict], bool]:
    return lambda line: line["kind"] == "progress" and line.get("step", 0) >= step


def _run(folder: Path) -> list[dict]:
    _start(folder).wait(60)
    return read_lines(folder)


def _here(folder: Path) -> list[dict]:
    """The same in this process, for what is not about processes: loading torch takes seconds."""
    with reporting(folder) as reporter:
        attempt(folder, reporter, lambda: False)
    return read_lines(folder)


def _last_weights(folder: Path) -> dict:
    return load_file(folder / f"checkpoints/e{EPOCHS:04d}/weights.safetensors")


def _equal(left: Path, right: Path) -> bool:
    ours, theirs = _last_weights(left), _last_weights(right)
    return all(bool((ours[name] == theirs[name]).all()) for name in theirs)


def test_finished_run_tells_its_story_in_order(whole):
    lines = read_lines(whole)
    assert [line["phase"] for line in lines if line["kind"] == "progress"][:3] == [
        "starting",
        "preparing data",
        "training",
    ]
    started = next(line for line in lines if line["kind"] == "started")
    assert {name: started[name] for name in ("attempt", "device", "epoch", "step", "epochs", "going_on_from")} == {
        **{"attempt": 1, "device": "cpu", "epoch": 0, "step": 0, "epochs": EPOCHS},
        "going_on_from": None,
    }
    assert started["steps"] == EPOCHS * 23
    assert {name: lines[-1][name] for name in ("kind", "state", "reason", "advice", "detail")} == {
        **{"kind": "ended", "state": "finished", "reason": None, "advice": None, "detail": None},
    }
    assert all(line["at"] <= after["at"] + 1 for line, after in pairwise(lines))


def test_log_is_readable(whole):
    log = (whole / "log.txt").read_text()
    assert "attempt 1 of test: small_cnn on digits" in log
    assert len(re.findall(r"epoch \d+ of 12: train", log)) == EPOCHS
    assert log.strip().endswith("finished")


def test_sigterm_saves_and_the_resumed_run_equals_the_undisturbed(tmp_path, cache, whole):
    folder = tmp_path / "run"
    write_run_file(folder, cache, epochs=EPOCHS)
    worker = _start(folder)
    _wait_for(folder, _at_step(23))
    worker.send_signal(signal.SIGUSR1)
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(20) == 0
    assert "most recent call first" in (folder / "log.txt").read_text()  # the stacks that SIGUSR1 asked for
    *_, ended = lines = read_lines(folder)
    assert (ended["kind"], ended["state"], ended["advice"]) == ("ended", "stopped", None)
    last = [line for line in lines if line["kind"] == "checkpoint"][-1]
    where = rf"at step {last['step']}, in epoch \d+; saved, so that" if "-s" in last["path"] else r"after epoch \d+;"
    assert re.fullmatch(rf"Stopped {where} resuming goes on from there\.", ended["reason"])
    write_run_file(folder, cache, epochs=EPOCHS, resume_from=last["path"], attempt=2)
    assert _run(folder)[-1]["state"] == "finished"
    started = [line for line in read_lines(folder) if line["kind"] == "started"][-1]
    assert (started["attempt"], started["step"], started["going_on_from"]) == (2, last["step"], last["path"])
    assert _equal(folder, whole)


def test_a_stop_of_the_whole_group_spares_those_who_decode(tmp_path, cache, monkeypatch):
    monkeypatch.setenv("THAW_IMAGES_GB", "0")  # images are decoded by processes that work ahead
    folder = tmp_path / "run"
    write_run_file(folder, tmp_path / "cache", epochs=2000)
    worker = _start(folder)
    _wait_for(folder, _at_step(5))
    os.killpg(worker.pid, signal.SIGTERM)
    assert worker.wait(20) == 0
    lines = read_lines(folder)
    assert (lines[-1]["state"], lines[-1]["detail"]) == ("stopped", None)
    assert [line["epoch"] for line in lines if line["kind"] == "checkpoint"]


def test_a_killed_decoder_ends_the_process_without_a_last_word(tmp_path, cache, monkeypatch):
    monkeypatch.setenv("THAW_IMAGES_GB", "0")
    folder = tmp_path / "run"
    write_run_file(folder, tmp_path / "cache", epochs=2000)
    worker = _start(folder)
    _wait_for(folder, _at_step(5))
    while worker.poll() is None:  # those of a pass over the images are gone when it ends
        with suppress(psutil.NoSuchProcess):
            for decoder in psutil.Process(worker.pid).children():
                decoder.kill()
        time.sleep(0.01)
    assert worker.returncode == 1
    assert read_lines(folder)[-1]["kind"] != "ended"


@pytest.mark.slow  # with a supervisor among the faults of every test run
def test_kill_in_mid_epoch_is_made_good_from_the_last_checkpoint(tmp_path, cache, whole):
    folder = tmp_path / "run"
    write_run_file(folder, cache, epochs=EPOCHS)
    worker = _start(folder)
    _wait_for(folder, lambda line: line["kind"] == "checkpoint" and line["epoch"] == 2)
    worker.kill()
    worker.wait()
    lines = read_lines(folder)
    assert lines[-1]["kind"] != "ended"
    with (folder / "events.jsonl").open("a") as events:
        events.write('{"kind":"metr')  # as a kill in mid-write leaves it
    last = [line for line in lines if line["kind"] == "checkpoint"][-1]
    write_run_file(folder, cache, epochs=EPOCHS, resume_from=last["path"], attempt=2)
    assert _start(folder).wait(60) == 0
    after = (folder / "events.jsonl").read_text().partition('{"kind":"metr\n')[2].splitlines()
    assert '"phase": "starting"' in after[0] and '"finished"' in after[-1]
    assert _equal(folder, whole)


def test_second_signal_leaves_at_once(tmp_path, cache):
    folder = tmp_path / "run"
    write_run_file(folder, cache, epochs=2000)
    worker = _start(folder)
    _wait_for(folder, _at_step(1))
    os.kill(worker.pid, signal.SIGSTOP)  # so that both have come before it looks
    worker.send_signal(signal.SIGTERM)
    worker.send_signal(signal.SIGINT)
    os.kill(worker.pid, signal.SIGCONT)
    assert worker.wait(10) in (128 + signal.SIGTERM, 128 + signal.SIGINT)
    assert read_lines(folder)[-1]["kind"] != "ended"


def test_stop_while_starting_ends_as_stopped(tmp_path, cache):
    folder = tmp_path / "run"
    write_run_file(folder, cache, epochs=EPOCHS)
    worker = _start(folder)
    _wait_for(folder, lambda line: line.get("phase") == "starting")
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(30) == 0
    ended = read_lines(folder)[-1]
    assert (ended["state"], ended["reason"]) == ("stopped", "Stopped before the first step.")


def test_divergence_fails_with_advice(tmp_path, cache):
    folder = tmp_path / "run"
    write_run_file(folder, cache, optimisation={"learning_rate": 10, "optimizer": "sgd"})
    ended = _here(folder)[-1]
    assert (ended["state"], ended["kind"]) == ("failed", "ended")
    assert re.fullmatch(r"diverged: the loss became (NaN|infinite) at step \d+ \(epoch 1\)\.", ended["reason"])
    assert "a learning rate of 1; gradients clipped at 1" in ended["advice"]
    assert "Diverged" in ended["detail"]


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"device": "cuda"}, r"cuda was asked for but .+\."),
        ({"dataset": DIGITS | {"kind": "folder", "path": "/nowhere"}}, r".*/nowhere.*"),
    ],
)
def test_what_cannot_be_used_fails_in_words(tmp_path, cache, values, reason, monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    folder = tmp_path / "run"
    write_run_file(folder, cache, **values)
    ended = _here(folder)[-1]
    assert ended["state"] == "failed"
    assert re.fullmatch(reason, ended["reason"])
    assert ended["advice"] and "Traceback" in ended["detail"]


def test_no_run_file_fails_in_words(tmp_path):
    ended = _run(tmp_path)[-1]
    assert (ended["state"], ended["reason"]) == ("failed", f"a file has vanished: {tmp_path / 'run.json'}.")


def test_with_its_only_checkpoint_damaged_a_run_begins_with_its_first_weights(tmp_path, cache):
    model = {"backbone": "small_cnn"}
    source = tmp_path / "source"
    write_run_file(source, cache, model=model, epochs=1)
    _here(source)
    weights = source / "checkpoints/e0001/weights.safetensors"
    values = {"model": {**model, "weights": "file", "weights_from": str(weights)}, "freeze": {"policy": "head"}}
    folder = tmp_path / "run"
    write_run_file(folder, cache, epochs=1, **values)
    _here(folder)
    kept = folder / "checkpoints/e0001/weights.safetensors"
    kept.write_bytes(kept.read_bytes()[:-1] + b"!")
    write_run_file(folder, cache, resume_from="checkpoints/e0001", attempt=2, epochs=1, **values)
    assert _here(folder)[-1]["state"] == "finished"
    first, after = load_file(weights), load_file(kept)
    assert all((first[name] == after[name]).all() for name in first if not name.startswith("19."))
