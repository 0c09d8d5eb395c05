"""`python -m tests.faults.on_a_small_disk FOLDER LEFT`, in a mount namespace of its own: all of Thaw on 400 MB.

While a run trains, the disk is filled but for LEFT bytes; once the run waits, or some seconds later, room is made
again. Prints one JSON object.
"""

import errno
import json
import os
import subprocess
import sys
import time
from pathlib import Path

from engine import api
from engine.api import RunSpec
from engine.training import checkpoint
from storage import Home, Run, RunState, Store, StoreBusy
from tests.cli import SOME, until, until_state

SIZE = "400m"


def fill(file: Path, left: int) -> None:
    """Until `left` bytes are free, or none."""
    with file.open("wb", buffering=0) as ballast:
        try:
            while (room := os.statvfs(file.parent).f_bavail * os.statvfs(file.parent).f_frsize - left) > 0:
                ballast.write(bytes(min(room, 2**20)))
        except OSError as error:
            if error.errno != errno.ENOSPC:
                raise


def state_of(store: Store, run: Run) -> RunState | None:
    try:
        return store.runs.get(run.id).state
    except StoreBusy:
        return None


def main(folder: Path, left: int) -> None:
    folder.mkdir(exist_ok=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "tmpfs", str(folder)], check=True)
    os.environ["THAW_HOME"] = str(folder / "home")
    store = api.open_store(Home.find())
    run = api.start_run(store, RunSpec.parse(SOME))
    api.ensure_supervisor(store.home)
    until(lambda: store.checkpoints.list(run.id) and store.runs.get(run.id).epoch >= 2)
    fill(folder / "ballast", left)
    deadline = time.monotonic() + (60 if left else 8)
    while time.monotonic() < deadline and state_of(store, run) is not RunState.INTERRUPTED:
        time.sleep(0.1)
    time.sleep(2)  # it stays so: nothing is tried in vain
    paused = store.runs.get(run.id) if left else None
    bad = 0
    for kept in (store.home.run(run.id) / "checkpoints").glob("e????"):
        try:
            checkpoint.verify(kept)
        except Exception:
            bad += 1
    (folder / "ballast").unlink()
    over = until_state(store, run.id, RunState.FINISHED, RunState.FAILED)
    result = {
        "paused": paused and {"state": paused.state, "reason": paused.reason, "needs_bytes": paused.needs_bytes},
        "bad": bad,
        "over": over.state,
        "reason": over.reason,
        "attempts": over.attempt,
        "steps": [over.step, over.steps, store.metrics.count(run.id, "train/loss")],
    }
    print(json.dumps(result))
    api.wait_for_request(store, api.shut_down(store).id)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
