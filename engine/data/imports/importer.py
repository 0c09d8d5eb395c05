"""The import process: `python -m engine.data.imports.importer <folder>`, so that hostile files meet no one else.

The folder holds `request.json`: {"id", "name", "source", "copy"} for a folder, zip or CSV; {"id", "name", "kind",
"root", "folder"} for one of torchvision's; {"dataset": record} for one that is here and wants samples or a scan. On
success it then holds `dataset.json`, `index.json`, `samples/`, `scan.json`, `thumbnails/` and, of a zip or with
"copy", `images/`; on refusal nothing but `events.jsonl`, whose last line says why. SIGTERM cancels.
"""

import errno
import json
import os
import resource
import shutil
import sys
import traceback
from collections.abc import Callable
from contextlib import closing
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from engine.catalog.datasets import DATASET_KINDS
from engine.data import open_source
from engine.data.imports.arrangement import Place, arrange, check_classes, count
from engine.data.imports.inspection import Seen, Tree, inspect, stored_name
from engine.data.imports.listed import Listed
from engine.data.imports.progress import Cancelled, Progress
from engine.data.imports.record import index_of, index_of_source, record_of, record_of_fetched, seen_of
from engine.data.imports.server_folder import ServerFolder
from engine.data.imports.zips import Zip
from engine.data.samples import write_samples
from engine.data.scans.survey import survey
from engine.data.sources.fetched import fetch
from engine.errors import Unavailable, Unfit
from engine.machine.exit import leave
from engine.protocol.json_lines import JsonLines
from engine.protocol.run_lines import Ended
from storage import Dataset

SPARE = 500 * 10**6  # bytes of disk that an import leaves free
MADE = ("request.json", "dataset.json", "index.json", "samples", "images", "scan.json", "thumbnails")


def run(folder: Path, progress: Progress) -> None:
    """Import as `request.json` in `folder` asks.

    Raises:
        Unfit: What was given makes no data set.
        Unavailable: A file vanished meanwhile.
        Cancelled: On SIGTERM.
        OSError: The disk is full or not writable.
    """
    request = json.loads((folder / "request.json").read_text(encoding="utf-8"))
    if "dataset" in request:
        record = request["dataset"]
    elif request.get("kind"):
        record = asdict(_fetch(request, progress))
    else:
        progress.say("Reading the list of files")
        with closing(_tree(Path(request["source"]))) as tree:
            record = asdict(_import(folder, request, tree, progress))
    source = open_source(record if record["path"] else {**record, "path": str(folder)})
    passes = 2 if "source" in request else 1  # an import has decoded all images once already
    progress.begin("{:,} of {:,} images looked at", passes=passes, number=passes - 1)
    scan = survey(source, folder, set_aside=record["set_aside"], size_bytes=record["bytes"], report=progress)
    if DATASET_KINDS[record["kind"]].fetched and not record["fingerprint"]:
        record |= seen_of(source, scan, record["kind"])
    write_samples(source, folder)
    if record["kind"] != "folder":  # whose index says where its files lie, and was written by its import
        index_of_source(source).write(folder)
    (folder / "dataset.json").write_text(json.dumps(record))
    (folder / "request.json").unlink()


def _tree(source: Path) -> Tree:
    if source.is_dir():
        return ServerFolder(source.resolve())
    return Listed(source.resolve()) if source.suffix.lower() == ".csv" else Zip(source)


def _fetch(request: dict[str, Any], progress: Progress) -> Dataset:
    named = Path(request["folder"]) if request.get("folder") else None
    root = fetch(request["kind"], Path(request["root"]), named, progress)
    record = record_of_fetched(request, root)
    if root == named:
        return replace(record, notes=(*record.notes, f"Its files stay in {root}; nothing was copied."))
    return record


def _import(folder: Path, request: dict[str, Any], tree: Tree, progress: Progress) -> Dataset:
    arrangement = tree.arrangement if isinstance(tree, Listed) else arrange(tree.files, tree.folders)
    check_classes(count(arrangement.places, arrangement.folders))
    classes = tuple(sorted({name for _, name in arrangement.folders}))
    paths = None if request.get("copy") else tree.paths  # where the files stay; None: Thaw keeps copies
    if paths is None:
        _check_space(folder, tree)
    keep = _keeper(folder, classes) if paths is None else _leave
    progress.begin("{:,} of {:,} images checked", passes=2, number=0)
    good: list[Seen] = []
    bad: list[Seen] = []
    with closing(inspect(tree, arrangement.places, keep)) as inspected:
        for done, seen in enumerate(inspected, start=1):
            (bad if seen.bad else good).append(seen)
            progress(done, len(arrangement.places))
    notes = [f"The images stay where {request['source']} names them; nothing was copied."] if paths else []
    notes += tree.notes + arrangement.notes
    notes += check_classes(count([one.place for one in good], arrangement.folders))
    index_of(classes, good, paths).write(folder)
    return record_of(request, classes, good, bad, notes)


def _keeper(folder: Path, classes: tuple[str, ...]) -> Callable[[Place, str, bytes], None]:
    labels = {name: label for label, name in enumerate(classes)}
    for label in labels.values():
        (folder / "images" / str(label)).mkdir(parents=True)

    def keep(place: Place, sha256: str, data: bytes) -> None:
        (folder / stored_name(labels[place.name], place, sha256)).write_bytes(data)

    return keep


def _leave(place: Place, sha256: str, data: bytes) -> None:
    """The image stays where the user has it."""


def _check_space(folder: Path, tree: Tree) -> None:
    needed, free = tree.size, shutil.disk_usage(folder).free - SPARE
    if needed > free:
        reason = f"It needs {needed / 1e6:,.0f} MB of disk; {max(free, 0) / 1e6:,.0f} MB are to spare."
        raise Unfit(reason, "Delete runs or data sets that are no longer needed, then add it again.")


def _clear(folder: Path) -> None:
    """Remove all that the import made; the lines stay, and the log that whoever started us writes."""
    for name in MADE:
        path = folder / name
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)


def _bound_memory() -> None:
    """A hostile file then meets MemoryError here, not the system's out-of-memory killer among everyone's processes."""
    if sys.platform == "linux":
        most = max(8 * 2**30, os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2)
        resource.setrlimit(resource.RLIMIT_AS, (most, resource.getrlimit(resource.RLIMIT_AS)[1]))


def _ending(error: Exception) -> Ended:
    """The last line after `error`."""
    match error:
        case Cancelled():
            return _failed("The import was cancelled.", state="stopped")
        case Unfit():
            return _failed(error.reason, error.advice)
        case Unavailable():
            return _failed(str(error))
        case OSError() if error.errno in (errno.ENOSPC, errno.EDQUOT):
            advice = "Delete runs or data sets that are no longer needed, then add it again."
            return _failed("The disk is full.", advice)
        case MemoryError():
            advice = "Split it into smaller data sets, or smaller images."
            return _failed("It needs more memory than there is.", advice)
        case _:
            reason = f"The import broke off: {type(error).__name__}: {error}."
            return _failed(reason, "Try it again.", detail=traceback.format_exc())


def _failed(reason: str, advice: str | None = None, *, state: str = "failed", detail: str | None = None) -> Ended:
    return Ended(state=state, reason=reason, advice=advice, detail=detail)


def outcome(folder: Path, progress: Progress) -> Ended:
    """Import, or clear away what was made so far; the last line, which says which."""
    try:
        run(folder, progress)
    except Exception as error:  # every path ends in one last line
        _clear(folder)
        return _ending(error)
    return Ended(state="finished", reason=None, advice=None, detail=None)


def main(folder: Path) -> int:
    if "source" in json.loads((folder / "request.json").read_text(encoding="utf-8")):  # a stranger's files
        _bound_memory()
    lines = JsonLines.events(folder)
    ending = outcome(folder, Progress(lines))
    lines.write(ending)
    lines.close()
    return int(ending.state != "finished")


if __name__ == "__main__":
    leave(main(Path(sys.argv[1])))
