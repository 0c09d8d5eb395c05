"""HyperOpt's tree of Parzen estimators proposes."""

import math
from typing import Any

from hyperopt import hp, tpe
from hyperopt.base import JOB_STATE_DONE, JOB_STATE_NEW, STATUS_FAIL, STATUS_NEW, STATUS_OK, Domain, trials_from_docs
from hyperopt.pyll.base import Apply

from engine.specs import SearchSpec
from engine.specs.ranges import Range
from engine.tuning.samplers.sampler import Drawn, Outcome, Sampler, fits


class HyperOptSampler(Sampler):
    """A field that does not count in a trial is left out of what HyperOpt is told of it: so it writes conditions down
    itself, and learns of each field from the trials alone where it meant something.

    A trial without a loss, as one that has failed or is under way, counts as worse than any other.
    """

    def __init__(self, spec: SearchSpec) -> None:
        self._spec = spec
        self._docs: dict[int, dict[str, Any]] = {}  # trials as HyperOpt writes them down
        self._domain = Domain(lambda _: 0.0, {path: in_hyperopt(path, one) for path, one in spec.space.items()})

    def propose(self, number: int) -> Drawn | None:
        trials = trials_from_docs(list(self._docs.values()), validate=False)
        seed = (self._spec.seed * 10_007 + number) % 2**31
        (doc,) = tpe.suggest(
            [number], self._domain, trials, seed, n_startup_jobs=self._spec.random_first, verbose=False
        )
        drawn = {path: _plain(self._spec.space[path], raw[0]) for path, raw in doc["misc"]["vals"].items()}
        counts = self._spec.assigned(drawn)
        self.goes_on(number, counts)
        return counts

    def goes_on(self, number: int, assignment: Drawn) -> None:
        self._note(number, assignment, JOB_STATE_NEW, {"status": STATUS_NEW})

    def told(self, number: int, assignment: Drawn, outcome: Outcome) -> None:
        match outcome.end:
            case "unknown":
                self._docs.pop(number, None)
            case "failed":
                self._note(number, assignment, JOB_STATE_DONE, {"status": STATUS_FAIL})
            case _:
                loss = -outcome.values[0] if self._spec.mode == "max" else outcome.values[0]
                self._note(number, assignment, JOB_STATE_DONE, {"status": STATUS_OK, "loss": loss})

    def _note(self, number: int, assignment: Drawn, state: int, result: dict[str, Any]) -> None:
        if not fits(self._spec.space, assignment):
            return
        values = {path: [_raw(self._spec.space[path], assignment[path])] for path in assignment}
        misc = {
            "tid": number,
            "cmd": self._domain.cmd,
            "idxs": {path: [number] if path in assignment else [] for path in self._spec.space},
            "vals": {path: values.get(path, []) for path in self._spec.space},
        }
        self._docs[number] = {"tid": number, "state": state, "result": result, "misc": misc, "exp_key": None}


def in_hyperopt(path: str, one: Range) -> Apply:
    """The range in HyperOpt's words; steps are kept by who asked."""
    if one.choices is not None:
        return hp.choice(path, list(range(len(one.choices))))
    if one.integers is not None:
        return hp.uniformint(path, one.low, one.high)
    if one.kind == "log":
        return hp.loguniform(path, math.log(one.low), math.log(one.high))
    return hp.uniform(path, one.low, one.high)


def _plain(one: Range, raw: Any) -> Any:
    return one.choices[int(raw)] if one.choices is not None else float(raw)


def _raw(one: Range, value: Any) -> Any:
    return one.choices.index(value) if one.choices is not None else value
