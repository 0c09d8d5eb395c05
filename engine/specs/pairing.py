"""Which algorithm, early end, space and base run go together: what cannot work is refused before anything starts."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from engine.catalog.algorithms import ALGORITHMS
from engine.catalog.schedulers import SCHEDULERS
from engine.errors import Problem

if TYPE_CHECKING:
    from engine.specs.search import SearchSpec


def misfits(spec: "SearchSpec") -> list[Problem]:
    """Why a search cannot work as asked; [] when it can."""
    return [*_of_pair(spec.algorithm, spec.scheduler), *_of_space(spec), *_of_rest(spec)]


def _of_pair(algorithm: str, scheduler: str) -> Iterator[Problem]:
    row, ends = ALGORITHMS[algorithm], SCHEDULERS[scheduler]
    if row.schedulers and scheduler not in row.schedulers:
        yield Problem(
            "scheduler", scheduler, f"the algorithm {algorithm} works only with {' or '.join(row.schedulers)}"
        )
    elif ends.algorithms and algorithm not in ends.algorithms:
        told = f"the scheduler {scheduler} works only with {' or '.join(ends.algorithms)}; take that, or no scheduler"
        yield Problem("algorithm", algorithm, told)


def _of_space(spec: "SearchSpec") -> Iterator[Problem]:
    row, ends = ALGORITHMS[spec.algorithm], SCHEDULERS[spec.scheduler]
    if not spec.space:
        yield Problem("space", {}, "name at least one field to search, with its values")
    for path, one in spec.space.items():
        if row.finite and one.count is None:
            yield Problem(
                f"space.{path}", one.kind, f"{spec.algorithm} needs choices, integers or a step: it tries all"
            )
        if row.numbers and (one.kind == "choices" or spec.conditions[path]):
            told = "knows numbers only, without conditions; use integers, uniform or log, or another algorithm"
            yield Problem(f"space.{path}", one.kind, f"{spec.algorithm} {told}")
        if ends.changes and path not in ends.changes:
            told = f"{spec.scheduler} changes settings of trials that train, which only these allow: "
            yield Problem(f"space.{path}", path, told + ", ".join(ends.changes))
        elif ends.changes and spec.conditions[path]:
            yield Problem(f"space.{path}", path, f"{spec.scheduler} knows no conditions; leave this one out")


def _of_rest(spec: "SearchSpec") -> Iterator[Problem]:
    if spec.run.strategy != "single":
        yield Problem("run.strategy", spec.run.strategy, "trials train in one process each; choose single")
    if spec.cost != "none" and not ALGORITHMS[spec.algorithm].two_goals:
        able = ", ".join(name for name, row in ALGORITHMS.items() if row.two_goals)
        yield Problem("cost", spec.cost, f"{spec.algorithm} knows one goal; choose none, or the algorithm {able}")
    elif spec.cost != "none" and spec.scheduler != "none":
        yield Problem("scheduler", spec.scheduler, "with two goals no trial can be called the worst; choose none")
    if spec.metric == "val/accuracy" and spec.target > 1:
        yield Problem("target", spec.target, "accuracy is at most 1; 98 % is 0.98")
