"""run.json in a run's folder: what a training process needs to know, so that it never opens the database."""

from dataclasses import dataclass
from pathlib import Path

from engine.protocol.json_file import write_json
from engine.protocol.serialization import JsonObject, Malformed, read_json, to_json

RUN_FILE = "run.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFile:
    """Written anew for each attempt, by whoever launches it."""

    id: str = ""  # of the run
    name: str  # of the run
    attempt: int  # 1: the first process that trains this run
    spec: JsonObject  # a RunSpec, see settings.md
    dataset: JsonObject  # the data set's record as the run was first launched with it
    device: str  # "cuda", or as its spec has it
    resume_from: str | None  # a checkpoint, relative to the run's folder
    has_parent: bool = False  # its first checkpoint is another run's: without one it cannot begin again
    best_by: str | None = None  # the metric that decides which epoch is best; the accuracy where none is named
    cache: str  # the folder of images and features that all runs share
    weights_path: str | None = None  # the file of its first weights, for a start without a checkpoint

    @classmethod
    def read(cls, folder: Path) -> "RunFile":
        """
        Raises:
            OSError: The run was never launched, or the file cannot be read.
            Malformed: It holds something else.
        """
        return read_json(cls, folder / RUN_FILE)

    def write(self, folder: Path) -> None:
        """
        Raises:
            OSError: The run's folder cannot be written.
        """
        write_json(folder / RUN_FILE, to_json(self))


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstLaunch:
    """What of run.json and search.json stays from the first launch on, and a run takes over from its parent."""

    dataset: JsonObject  # images excluded later are not taken from under it


def read_dataset(path: Path) -> JsonObject | None:
    """The data set's record in a run.json or search.json; None before the first launch."""
    try:
        return read_json(FirstLaunch, path).dataset
    except (OSError, Malformed):
        return None


def copy_dataset(parent: Path, folder: Path) -> None:
    """The run of `folder`, not launched so far, is to train on what its parent was launched with.

    Raises:
        OSError: The parent has no run.json, or the folder cannot be written.
        Malformed: The parent's run.json cannot be read.
    """
    write_json(folder / RUN_FILE, to_json(read_json(FirstLaunch, parent / RUN_FILE)))
