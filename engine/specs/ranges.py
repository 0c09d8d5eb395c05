"""The values that a search may give to one field: a list, whole numbers, or numbers between two ends."""

from collections.abc import Mapping
from math import floor
from typing import Any, Literal, Self, cast

from pydantic import field_validator, model_validator

from engine.specs.rules import FORMS, Misfit, Rule
from engine.specs.setting import Part

Kind = Literal["choices", "integers", "uniform", "log"]
KINDS: dict[Kind, str] = {
    "choices": "one of a list of values",
    "integers": "whole numbers from low to high, both included",
    "uniform": "numbers from low to high, all as likely",
    "log": "numbers from low to high, every power of ten as likely: for rates and decays",
}
MOST_STEPS = 100_000


class Range(Part):
    """One of `choices`, `integers`, `uniform` and `log`; numbers may have a `step`, counted from the low end.

    `when` makes it conditional: it is searched only in trials where each field named there has one of these values.
    """

    choices: tuple[Any, ...] | None = None
    integers: tuple[int, int] | None = None
    uniform: tuple[float, float] | None = None
    log: tuple[float, float] | None = None
    step: float | None = None
    when: dict[str, tuple[Any, ...]] = {}

    @field_validator("choices", mode="after")
    @classmethod
    def _hashable(cls, choices: tuple[Any, ...] | None) -> tuple[Any, ...] | None:
        return None if choices is None else tuple(map(hashable, choices))

    @field_validator("when", mode="before")
    @classmethod
    def _of_one(cls, when: Any) -> Any:
        """One value may stand without brackets."""
        if not isinstance(when, Mapping):
            return when
        return {path: tuple(map(hashable, v)) if isinstance(v, list | tuple) else (v,) for path, v in when.items()}

    @model_validator(mode="after")
    def _is_one_kind(self) -> Self:
        given = [name for name in KINDS if getattr(self, name) is not None]
        if len(given) != 1:
            raise Misfit(Rule.NO_RANGE, forms=FORMS)
        if self.kind == "choices":
            if not self.choices or len(set(map(repr, self.choices))) < len(self.choices):
                raise Misfit(Rule.NO_CHOICES)
            if self.step is not None:
                raise ValueError("choices have no step")
            return self
        if not self.low < self.high:
            raise Misfit(Rule.NO_RISE, low=self.low, high=self.high)
        if self.kind == "log" and self.low <= 0:
            raise Misfit(Rule.LOG_FROM_ZERO)
        if self.step is not None and not 0 < self.step <= (self.high - self.low) * (1 + 1e-9):
            raise Misfit(Rule.STEP_TOO_LARGE, most=self.high - self.low)
        if self.kind == "integers" and self.step is not None and self.step != int(self.step):
            raise Misfit(Rule.STEP_NOT_WHOLE)
        if self.count is not None and self.count > MOST_STEPS:
            raise Misfit(Rule.TOO_MANY_STEPS, steps=self.count, most=MOST_STEPS)
        return self

    @property
    def kind(self) -> Kind:
        return next(name for name in KINDS if getattr(self, name) is not None)

    @property
    def low(self) -> float:
        """Of numbers alone."""
        return cast(float, getattr(self, self.kind)[0])

    @property
    def high(self) -> float:
        return cast(float, getattr(self, self.kind)[1])

    @property
    def count(self) -> int | None:
        """How many values there are; None: any number between two ends."""
        if self.choices is not None:
            return len(self.choices)
        step = self.step or (1 if self.integers else None)
        return None if step is None else floor((self.high - self.low) / step + 1e-9) + 1

    @property
    def values(self) -> tuple[Any, ...]:
        """All of them; () when they cannot be counted."""
        if self.choices is not None:
            return self.choices
        return tuple(self._at(number) for number in range(self.count or 0))

    def nearest(self, value: Any) -> Any:
        """The allowed value next to a number that a sampler drew; a choice stays as it is."""
        if self.choices is not None:
            return value
        if self.count is None:
            return min(max(float(value), self.low), self.high)
        step = self.step or 1
        return self._at(min(max(round((value - self.low) / step), 0), self.count - 1))

    def _at(self, number: int) -> float:
        value = self.low + number * (self.step or 1)
        return int(value) if self.integers else min(float(f"{value:.12g}"), self.high)  # 0.1 + 2 * 0.1 is 0.3 to people


def hashable(value: Any) -> Any:
    """Lists of YAML as tuples, as a spec's fields hold them."""
    return tuple(map(hashable, value)) if isinstance(value, list | tuple) else value


def in_words(one: Range) -> str:
    """ "0.0001 to 0.01, log", "32, 64 or 128"."""
    if one.choices is not None:
        shown = [" + ".join(map(str, v)) or "none" if isinstance(v, tuple) else str(v) for v in one.choices]
        return ", ".join(shown[:-1]) + " or " + shown[-1] if len(shown) > 1 else shown[0]
    step = "" if one.step is None else f" in steps of {one.step:g}"
    return f"{one.low:g} to {one.high:g}{step}{', log' if one.kind == 'log' else ''}"
