"""Which trial is next, and what became of those before: the one book of a search, however its trials are trained."""

import math
import secrets
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from engine.errors import Refused
from engine.faults import cause_of
from engine.protocol.search_reporter import SearchReporter
from engine.specs import RunSpec, SearchSpec
from engine.specs.space import Assignment
from engine.tuning.samplers.sampler import Outcome, Sampler, make_sampler

SAME_FAILURES = 5  # at the beginning: what always fails is not tried on
OVER = ("finished", "failed", "stopped")  # states of trials that are never run again
ALPHABET = "23456789abcdefghjkmnpqrstvwxyz"  # as storage/ids.py, which is not for this room


@dataclass(frozen=True, slots=True)
class Trial:
    """A trial to train."""

    run: str  # the id of its run
    number: int
    assignment: Assignment  # what is searched
    spec: RunSpec  # with the run's name
    attempt: int = 1  # more: an earlier driver began it


@dataclass(slots=True)
class PastTrial:
    """A trial as the search's rows have it."""

    run: str
    number: int
    state: str
    config: Assignment = field(default_factory=dict)
    value: float | None = None
    reason: str | None = None
    cost: float | None = None
    attempt: int = 0
    history: list[list[float]] = field(default_factory=list)  # [epoch, metric] of each epoch

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> "PastTrial":
        return cls(**{name: row[name] for name in cls.__dataclass_fields__ if name in row})


class TrialLedger:
    """`ask` for a trial, train it, `tell` how it ended; also how those ended that an earlier driver had trained.

    Args:
        known: Trials of earlier drivers: those that are over are told to the algorithm, the others asked for first.
        wanted: Trials in all.
    """

    def __init__(self, spec: SearchSpec, reporter: SearchReporter, *, known: list[PastTrial], wanted: int) -> None:
        self.spec, self._reporter, self._wanted = spec, reporter, wanted
        self._proposer: Sampler = make_sampler(spec)
        self._unfinished = sorted((one for one in known if one.state not in OVER), key=lambda one: one.number)
        self._last = max((one.number for one in known), default=0)
        self._open: dict[str, Trial] = {}
        self._over: set[str] = set()
        self._failures: list[str] = []  # why trials failed that were asked for here, for as long as all have
        self._cut: str | None = None
        self._seen: dict[str, dict[int, float]] = {one.run: _by_epoch(one.history) for one in known}
        self._is_exhausted = False
        self._failed_before = sum(one.state == "failed" for one in known)
        for one in sorted(known, key=lambda one: one.number):
            if one.state in OVER:
                self._over.add(one.run)
                outcome = self._outcome(one.run, one.state, one.value, one.cost)
                self._proposer.told(one.number, _hashable(one.config), outcome)
            else:
                self._proposer.goes_on(one.number, _hashable(one.config))

    def ask(self) -> Trial | None:
        """The next trial; None: there is none now. See `is_over`.

        A trial whose settings do not go together has failed before it began, and the one after it is asked.
        """
        while not self.doom:
            if self._unfinished:
                one = self._unfinished.pop(0)
                asked = self._asked(one.run, one.number, _hashable(one.config), one.attempt + 1)
            elif self._is_exhausted or self._last >= self._wanted:
                return None
            else:
                self._last += 1
                assignment = self._next(self._last)
                if assignment is None:
                    self._last -= 1
                    self._is_exhausted = True
                    return None
                asked = self._asked(new_id(), self._last, assignment)
            if asked:
                return asked
        return None

    def saw(self, run: str, epoch: int, value: float) -> None:
        """A trial's metric after an epoch (the first is 1)."""
        seen = self._seen.setdefault(run, {})
        if epoch not in seen:
            self._proposer.saw(self._open[run].number, epoch, value)
        seen[epoch] = value

    def tell(
        self,
        run: str,
        state: str,
        *,
        value: float | None = None,
        cost: float | None = None,
        reason: str | None = None,
        advice: str | None = None,
    ) -> None:
        """A trial ended: finished, failed, stopped, or interrupted, then it is asked for again by the next driver.

        Args:
            value: The best of any epoch.
            cost: What the value is weighed against, where the search asks for it.
        """
        asked = self._open.pop(run)
        if state == "interrupted":
            self._cut = self._cut or reason or "A trial was interrupted."
        else:
            self._over.add(run)
            self._failures += [reason or "It failed."] if state == "failed" else []
            outcome = self._outcome(run, state, value, cost)
            self._proposer.told(asked.number, asked.assignment, outcome)
        self._reporter.trial_ended(run, state=state, reason=reason, advice=advice, cost=cost)

    def change(self, run: str, assignment: Mapping[str, Any]) -> Trial:
        """A trial that trains has new settings.

        Raises:
            Refused: They do not go together.
        """
        before = self._open[run]
        counts = self.spec.assigned(assignment)
        spec = self.spec.trial(counts).model_copy(update={"name": before.spec.name})
        self._open[run] = Trial(run, before.number, counts, spec, before.attempt)
        self._announce(self._open[run])
        return self._open[run]

    def want(self, trials: int) -> None:
        """So many are wanted in all, from now on; those that were asked for stay."""
        self._wanted = trials

    @property
    def wanted(self) -> int:
        return self._wanted

    @property
    def is_over(self) -> bool:
        """All that were wanted are over; none trains."""
        return not self._open and (bool(self.doom) or not self.may_ask)

    @property
    def may_ask(self) -> bool:
        return bool(self._unfinished) or (not self._is_exhausted and self._last < self._wanted)

    @property
    def open(self) -> Mapping[str, Trial]:
        """Trials that were asked for and are not over, by their runs."""
        return self._open

    @property
    def count(self) -> tuple[int, int]:
        """Trials that are over, and wanted."""
        return len(self._over), self._last if self._is_exhausted else self._wanted

    @property
    def over(self) -> Collection[str]:
        """Runs of trials that are over."""
        return self._over

    def seen(self, run: str) -> Mapping[int, float]:
        """A trial's metric after each epoch, whichever driver trained it."""
        return self._seen.get(run, {})

    def reaches_target(self, value: float | None) -> bool:
        if not self.spec.target or value is None:
            return False
        return value >= self.spec.target if self.spec.mode == "max" else value <= self.spec.target

    @property
    def cut(self) -> str | None:
        """Why a trial was interrupted, though it may be by its search's own word: it trains on under another driver."""
        return self._cut

    @property
    def doom(self) -> str | None:
        """Why it makes no sense to try on: no trial ever did anything but fail, the first ones here all for one cause
        or all of them for several. What failed under an earlier driver is past: the space may be another one."""
        found = self._failures
        is_done = not self._open and not self.may_ask
        if not found or self._has_lived or not (is_done or len(found) >= SAME_FAILURES):
            return None
        causes = Counter(map(cause_of, found[:SAME_FAILURES]))
        if len(causes) == 1:
            return f"{_all(found)} failed in the same way: {found[0]}"
        often = Counter(map(cause_of, found)).most_common(1)[0][0]
        example = next(reason for reason in found if cause_of(reason) == often)
        return f"{_all(found)} failed, most of them so: {example}" if is_done else None

    @property
    def _has_lived(self) -> bool:
        """Whether any trial ended otherwise than by failing."""
        return len(self._over) > self._failed_before + len(self._failures)

    def _next(self, number: int) -> Assignment | None:
        if number == 1:
            return self.spec.base
        drawn = self._proposer.propose(number)
        return None if drawn is None else self.spec.assigned(drawn)

    def _asked(self, run: str, number: int, assignment: Assignment, attempt: int = 1) -> Trial | None:
        name = f"{self.spec.name} {number}".strip()
        try:
            spec = self.spec.trial(assignment).model_copy(update={"name": name})
        except Refused as refused:
            shown = self.spec.run.model_copy(update={"name": name})
            self._open[run] = Trial(run, number, assignment, shown, attempt)
            self._announce(self._open[run])
            reason = f"These settings do not go together: {refused.problems[0].message}."
            self.tell(run, "failed", reason=reason, advice="Narrow the space, or make one setting depend on the other.")
            return None
        self._open[run] = Trial(run, number, assignment, spec, attempt)
        self._announce(self._open[run])
        return self._open[run]

    def _announce(self, asked: Trial) -> None:
        self._reporter.trial(
            asked.run,
            number=asked.number,
            name=asked.spec.name,
            attempt=asked.attempt,
            config=asked.assignment,
            spec=asked.spec.model_dump(mode="json"),
        )

    def _outcome(self, run: str, state: str, value: float | None, cost: float | None) -> Outcome:
        """Of a trial that was trained by several drivers each knows a part: the best of all that was seen counts."""
        if state == "failed":
            return Outcome("failed")
        seen = self.seen(run)
        found = [one for one in (value, *seen.values()) if one is not None and math.isfinite(one)]
        costs = () if self.spec.cost == "none" else (cost,)
        if not found or None in costs:
            return Outcome("unknown")
        best = max(found) if self.spec.mode == "max" else min(found)
        return Outcome("early" if state == "stopped" else "whole", (best, *costs), seen)


def new_id() -> str:
    return "".join(secrets.choice(ALPHABET) for _ in range(8))


def _all(failures: list[str]) -> str:
    return f"All of its first {len(failures)} trials" if len(failures) > 1 else "Its only trial"


def _by_epoch(history: list[list[float]]) -> dict[int, float]:
    return {int(epoch): value for epoch, value in history if value is not None}


def _hashable(config: Mapping[str, Any]) -> Assignment:
    """JSON's lists as tuples, as specs hold them."""
    return {path: tuple(value) if isinstance(value, list) else value for path, value in config.items()}
