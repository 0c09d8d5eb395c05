"""What a search tries: a base run, the fields that vary and how, who chooses, and when it is enough."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cache
from typing import Annotated, Any, ClassVar, Literal, Self

from annotated_types import Ge, Gt, Le, Lt, MaxLen
from pydantic import field_validator, model_validator

from engine.catalog.algorithms import ALGORITHMS
from engine.catalog.schedulers import SCHEDULERS
from engine.errors import Problem, Refused
from engine.specs.ranges import Range
from engine.specs.rules import FORMS, Misfit, Names, Rule, problem
from engine.specs.run import RunSpec, settings
from engine.specs.setting import Setting, leaves, message_of, one_of, problems_of, setting, takers
from engine.specs.space import Assignment, assigned, combinations, conditions, fitted_space, grid, value_at
from engine.specs.whole import Whole

METRICS = {"val/accuracy": "max", "val/loss": "min"}  # -> which end is best
RENAMED = {"at_once": "max_concurrent"}  # as files and drivers of earlier versions have it -> the field today


class SearchSpec(Whole):
    """What to search."""

    noun: ClassVar[str] = "search"

    name: Annotated[str, MaxLen(150)] = setting(
        "", "Name", "How the search is listed. Left empty, one is made from the base run."
    )
    run: RunSpec = RunSpec()
    space: dict[str, Range] = {}
    algorithm: Annotated[str, one_of(ALGORITHMS)] = setting(
        "hyperopt",
        "Algorithm",
        "What picks the next trial's settings.",
        term="search algorithm, sampler",
        choices="algorithms",
    )
    scheduler: Annotated[str, one_of(SCHEDULERS)] = setting(
        "none",
        "Stops poor trials early",
        "What may end a trial before its last epoch, so that time goes to better ones.",
        term="scheduler, pruner",
        choices="schedulers",
    )
    trials: Annotated[int, Ge(1), Le(10_000)] = setting(
        10, "Trials", "How many runs in all. The first is always the base run as it stands."
    )
    metric: Literal["val/accuracy", "val/loss"] = setting(
        "val/accuracy",
        "Judged by",
        "What is best: the highest validation accuracy of any epoch, or the lowest loss.",
        term="objective",
    )
    cost: Literal["none", "epoch_s", "parameters"] = setting(
        "none",
        "Weighed against",
        "A second goal to keep small: seconds an epoch, or the number of weights. The best is then a trade-off.",
        term="second objective",
        when=takers("algorithm", ALGORITHMS, "cost"),
        advanced=True,
    )
    target: Annotated[float, Ge(0), Le(1000)] = setting(
        0.0,
        "Enough at",
        "The search ends as soon as a trial reaches this value of the metric. 0: never.",
        advanced=True,
    )
    hours: Annotated[float, Ge(0), Le(10_000)] = setting(
        0.0, "Time budget", "No trial starts after so long, and those that train end. 0 is no limit.", unit="hours"
    )
    gpu_hours: Annotated[float, Ge(0), Le(1_000_000)] = setting(
        0.0, "GPU budget", "The same, counted in hours of all GPUs in use. 0 is no limit.", unit="hours", advanced=True
    )
    max_concurrent: Annotated[int, Ge(0), Le(1000)] = setting(
        0,
        "Trials at a time",
        "0: as many as the machine has room for. An algorithm that learns does so from those "
        "that ended: fewer at a time, better choices.",
        term="maximum of concurrent trials",
    )
    cpus: Annotated[int, Ge(1), Le(1024)] = setting(1, "CPUs a trial", "Cores that each trial computes with.")
    gpus: Annotated[float, Gt(0), Le(1)] = setting(
        1.0,
        "GPUs a trial",
        "On a machine with GPUs: a share as 0.5 lets trials share one, which must then have memory for all of them.",
        advanced=True,
    )
    seed: Annotated[int, Ge(0), Lt(2**31)] = setting(
        0, "Seed of the search", "Start of the algorithm's own chances; trials keep the seed of the run.", advanced=True
    )
    random_first: Annotated[int, Ge(1), Le(1000)] = setting(
        5,
        "Random at first",
        "So many trials are drawn by chance before the algorithm begins to learn from them.",
        term="startup trials",
        when=takers("algorithm", ALGORITHMS, "random_first"),
        advanced=True,
    )
    grace_epochs: Annotated[int, Ge(1), Le(10_000)] = setting(
        2,
        "Left alone for",
        "No trial is ended earlier than this.",
        term="grace period",
        unit="epochs",
        when=takers("scheduler", SCHEDULERS, "grace_epochs"),
        advanced=True,
    )
    reduction: Annotated[int, Ge(2), Le(10)] = setting(
        3,
        "One goes on of",
        "At each look, the best of so many trials goes on. More ends more of them, earlier.",
        term="reduction factor",
        when=takers("scheduler", SCHEDULERS, "reduction"),
        advanced=True,
    )
    perturb_epochs: Annotated[int, Ge(1), Le(1000)] = setting(
        2,
        "Compared every",
        "Epochs after which the worst may take over from the best.",
        term="perturbation interval",
        unit="epochs",
        when=takers("scheduler", SCHEDULERS, "perturb_epochs"),
        advanced=True,
    )

    @model_validator(mode="before")
    @classmethod
    def _of_earlier_versions(cls, values: Any) -> Any:
        if not isinstance(values, dict):
            return values
        return {
            name if RENAMED.get(name, name) in values else RENAMED.get(name, name): one for name, one in values.items()
        }

    @field_validator("space", mode="after")
    @classmethod
    def _space_fits(cls, space: dict[str, Range]) -> dict[str, Range]:
        return fitted_space(space)

    @model_validator(mode="after")
    def _can_work(self) -> Self:
        conditions(self.run, self.space)  # raises where one can never hold
        if problems := misfits(self):
            raise Refused(problems)
        return self

    @property
    def mode(self) -> str:
        """ "max" or "min": which end of the metric is best."""
        return METRICS[self.metric]

    @property
    def conditions(self) -> dict[str, dict[str, tuple[Any, ...]]]:
        """For each searched field the values that others must have for it to mean something, parents first."""
        return conditions(self.run, self.space)

    @property
    def combinations(self) -> int | None:
        """How many different trials the space holds, the base run not counted; None: no end of them."""
        return combinations(self.run, self.space)

    @property
    def num_trials(self) -> int:
        """Trials to run, the base run included: a grid ends with its last combination, and tries none twice."""
        whole = self.combinations if self.algorithm == "grid" else None
        if whole is None:
            return self.trials
        is_one_of_them = all(value in self.space[path].values for path, value in self.base.items())
        return min(self.trials, whole if is_one_of_them else whole + 1)

    @property
    def most_epochs(self) -> int:
        """Epochs of the longest trial that it can ask for."""
        searched = self.space.get("epochs")
        if searched is None:
            return self.run.epochs
        return max(self.run.epochs, *(searched.choices or (int(searched.high),)))

    @property
    def base(self) -> Assignment:
        """The base run's own values of the searched fields that count there: what trial 1 is listed with."""
        found: Assignment = {}
        for path, all_of in self.conditions.items():  # parents first: what does not count counts for no other
            if _holds(all_of, found):
                found[path] = value_at(self.run, path)
        return found

    def grid(self) -> Iterator[Assignment]:
        """Every combination once, in order. Only for a space whose `combinations` can be counted."""
        return grid(self.run, self.space)

    def assigned(self, drawn: Mapping[str, Any]) -> Assignment:
        """What a sampler drew, as plain values of the fields that count: NumPy's numbers unwrapped, steps kept,
        what belongs to another choice left out.

        Raises:
            Refused: A field that is not searched.
        """
        return assigned(self.run, self.space, drawn)

    def trial(self, assignment: Mapping[str, Any]) -> RunSpec:
        """The base run with these values in place of its own.

        Raises:
            Refused: They do not go together: the reason of a trial that cannot be run.
        """
        values = self.run.model_dump(mode="json")
        for path, value in assignment.items():
            *parents, leaf = path.split(".")
            inner = values
            for parent in parents:
                inner = inner[parent]
            inner[leaf] = value
        return RunSpec.parse(values)

    def at_a_time(self, *, cpus: int, gpus: int) -> int:
        """Trials side by side on so many cores and GPUs; 0 GPUs: on the CPU."""
        room = min(gpus * on_a_gpu(self.gpus), cpus // self.cpus) if gpus else cpus // self.cpus
        return max(1, min(room, self.max_concurrent or self.num_trials, self.num_trials))

    @classmethod
    def _problems(cls, line: dict[str, Any]) -> list[Problem]:
        return _problems(line)

    def _written(self, *, all_fields: bool) -> dict[str, Any]:
        space = {path: one.model_dump(mode="json", exclude_defaults=True) for path, one in self.space.items()}
        return super()._written(all_fields=all_fields) | {"space": space}


def on_a_gpu(share: float) -> int:
    """Trials of so much of a GPU that fit onto one: none takes parts of two."""
    return int(1 / share + 1e-9)


def search_settings() -> Iterator[Setting]:
    """Every leaf field of a search of its own, in order: the base run's and the space left out."""
    return (one for one in leaves(SearchSpec) if not one.path.startswith("run.") and one.path != "space")


@cache
def _known(of_run: bool) -> dict[str, Setting]:
    return {one.path: one for one in (settings() if of_run else search_settings())}


def _problems(line: dict[str, Any]) -> list[Problem]:
    place, refused = tuple(line["loc"]), line.get("ctx", {}).get("error")
    if place[:1] == ("run",) and (len(place) > 1 or line["type"] == "value_error"):
        return [one.below("run") for one in problems_of({**line, "loc": place[1:]}, _known(of_run=True))]
    if isinstance(refused, Refused):
        return refused.problems
    if place == ("run",):
        return [Problem("run", line["input"], "must be a mapping with the fields of a run")]
    if place[:1] == ("space",):
        return [_of_space(place[1:], line)]
    found = problems_of(line, _known(of_run=False))
    if line["type"] == "extra_forbidden" and len(place) == 1:
        return [replace(one, message=f"{one.message}, run, space") for one in found]
    return found


def _holds(all_of: Mapping[str, tuple[Any, ...]], values: Mapping[str, Any]) -> bool:
    return all(values.get(path) in allowed for path, allowed in all_of.items())


def _of_space(place: tuple[Any, ...], line: dict[str, Any]) -> Problem:
    match place:
        case ():
            return Problem("space", line["input"], "must be a mapping of field to range")
        case (path,) if isinstance(misfit := line.get("ctx", {}).get("error"), Misfit):
            return misfit.at(("space", path), line["input"])
        case (path,) if line["type"] == "value_error":
            return Problem(("space", path), line["input"], message_of(line))
        case (path, "when", *_):
            return Problem(
                ("space", path, "when"), line["input"], "must be a mapping of field to value or list of values"
            )
        case (path, *_):
            return problem(("space", path), line["input"], Rule.NO_VALUES, forms=FORMS)
    raise AssertionError(place)


def misfits(spec: SearchSpec) -> list[Problem]:
    """Why a search cannot work as asked; [] when it can."""
    return [*_misfits_of_pair(spec.algorithm, spec.scheduler), *_misfits_of_space(spec), *_misfits_of_rest(spec)]


def _misfits_of_pair(algorithm: str, scheduler: str) -> Iterator[Problem]:
    row, ends = ALGORITHMS[algorithm], SCHEDULERS[scheduler]
    if row.schedulers and scheduler not in row.schedulers:
        able = Names(row.schedulers)
        yield problem("scheduler", scheduler, Rule.ALGORITHM_NEEDS, algorithm=algorithm, schedulers=able)
    elif ends.algorithms and algorithm not in ends.algorithms:
        able = Names(ends.algorithms)
        yield problem("algorithm", algorithm, Rule.SCHEDULER_NEEDS, scheduler=scheduler, algorithms=able)


def _misfits_of_space(spec: SearchSpec) -> Iterator[Problem]:
    row, ends = ALGORITHMS[spec.algorithm], SCHEDULERS[spec.scheduler]
    if not spec.space:
        yield problem("space", {}, Rule.NO_SPACE)
    for path, one in spec.space.items():
        if row.finite and one.count is None:
            yield problem(("space", path), one.kind, Rule.ENDLESS, algorithm=spec.algorithm)
        if row.numbers and (one.kind == "choices" or spec.conditions[path]):
            yield problem(("space", path), one.kind, Rule.NUMBERS_ONLY, algorithm=spec.algorithm)
        if ends.changes and path not in ends.changes:
            able = Names(ends.changes)
            yield problem(("space", path), path, Rule.CHANGES_OTHERS, scheduler=spec.scheduler, paths=able)
        elif ends.changes and spec.conditions[path]:
            yield problem(("space", path), path, Rule.NO_CONDITIONS, scheduler=spec.scheduler)


def _misfits_of_rest(spec: SearchSpec) -> Iterator[Problem]:
    if spec.run.strategy != "single":
        yield Problem(("run", "strategy"), spec.run.strategy, "trials train in one process each; choose single")
    if spec.cost != "none" and not ALGORITHMS[spec.algorithm].two_goals:
        able = Names(name for name, row in ALGORITHMS.items() if row.two_goals)
        yield problem("cost", spec.cost, Rule.ONE_GOAL, algorithm=spec.algorithm, algorithms=able, none="none")
    elif spec.cost != "none" and spec.scheduler != "none":
        yield problem("scheduler", spec.scheduler, Rule.NO_WORST, none="none")
    if spec.metric == "val/accuracy" and spec.target > 1:
        yield Problem("target", spec.target, "accuracy is at most 1; 98 % is 0.98")
