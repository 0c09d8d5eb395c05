"""How a field of a spec describes itself: label, words, unit and range in one place, read by form, docs and errors."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_origin

from annotated_types import Ge, Gt, Le, Lt, MaxLen
from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from pydantic.fields import FieldInfo

from engine.errors import Problem, Refused

When = tuple[str, tuple[str, ...]]  # path of another field, and its values with which this one means something


class Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


def setting(
    default: Any,
    label: str,
    description: str,
    *,
    term: str = "",
    unit: str = "",
    choices: str | None = None,
    advanced: bool = False,
    scale: Literal["linear", "log"] = "linear",
    when: When | None = None,
) -> Any:
    """A spec field.

    Args:
        default: Its value where a spec leaves it out.
        label: Its name in forms, in plain words.
        description: What it does, and when to change it.
        term: What the field calls it, where the label does not.
        unit: Of its number, as a form shows it.
        choices: The catalog table whose keys are allowed; "datasets" is looked up in the store.
        advanced: It stands under More.
        scale: How its numbers are spread, for a search.
        when: It means something only with these values of another field.
    """
    return Field(
        default,
        title=label,
        description=description,
        json_schema_extra={
            "term": term,
            "unit": unit,
            "choices": choices,
            "advanced": advanced,
            "scale": scale,
            "when": when,  # type: ignore[dict-item]
        },
    )


def one_of(table: Mapping[str, object]) -> AfterValidator:
    """The rule that a field's value is a key of a catalog table."""

    def check(value: str) -> str:
        if value not in table:
            raise ValueError(f"must be one of {', '.join(table)}")
        return value

    return AfterValidator(check)


def takers(path: str, table: Mapping[str, Any], field: str) -> When:
    """`when` of a field that rows of a catalog table say they take; `path` is the field that chooses the row."""
    return path, tuple(name for name, row in table.items() if field in row.takes)


def some_of(table: Mapping[str, object]) -> AfterValidator:
    """The rule that a field's values are keys of a catalog table, each once."""

    def check(values: tuple[str, ...]) -> tuple[str, ...]:
        if unknown := [value for value in values if value not in table]:
            raise ValueError(f"{', '.join(unknown)}: each must be one of {', '.join(table)}")
        return tuple(dict.fromkeys(values))

    return AfterValidator(check)


@dataclass(frozen=True, slots=True)
class Setting:
    """One leaf of a spec, as a form or the docs need it."""

    path: str  # "optimisation.learning_rate"
    label: str
    description: str
    term: str  # what the field calls it, where the label does not
    type: type | None  # int, float, bool, str; tuple for several texts
    default: Any
    unit: str
    choices: tuple[str, ...] | str | None  # allowed values; a str names a catalog table
    advanced: bool
    scale: str
    when: When | None  # the setting means something only with these values of another
    low: float | None
    high: float | None
    low_open: bool  # True: greater than `low`, not equal
    high_open: bool

    @property
    def tooltip(self) -> str:
        """What it is, in plain words and in the field's."""
        return f"{self.description} Known as: {self.term}." if self.term else self.description

    @property
    def allowed(self) -> str:
        """What is allowed, in words: "a number above 0 and at most 10"."""
        if isinstance(self.choices, tuple):
            return "one of " + ", ".join(self.choices)
        if self.type is bool:
            return "true or false"
        if self.type is tuple:
            return "a list of names"
        kind = {int: "a whole number", float: "a number"}.get(self.type or str, "text")
        bounds = []
        if self.low is not None:
            bounds.append(f"{'above' if self.low_open else 'at least'} {self.low:g}")
        if self.high is not None:
            bounds.append(f"{'below' if self.high_open else 'at most'} {_plain(self.high)}")
        if kind == "text":
            return "text" + (f" of at most {_plain(self.high)} characters" if self.high is not None else "")
        return " ".join([kind, " and ".join(bounds)]).strip()


def leaves(part: type[Part], prefix: str = "") -> Iterator[Setting]:
    """Every leaf field of a spec, in order, from the spec's own metadata."""
    for name, info in part.model_fields.items():
        if isinstance(info.annotation, type) and issubclass(info.annotation, Part):
            yield from leaves(info.annotation, f"{prefix}{name}.")
        else:
            yield _setting(f"{prefix}{name}", info)


def problems_of(line: dict[str, Any], known: dict[str, Setting]) -> list[Problem]:
    """One line of a pydantic error in our words; `known` are all settings by path."""
    error = line.get("ctx", {}).get("error")
    return error.problems if isinstance(error, Refused) else [_problem(line, known)]


def message_of(line: dict[str, Any]) -> str:
    """What a rule of ours said, where a line of a pydantic error is of one."""
    return str(line["ctx"]["error"])


def _problem(line: dict[str, Any], known: dict[str, Setting]) -> Problem:
    path = ".".join(map(str, line["loc"]))
    if line["type"] == "extra_forbidden":
        parent = path.rpartition(".")[0]
        names = [one.path for one in known.values() if one.path.rpartition(".")[0] == parent]
        tops = sorted({one.path.split(".")[0] for one in known.values()})
        return Problem(path, line["input"], f"no such field; allowed here: {', '.join(names if parent else tops)}")
    if line["type"] in ("model_type", "model_attributes_type"):
        inside = [one.path for one in known.values() if one.path.startswith(f"{path}.")]
        return Problem(path, line["input"], f"must be a mapping with the fields {', '.join(inside)}")
    if path in known and line["type"] != "value_error":
        return Problem(path, line["input"], f"must be {known[path].allowed}")
    return Problem(path, line["input"], message_of(line) if line["type"] == "value_error" else line["msg"])


def _setting(path: str, info: FieldInfo) -> Setting:
    extra: dict[str, Any] = info.json_schema_extra if isinstance(info.json_schema_extra, dict) else {}
    origin = get_origin(info.annotation)
    low: Any = None
    high: Any = None
    low_open = high_open = False
    for rule in info.metadata:
        match rule:
            case Ge():
                low = rule.ge
            case Gt():
                low, low_open = rule.gt, True
            case Le():
                high = rule.le
            case Lt():
                high, high_open = rule.lt, True
            case MaxLen():
                high = rule.max_length
    return Setting(
        path=path,
        label=info.title or path,
        description=info.description or "",
        term=extra.get("term", ""),
        type=info.annotation
        if isinstance(info.annotation, type) and not origin
        else tuple
        if origin is tuple
        else None,
        default=info.default,
        unit=extra.get("unit", ""),
        choices=tuple(map(str, info.annotation.__args__)) if origin is Literal else extra.get("choices"),  # type: ignore[union-attr]
        advanced=extra.get("advanced", False),
        scale=extra.get("scale", "linear"),
        when=extra.get("when"),
        low=low,
        high=high,
        low_open=low_open,
        high_open=high_open,
    )


def _plain(number: object) -> str:
    return f"{number:,}" if isinstance(number, int) else f"{number:g}" if isinstance(number, float) else str(number)
