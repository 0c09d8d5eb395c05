"""The process that makes previews: `python -m engine.previews.server FOLDER`. It stays: torch loads slowly."""

import gc
import json
import logging
import os
import shutil
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NoReturn

from engine.catalog.named import named
from engine.errors import Refused, Unavailable
from engine.machine.exit import leave
from engine.previews.job import PreviewJob, Report
from engine.previews.requests import KINDS, waiting
from engine.protocol.json_file import write_json
from engine.specs import RunSpec

STAYS_S = 300.0
POLL_S = 0.1
BEAT_S = 5.0
MOST_KEPT = 200

log = logging.getLogger("thaw")


def main(previews: Path) -> int:
    """Make what is asked, newest first, until nothing was asked for some minutes."""
    signal.signal(signal.SIGTERM, _leave)
    logging.basicConfig(level=logging.INFO, stream=sys.stdout, format="%(asctime)s %(message)s")
    os.nice(5)  # what trains comes first
    last = time.monotonic()
    while time.monotonic() - last < STAYS_S:
        for path in waiting(previews)[:1]:
            taken = path.with_suffix(".taken")
            try:
                path.replace(taken)
            except FileNotFoundError:  # another previewer, of a supervisor that was killed, took it
                continue
            try:
                with beating(taken):
                    make(taken)
            except SystemExit:  # whoever still waits for it asks anew
                taken.unlink(missing_ok=True)
                raise
            _tidy(previews)
            last = time.monotonic()
        time.sleep(POLL_S)
    return 0


def _leave(number: int, _: object) -> NoReturn:
    raise SystemExit(128 + number)


@contextmanager
def beating(taken: Path) -> Iterator[None]:
    """Show that the preview is being made: some parts of it take minutes and report nothing."""
    over = threading.Event()

    def beat() -> None:
        while True:
            with suppress(FileNotFoundError):
                os.utime(taken)
            if over.wait(BEAT_S):
                return

    thread = threading.Thread(target=beat, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
        if "torch" in sys.modules:  # GPU memory belongs to runs, not to a process that waits
            gc.collect()
            sys.modules["torch"].cuda.empty_cache()


def make(taken: Path) -> None:
    """One preview: its folder appears whole, and `taken` goes."""
    began, request = time.perf_counter(), json.loads(taken.read_text(encoding="utf-8"))
    made = taken.with_suffix(".tmp")
    shutil.rmtree(made, ignore_errors=True)
    made.mkdir()
    try:
        make_it = named(KINDS[request["kind"]][0])
        job = PreviewJob(RunSpec.of_parts(request["spec"]), request, made, _reporter(taken, request))
        result = {"values": make_it(job)}
    except (Unavailable, Refused) as error:
        result = {"problem": str(error)}
    except Exception as error:  # shown where the preview would be; the log has the whole story
        log.exception("%s failed", request["kind"])
        first = (str(error).strip().splitlines() or [""])[0]
        result = {"problem": f"It cannot be made: {type(error).__name__}: {first}"}
    (made / "result.json").write_text(json.dumps(result), encoding="utf-8")
    shutil.rmtree(taken.with_suffix(""), ignore_errors=True)
    made.rename(taken.with_suffix(""))
    taken.unlink(missing_ok=True)
    log.info("%s in %.2f s", request["kind"], time.perf_counter() - began)


def _reporter(taken: Path, request: dict[str, Any]) -> Report:
    reported = time.monotonic()

    def report(share: float, message: str) -> None:
        nonlocal reported
        if time.monotonic() - reported > 0.3:
            reported = time.monotonic()
            write_json(taken, {**request, "progress": {"share": share, "message": message}}, durable=False)

    return report


def _tidy(previews: Path) -> None:
    """Keep what was looked at lately."""
    folders = sorted((path for path in previews.iterdir() if path.is_dir()), key=lambda path: path.stat().st_mtime)
    for old in folders[:-MOST_KEPT]:
        shutil.rmtree(old, ignore_errors=True)


if __name__ == "__main__":
    leave(main(Path(sys.argv[1])))
