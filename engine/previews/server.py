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
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NoReturn

from engine.catalog.named import named
from engine.errors import Refused, Unavailable
from engine.machine.exit import leave
from engine.previews.requests import KINDS, waiting
from engine.protocol.json_file import write_json
from engine.specs import RunSpec

STAYS_S = 300.0
LOOKS_S = 0.1
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
        time.sleep(LOOKS_S)
    return 0


def _leave(number: int, _: object) -> NoReturn:
    raise SystemExit(128 + number)


@contextmanager
def beating(taken: Path) -> Iterator[None]:
    """Show that the preview is being made: some parts of it take minutes and tell nothing."""
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
    began, asked = time.perf_counter(), json.loads(taken.read_text(encoding="utf-8"))
    made = taken.with_suffix(".tmp")
    shutil.rmtree(made, ignore_errors=True)
    made.mkdir()
    try:
        make_it = named(KINDS[asked["kind"]][0])
        values = make_it(RunSpec.of_parts(asked["spec"]), asked, made, _teller(taken, asked))
        told = {"values": values}
    except (Unavailable, Refused) as error:
        told = {"problem": str(error)}
    except Exception as error:  # shown where the preview would be; the log has the whole story
        log.exception("%s failed", asked["kind"])
        first = (str(error).strip().splitlines() or [""])[0]
        told = {"problem": f"It cannot be made: {type(error).__name__}: {first}"}
    (made / "result.json").write_text(json.dumps(told), encoding="utf-8")
    shutil.rmtree(taken.with_suffix(""), ignore_errors=True)
    made.rename(taken.with_suffix(""))
    taken.unlink(missing_ok=True)
    log.info("%s in %.2f s", asked["kind"], time.perf_counter() - began)


def _teller(taken: Path, asked: dict[str, Any]) -> Callable[[float, str], None]:
    told = time.monotonic()

    def tell(share: float, message: str) -> None:
        nonlocal told
        if time.monotonic() - told > 0.3:
            told = time.monotonic()
            write_json(taken, {**asked, "progress": {"share": share, "message": message}}, durable=False)

    return tell


def _tidy(previews: Path) -> None:
    """Keep what was looked at lately."""
    folders = sorted((path for path in previews.iterdir() if path.is_dir()), key=lambda path: path.stat().st_mtime)
    for old in folders[:-MOST_KEPT]:
        shutil.rmtree(old, ignore_errors=True)


if __name__ == "__main__":
    leave(main(Path(sys.argv[1])))
