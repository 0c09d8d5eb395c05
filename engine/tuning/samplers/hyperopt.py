"""HyperOpt's tree of Parzen estimators samples (Bergstra et al. 2011)."""

import math
from typing import Any

from hyperopt import hp, tpe
from hyperopt.base import JOB_STATE_DONE, JOB_STATE_NEW, STATUS_FAIL, STATUS_NEW, STATUS_OK, Domain, trials_from_docs
from hyperopt.pyll.base import Apply

from engine.specs import SearchSpec
from engine.specs.ranges import Range
from engine.tuning.samplers.sampler import Outcome, Params, Sampler, is_in_space


class HyperOptSampler(Sampler):
    """A field that does not count in a trial is left out of HyperOpt's document of it: so HyperOpt itself writes
    conditions down, and learns of each field from the trials alone where it meant something.

    A trial without a loss, as one that has failed or is under way, counts as worse than any other.
    """

    def __init__(self, spec: SearchSpec) -> None:
        self._spec = spec
        self._docs: dict[int, dict[str, Any]] = {}  # trial number -> HyperOpt's document of it
        self._domain = Domain(lambda _: 0.0, {path: hyperopt_expression(path, one) for path, one in spec.space.items()})

    def suggest(self, number: int) -> Params | None:
        trials = trials_from_docs(list(self._docs.values()), validate=False)
        seed = (self._spec.seed * 10_007 + number) % 2**31
        (doc,) = tpe.suggest(
            [number], self._domain, trials, seed, n_startup_jobs=self._spec.random_first, verbose=False
        )
        drawn = {path: _decoded(self._spec.space[path], raw[0]) for path, raw in doc["misc"]["vals"].items()}
        params = self._spec.assigned(drawn)
        self.on_trial_resume(number, params)
        return params

    def on_trial_resume(self, number: int, params: Params) -> None:
        self._record(number, params, JOB_STATE_NEW, {"status": STATUS_NEW})

    def on_trial_complete(self, number: int, params: Params, outcome: Outcome) -> None:
        match outcome.state:
            case "unknown":
                self._docs.pop(number, None)
            case "failed":
                self._record(number, params, JOB_STATE_DONE, {"status": STATUS_FAIL})
            case _:
                loss = -outcome.values[0] if self._spec.mode == "max" else outcome.values[0]
                self._record(number, params, JOB_STATE_DONE, {"status": STATUS_OK, "loss": loss})

    def _record(self, number: int, params: Params, state: int, result: dict[str, Any]) -> None:
        if not is_in_space(self._spec.space, params):
            return
        values = {path: [_encoded(self._spec.space[path], params[path])] for path in params}
        misc = {
            "tid": number,
            "cmd": self._domain.cmd,
            "idxs": {path: [number] if path in params else [] for path in self._spec.space},
            "vals": {path: values.get(path, []) for path in self._spec.space},
        }
        self._docs[number] = {"tid": number, "state": state, "result": result, "misc": misc, "exp_key": None}


def hyperopt_expression(path: str, one: Range) -> Apply:
    """The range in HyperOpt's terms, without its step: `SearchSpec.assigned` rounds to that."""
    if one.choices is not None:
        return hp.choice(path, list(range(len(one.choices))))
    if one.integers is not None:
        return hp.uniformint(path, one.low, one.high)
    if one.kind == "log":
        return hp.loguniform(path, math.log(one.low), math.log(one.high))
    return hp.uniform(path, one.low, one.high)


def _decoded(one: Range, raw: Any) -> Any:
    return one.choices[int(raw)] if one.choices is not None else float(raw)


def _encoded(one: Range, value: Any) -> Any:
    return one.choices.index(value) if one.choices is not None else value
