"""What a driver has to do: search.json, and the folders of its trials."""

from dataclasses import dataclass, field
from pathlib import Path

from engine.protocol.driver_requests import LEAVE, StopRequest
from engine.protocol.json_lines import JsonLines
from engine.protocol.reasons import Reason, Why, fields_of
from engine.protocol.run_file import RunFile
from engine.protocol.run_lines import Ended, has_ended
from engine.protocol.search_file import SearchFile
from engine.specs import SearchSpec
from engine.tuning.trial_ledger import PastTrial, Trial

STOPPED = StopRequest.of("stopped", Why.of(Reason.STOPPED_BY_USER))


@dataclass(slots=True)
class SearchJob:
    """search.json, as the supervisor writes it, and the machine, which a cluster only shows once it is joined."""

    folder: Path
    spec: SearchSpec
    file: SearchFile
    cpus: int
    gpus: int
    stopped: set[str] = field(default_factory=set)  # runs of trials that their user stopped

    @classmethod
    def read(cls, folder: Path) -> "SearchJob":
        """
        Raises:
            OSError: It is not there.
            Malformed: It holds something else.
            Refused: Its spec is bad.
        """
        file = SearchFile.read(folder)
        spec = SearchSpec.parse(file.spec)
        spec = spec.model_copy(update={"name": file.name or spec.name})
        gpus = len([slot for slot in file.slots if slot != "cpu"])
        return cls(folder, spec, file, file.cpus, gpus, set(file.stop_requests))

    @property
    def attempt(self) -> int:
        return self.file.attempt

    @property
    def past_trials(self) -> list[PastTrial]:
        return [PastTrial.of(record) for record in self.file.trials]

    @property
    def max_concurrent(self) -> int:
        return self.spec.at_a_time(cpus=self.cpus, gpus=self.gpus)

    @property
    def device(self) -> str:
        return "cuda" if self.gpus else self.file.device

    @property
    def stop_file(self) -> Path:
        """Where the search's request to all of its trials appears."""
        return self.folder / LEAVE

    def run_folder(self, run: str) -> Path:
        return Path(self.file.runs) / run

    def stop_trial(self, run: str) -> None:
        """Its user has stopped the trial: it leaves now where it trains, else as soon as it is begun again."""
        self.stopped.add(run)
        if (folder := self.run_folder(run)).exists():
            STOPPED.write(folder / LEAVE)

    def prepare_run(self, trial: Trial) -> Path:
        """The trial's folder with its run.json, as a worker takes it; an earlier request to stop is void."""
        folder = self.run_folder(trial.run)
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        (folder / LEAVE).unlink(missing_ok=True)
        if trial.run in self.stopped:
            STOPPED.write(folder / LEAVE)
        RunFile(
            id=trial.run,
            name=trial.spec.name,
            attempt=trial.attempt,
            spec=trial.spec.model_dump(mode="json"),
            dataset=self.file.dataset,
            device=self.device,
            resume_from=None,  # whoever trains it goes on from the newest checkpoint that there is
            best_by=self.spec.metric,
            cache=self.file.cache,
            weights_path=self.file.weights_paths.get(trial.spec.model.weights_from),
        ).write(folder)
        return folder

    def end_run(self, run: str, state: str, why: Why | None) -> None:
        """Write a run's last line where nobody trains it any more; nothing if it has one."""
        folder = self.run_folder(run)
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not has_ended(folder):
            lines = JsonLines.events(folder)
            needed = 0 if state == "interrupted" else None
            lines.write(Ended(state=state, **fields_of(why), detail=None, needs_bytes=needed))
            lines.close()
