"""What killed processes have left behind, removed when the engine starts."""

import fcntl
import shutil
import time
from contextlib import suppress
from pathlib import Path

from storage import Store

UPLOAD_KEPT_S = 86_400  # a zip that arrived but was never imported


def remove_leftovers(store: Store) -> None:
    for left in store.home.trash.iterdir():
        shutil.rmtree(left, ignore_errors=True)
    _imports(store)
    remove_unfinished(store.home.cache)


def remove_unfinished(cache: Path) -> None:
    """Remove arrays that nobody is making any more: as large as a whole data set, and in no list of caches."""
    for made in [*cache.glob("images/*.tmp"), *cache.glob("features/*.tmp")]:
        with suppress(OSError), made.with_suffix(".lock").open("w") as lock:  # held by who makes it now
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            made.unlink()


def _imports(store: Store) -> None:
    """Remove what imports that are no more have left, and uploads of yesterday that nobody imported."""
    waiting = [request for request in store.requests.open() if request.kind in ("import_dataset", "scan_dataset")]
    incoming = store.home.datasets / ".incoming"
    for folder in incoming.iterdir() if incoming.exists() else ():
        if folder.name not in {request.id for request in waiting}:
            shutil.rmtree(folder, ignore_errors=True)
    for upload in store.home.uploads.iterdir():
        with suppress(FileNotFoundError):  # one that arrives is renamed while we look
            old = time.time() - upload.stat().st_mtime > UPLOAD_KEPT_S
            if old and str(upload) not in {request.payload.get("source") for request in waiting}:
                upload.unlink()
