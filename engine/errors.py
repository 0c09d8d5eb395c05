"""Errors in the user's words: what happened, why, what to do next."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong with what the user gave."""

    field: str  # path in the spec ("optimisation.learning_rate") or argument name
    value: object
    message: str  # says what is allowed

    def __str__(self) -> str:
        shown = f"{self.value!r}"
        return f"{self.field} = {shown if len(shown) <= 80 else shown[:77] + '...'}: {self.message}"


class Refused(ValueError):
    """Bad input, refused at the door; nothing was queued or written."""

    def __init__(self, problems: list[Problem]) -> None:
        self.problems = problems
        super().__init__("\n".join(map(str, problems)))


class Unavailable(RuntimeError):
    """What was asked for exists but cannot be used now; the text says why and what to do."""


class NotFound(KeyError):
    """No run, data set or checkpoint of that name."""

    def __str__(self) -> str:
        return str(self.args[0])


class Unfit(ValueError):
    """What was given to import makes no data set: why in one sentence, and what to do next."""

    def __init__(self, reason: str, advice: str) -> None:
        self.reason = reason
        self.advice = advice
        super().__init__(f"{reason} {advice}")
