"""How rank N of a run that several processes train together ended: the run's `ended` as a file, without its kind.

For the launcher that started them, which writes the line that counts.
"""

from pathlib import Path

from engine.protocol.json_file import write_json
from engine.protocol.run_lines import Ended
from engine.protocol.serialization import Malformed, read_json, to_json


def write_ending(folder: Path, rank: int, ending: Ended) -> None:
    write_json(_path(folder, rank), to_json(ending), durable=False)  # for whoever launched it and waits


def read_ending(folder: Path, rank: int) -> Ended | None:
    """None: the rank left none, as one that was killed."""
    try:
        return read_json(Ended, _path(folder, rank))
    except (FileNotFoundError, Malformed):
        return None


def clear_endings(folder: Path) -> None:
    for left in folder.glob("ended.*.json"):
        left.unlink()


def _path(folder: Path, rank: int) -> Path:
    return folder / f"ended.{rank}.json"
