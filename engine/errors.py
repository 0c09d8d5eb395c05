"""Errors in the user's words: what happened, why, what to do next."""

from collections.abc import Mapping
from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True, init=False)
class Problem:
    """One thing wrong with what the user gave.

    Args:
        path: Where: a setting's path or an argument's name; within a search behind its part: ("run", "epochs"),
            ("space", "model.head", "when").
        message: Says what is allowed.
        rule: The code that the message is made from, where something goes by it; `details` are the values in it.
    """

    path: tuple[str, ...]
    value: object
    message: str
    rule: str
    details: Mapping[str, object]

    def __init__(
        self,
        path: str | tuple[str, ...],
        value: object,
        message: str,
        rule: str = "",
        details: Mapping[str, object] | None = None,
    ) -> None:
        object.__setattr__(self, "path", (path,) if isinstance(path, str) else path)
        object.__setattr__(self, "value", value)
        object.__setattr__(self, "message", message)
        object.__setattr__(self, "rule", rule)
        object.__setattr__(self, "details", details or {})

    @property
    def field(self) -> str:
        """The path as YAML's reader would say it: "space.model.head.when"."""
        return ".".join(self.path)

    def below(self, part: str) -> "Problem":
        """The same, of what lies in this part of something larger."""
        return replace(self, path=(part, *self.path))

    def __str__(self) -> str:
        shown = f"{self.value!r}"
        return f"{self.field} = {shown if len(shown) <= 80 else shown[:77] + '...'}: {self.message}"


class Refused(ValueError):
    """Bad input, refused at the door; nothing was queued or written."""

    def __init__(self, problems: list[Problem]) -> None:
        self.problems = problems
        super().__init__("\n".join(map(str, problems)))


class Unavailable(RuntimeError):
    """What was asked for exists but cannot be used now: why, and what to do next."""

    def __init__(self, reason: str, advice: str = "") -> None:
        self.reason = reason
        self.advice = advice
        super().__init__(reason, advice)

    def __str__(self) -> str:
        return f"{self.reason} {self.advice}".rstrip()


class NotFound(KeyError):
    """No run, data set or checkpoint of that name."""

    def __str__(self) -> str:
        return str(self.args[0])


class Unfit(ValueError):
    """What was given to import makes no data set: why in one sentence, and what to do next."""

    def __init__(self, reason: str, advice: str) -> None:
        self.reason = reason
        self.advice = advice
        super().__init__(reason, advice)

    def __str__(self) -> str:
        return f"{self.reason} {self.advice}"
