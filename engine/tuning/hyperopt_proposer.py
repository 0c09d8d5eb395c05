"""HyperOpt's tree of Parzen estimators proposes."""

import math
from collections.abc import Mapping
from typing import Any

from hyperopt import hp, tpe
from hyperopt.base import JOB_STATE_DONE, JOB_STATE_ERROR, STATUS_FAIL, STATUS_OK, Domain, Trials
from hyperopt.pyll.base import Apply

from engine.spec import SearchSpec
from engine.spec.ranges import Range
from engine.tuning.proposing import Drawn, Values, fits, lowest


class ByHyperOpt:
    """A field that does not count in a trial is left out of what HyperOpt is told of it: so it writes conditions down
    itself, and learns of each field from the trials alone where it meant something."""

    def __init__(self, spec: SearchSpec) -> None:
        self._spec, self._trials = spec, Trials()
        self._domain = Domain(lambda _: 0.0, {path: in_hyperopt(path, one) for path, one in spec.space.items()})

    def propose(self, number: int) -> Drawn | None:
        self._trials.refresh()
        seed = (self._spec.seed * 10_007 + number) % 2**31
        (doc,) = tpe.suggest(
            [number], self._domain, self._trials, seed, n_startup_jobs=self._spec.random_first, verbose=False
        )
        drawn = {path: _plain(self._spec.space[path], raw[0]) for path, raw in doc["misc"]["vals"].items()}
        counts = self._spec.assigned(drawn)
        for path in drawn.keys() - counts.keys():
            doc["misc"]["vals"][path] = doc["misc"]["idxs"][path] = []
        self._trials.insert_trial_docs([doc])
        self._trials.refresh()
        return counts

    def told(self, number: int, assignment: Drawn, values: Values, seen: Mapping[int, float]) -> None:
        loss = lowest(self._spec, values)
        doc = next((one for one in self._trials.trials if one["tid"] == number), None)
        if doc is None:
            if not math.isfinite(loss) or not fits(self._spec.space, assignment):
                return
            doc = self._known(number, assignment)
        is_good = math.isfinite(loss)
        doc["state"] = JOB_STATE_DONE if is_good else JOB_STATE_ERROR
        doc["result"] = {"loss": loss, "status": STATUS_OK} if is_good else {"status": STATUS_FAIL}
        if number not in self._trials.tids:
            self._trials.insert_trial_docs([doc])
        self._trials.refresh()

    def _known(self, number: int, assignment: Drawn) -> dict[str, Any]:
        """A trial that HyperOpt did not propose, in its words."""
        values = {path: [_raw(self._spec.space[path], assignment[path])] for path in assignment}
        misc = {
            "tid": number,
            "cmd": ("domain_attachment", "FMinIter_Domain"),
            "idxs": {path: [number] if path in assignment else [] for path in self._spec.space},
            "vals": {path: values.get(path, []) for path in self._spec.space},
        }
        (doc,) = self._trials.new_trial_docs([number], [None], [{"status": "new"}], [misc])
        return dict(doc)


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
