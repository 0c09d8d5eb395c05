"""Which trial is next, and what became of those before: the one ledger of a search, however its trials are trained."""

import math
import secrets
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from engine.errors import Refused
from engine.faults import cause_of
from engine.protocol.reasons import Reason, Why
from engine.protocol.search_file import TrialRecord
from engine.protocol.search_reporter import SearchReporter
from engine.specs import RunSpec, SearchSpec
from engine.specs.space import Assignment
from engine.tuning.samplers.sampler import Outcome, make_sampler

SAME_FAILURES = 5  # at the beginning: what always fails is not tried on
OVER = ("finished", "failed", "stopped")  # states of trials that are never run again
ALPHABET = "23456789abcdefghjkmnpqrstvwxyz"  # as storage/ids.py, which is not for this room


@dataclass(frozen=True, slots=True)
class Trial:
    """A trial to train, as a run of its own."""

    run: str  # the id of its run
    number: int  # from 1: the base run
    params: Assignment  # what is searched
    spec: RunSpec  # with the run's name
    attempt: int = 1  # more: an earlier driver began it


@dataclass(slots=True)
class PastTrial:
    """A trial of an earlier driver, as the search's rows have it."""

    run: str
    number: int
    state: str
    config: Assignment = field(default_factory=dict)
    value: float | None = None
    reason: str | None = None
    cost: float | None = None
    attempt: int = 0
    history: Sequence[tuple[int, float | None]] = ()  # (epoch, metric) of each epoch

    @classmethod
    def of(cls, record: TrialRecord) -> "PastTrial":
        return cls(**{name: getattr(record, name) for name in cls.__dataclass_fields__})


class TrialLedger:
    """Hands out the next trial, and keeps how each ended, also those that an earlier driver trained.

    Args:
        past: Trials of earlier drivers: the sampler learns from those that are over, the others are handed out first.
        num_trials: In all; may be changed on the way.
    """

    def __init__(self, spec: SearchSpec, reporter: SearchReporter, *, past: list[PastTrial], num_trials: int) -> None:
        self.spec, self.num_trials, self._reporter = spec, num_trials, reporter
        self._sampler = make_sampler(spec)
        past = sorted(past, key=lambda one: one.number)
        self._unfinished = [one for one in past if one.state not in OVER]
        self._last = max((one.number for one in past), default=0)
        self._open: dict[str, Trial] = {}
        self._over: set[str] = set()
        self._failures: list[Why] = []  # why trials failed that were handed out here, for as long as all have
        self._interruption: Why | None = None
        self._values = {one.run: _by_epoch(one.history) for one in past}
        self._is_exhausted = False
        self._failed_before = sum(one.state == "failed" for one in past)
        for one in past:
            if one.state in OVER:
                self._over.add(one.run)
                outcome = self._outcome(one.run, one.state, one.value, one.cost)
                self._sampler.on_trial_complete(one.number, _hashable(one.config), outcome)
            else:
                self._sampler.on_trial_resume(one.number, _hashable(one.config))

    def next_trial(self) -> Trial | None:
        """The next trial to train; None: there is none now. See `is_over`.

        A trial whose settings do not go together has failed before it began, and the one after it is returned.
        """
        while not self.failure:
            if self._unfinished:
                one = self._unfinished.pop(0)
                trial = self._begin(one.run, one.number, _hashable(one.config), one.attempt + 1)
            elif (params := self._new_params()) is not None:
                trial = self._begin(new_id(), self._last, params)
            else:
                return None
            if trial:
                return trial
        return None

    def report(self, run: str, epoch: int, value: float) -> None:
        """A trial's metric after an epoch (the first is 1)."""
        values = self._values.setdefault(run, {})
        if epoch not in values:
            self._sampler.on_trial_result(self._open[run].number, epoch, value)
        values[epoch] = value

    def end(
        self,
        run: str,
        state: str,
        *,
        value: float | None = None,
        cost: float | None = None,
        why: Why | None = None,
    ) -> None:
        """A trial ended.

        Args:
            run: The id of its run.
            state: finished, failed, stopped, or interrupted: then the next driver hands it out again.
            value: The best of any epoch.
            cost: The second objective, where the search has one.
            why: None: it went as it should.
        """
        trial = self._open.pop(run)
        if state == "interrupted":
            self._interruption = self._interruption or why or Why.of(Reason.TRIAL_INTERRUPTED)
        else:
            self._over.add(run)
            self._failures += [why or Why.of(Reason.UNSAID)] if state == "failed" else []
            self._sampler.on_trial_complete(trial.number, trial.params, self._outcome(run, state, value, cost))
        self._reporter.trial_ended(run, state=state, why=why, cost=cost)

    def change_params(self, run: str, params: Mapping[str, Any]) -> Trial:
        """A trial that trains has new settings.

        Raises:
            Refused: They do not go together.
        """
        before = self._open[run]
        assigned = self.spec.assigned(params)
        spec = self.spec.trial(assigned).model_copy(update={"name": before.spec.name})
        return self._add(Trial(run, before.number, assigned, spec, before.attempt))

    @property
    def is_over(self) -> bool:
        """All trials are over; none trains."""
        return not self._open and (bool(self.failure) or not self.has_next)

    @property
    def has_next(self) -> bool:
        return bool(self._unfinished) or (not self._is_exhausted and self._last < self.num_trials)

    @property
    def open(self) -> Mapping[str, Trial]:
        """Trials that were handed out and are not over, by their runs."""
        return self._open

    @property
    def over(self) -> Collection[str]:
        """Runs of trials that are over."""
        return self._over

    @property
    def progress(self) -> tuple[int, int]:
        """(trials that are over, trials in all)."""
        return len(self._over), self._last if self._is_exhausted else self.num_trials

    def intermediate_values(self, run: str) -> Mapping[int, float]:
        """A trial's metric after each epoch, whichever driver trained it."""
        return self._values.get(run, {})

    def reaches_target(self, value: float | None) -> bool:
        if not self.spec.target or value is None:
            return False
        return value >= self.spec.target if self.spec.mode == "max" else value <= self.spec.target

    @property
    def interruption(self) -> Why | None:
        """Why a trial was interrupted, though perhaps at its search's own request: it goes on under another driver."""
        return self._interruption

    @property
    def failure(self) -> Why | None:
        """Why it makes no sense to try on: no trial ever did anything but fail, the first ones here all for one cause
        or all of them for several. What failed under an earlier driver is past: the space may be another one."""
        found = self._failures
        is_done = not self._open and not self.has_next
        if not found or self._has_success or not (is_done or len(found) >= SAME_FAILURES):
            return None
        causes = [cause_of(one.code, one.reason) for one in found]
        advice = "Change the base run or the space, then continue the search."
        if len(set(causes[:SAME_FAILURES])) == 1:
            return Why.of(Reason.ALL_FAILED_ALIKE, trials=_all(found), first=found[0].reason, advice=advice)
        often = found[causes.index(Counter(causes).most_common(1)[0][0])]
        return Why.of(Reason.ALL_FAILED, trials=_all(found), first=often.reason, advice=advice) if is_done else None

    @property
    def _has_success(self) -> bool:
        """Whether any trial ended otherwise than by failing."""
        return len(self._over) > self._failed_before + len(self._failures)

    def _new_params(self) -> Assignment | None:
        """Settings of a trial that is new; None: there are no more."""
        if self._is_exhausted or self._last >= self.num_trials:
            return None
        number = self._last + 1
        if number == 1:
            params = self.spec.base
        elif (drawn := self._sampler.suggest(number)) is not None:
            params = self.spec.assigned(drawn)
        else:
            self._is_exhausted = True
            return None
        self._last = number
        return params

    def _begin(self, run: str, number: int, params: Assignment, attempt: int = 1) -> Trial | None:
        name = f"{self.spec.name} {number}".strip()
        try:
            spec = self.spec.trial(params).model_copy(update={"name": name})
        except Refused as refused:
            self._add(Trial(run, number, params, self.spec.run.model_copy(update={"name": name}), attempt))
            advice = "Narrow the space, or make one setting depend on the other."
            self.end(run, "failed", why=Why.of(Reason.MISFIT, detail=refused.problems[0].message, advice=advice))
            return None
        return self._add(Trial(run, number, params, spec, attempt))

    def _add(self, trial: Trial) -> Trial:
        self._open[trial.run] = trial
        self._reporter.trial(
            trial.run,
            number=trial.number,
            name=trial.spec.name,
            attempt=trial.attempt,
            config=trial.params,
            spec=trial.spec.model_dump(mode="json"),
        )
        return trial

    def _outcome(self, run: str, state: str, value: float | None, cost: float | None) -> Outcome:
        """Of a trial that was trained by several drivers each knows a part: the best of all epochs counts."""
        if state == "failed":
            return Outcome("failed")
        by_epoch = self.intermediate_values(run)
        values = [one for one in (value, *by_epoch.values()) if one is not None and math.isfinite(one)]
        costs = () if self.spec.cost == "none" else (cost,)
        if not values or None in costs:
            return Outcome("unknown")
        best = max(values) if self.spec.mode == "max" else min(values)
        return Outcome("pruned" if state == "stopped" else "complete", (best, *costs), by_epoch)


def new_id() -> str:
    return "".join(secrets.choice(ALPHABET) for _ in range(8))


def _all(failures: list[Why]) -> str:
    return f"All of its first {len(failures)} trials" if len(failures) > 1 else "Its only trial"


def _by_epoch(history: Sequence[tuple[int, float | None]]) -> dict[int, float]:
    return {int(epoch): value for epoch, value in history if value is not None}


def _hashable(config: Mapping[str, Any]) -> Assignment:
    """JSON's lists as tuples, as specs hold them."""
    return {path: tuple(value) if isinstance(value, list) else value for path, value in config.items()}
