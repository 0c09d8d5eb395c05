"""search.json in a search's folder: what a driver needs to know, so that it never opens the database."""

from dataclasses import dataclass, field
from pathlib import Path

from engine.protocol.json_file import write_json
from engine.protocol.serialization import JsonObject, key, read_json, to_json

SEARCH_FILE = "search.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialRecord:
    """A trial of an earlier driver: one that is over to learn from, or one to go on with."""

    run: str  # the id of its run
    number: int  # within the search; 1 is the base run
    name: str = ""  # of its run
    state: str  # as of runs
    config: JsonObject = field(default_factory=dict)  # what is searched: field path -> value
    value: float | None = None  # of the search's metric: the best of any epoch
    best_epoch: int | None = None  # the one that reached it
    cost: float | None = None  # what the metric is weighed against, where the search asks for it
    epoch: int = 0  # completed
    epochs: int = 0  # in the whole run
    resume_from: str | None = None  # a checkpoint, relative to the run's folder
    attempt: int = 0  # of its run
    reason: str | None = None  # one sentence
    code: str = ""  # what the reason is made from
    history: tuple[tuple[int, float | None], ...] = ()  # the metric after each epoch


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchFile:
    """Written anew for each driver, by the supervisor."""

    id: str  # of the search
    name: str = ""  # of the search
    attempt: int  # 1: the first driver
    spec: JsonObject  # a SearchSpec, see settings.md
    dataset: JsonObject  # the data set's record as the search was first launched with it
    device: str  # "cuda", or as its spec has it
    slots: tuple[str, ...]  # "cpu", or numbers of GPUs
    cpus: int  # cores that trials may use
    cache: str  # the folder of images and features that all runs share
    weights_paths: dict[str, str] = field(default_factory=dict)  # each `model.weights_from` -> its file
    runs: str  # the folder that holds the folders of runs
    num_trials: int = key("wanted")  # trials in all
    spent_s: float = 0.0  # seconds that earlier drivers worked
    spent_gpu_s: float = 0.0  # the same, times the GPUs that they had
    stop_requests: tuple[str, ...] = key("stop_asked", default=())  # runs that their user stopped meanwhile
    trials: tuple[TrialRecord, ...]  # of earlier drivers

    @classmethod
    def read(cls, folder: Path) -> "SearchFile":
        """
        Raises:
            OSError: It is not there.
            Malformed: It holds something else.
        """
        return read_json(cls, folder / SEARCH_FILE)

    def write(self, folder: Path) -> None:
        """
        Raises:
            OSError: The search's folder cannot be written.
        """
        write_json(folder / SEARCH_FILE, to_json(self))
