"""What a field's "Search …" holds, as plain values of a form and as the YAML of a space. Pure: no Streamlit here."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import ceil
from typing import Any

from engine import api
from engine.api import Setting

KINDS = {"choices": "Values", "integers": "Range", "uniform": "Range", "log": "Log"}  # as few letters as can be
MOST_ROWS = 4  # of a table that are tried unless the user says more


@dataclass(frozen=True, slots=True)
class RangeInput:
    """What the widgets of a field's range hold. Numbers are the text that was typed."""

    kind: str = "choices"  # of KINDS
    low: str = ""
    high: str = ""
    step: str = ""
    choices: tuple[str, ...] = ()


def kinds(setting: Setting) -> list[str]:
    """How the field can be searched; one alone needs no question."""
    if _is_listed(setting) or setting.type not in (int, float):
        return ["choices"]
    return ["choices", "integers", "log"] if setting.type is int else ["log", "uniform", "choices"]


def options(setting: Setting, base: Any) -> list[str] | None:
    """What can be chosen from, as words; None for numbers, which are typed."""
    if isinstance(setting.choices, tuple):
        return list(setting.choices)
    if setting.type is bool:
        return ["yes", "no"]
    if setting.type is tuple:
        rows = api.TABLES.get(setting.choices, {}) if isinstance(setting.choices, str) else {}
        return list(dict.fromkeys(["none", *rows, joined(base)]))
    return list(api.TABLES[setting.choices]) if isinstance(setting.choices, str) else None


def suggested(setting: Setting, base: Any, fits: Callable[[str], bool] = lambda text: True) -> RangeInput:
    """A range to begin with, around the form's own value; of listed values those that `fits` allows."""
    listed = options(setting, base)
    if listed is not None:
        own = typed(base)
        others = listed if setting.type is bool else [own, *(one for one in listed if one != own)]
        others = [one for one in others if one in listed]
        # none fits where the form has something to put right elsewhere
        return RangeInput(choices=tuple(([one for one in others if fits(one)] or others)[:MOST_ROWS]))
    if setting.type is int:
        return _whole(setting, int(_number(base, 1)))
    if setting.type is not float:
        return RangeInput(choices=(typed(base),) if base else ())
    return _between(setting, float(_number(base, 0.0)))


def of_range(span: Mapping[str, Any]) -> RangeInput:
    """What the widgets hold of a range as YAML has it."""
    kind = next(name for name in KINDS if span.get(name) is not None)
    if kind == "choices":
        return RangeInput(kind, choices=tuple(typed(one) for one in span[kind]))
    low, high = span[kind]
    return RangeInput(kind, typed(low), typed(high), typed(span["step"]) if span.get("step") else "")


def as_range(setting: Setting, values: RangeInput) -> Mapping[str, Any]:
    """The range as YAML has it. Numbers stay the text that was typed: the spec reads them, or says what is wrong."""
    if values.kind == "choices":
        return {"choices": [_read(setting, one) for one in values.choices]}
    ends = {values.kind: [values.low, values.high]}
    return {**ends, "step": values.step} if values.step.strip() else ends


def choices(setting: Setting, values: RangeInput) -> tuple[Any, ...]:
    """The values that it takes, where they are a list; () for numbers between two ends."""
    return tuple(as_range(setting, values).get("choices", ()))


def typed(value: Any) -> str:
    """A value as it is typed: 0.001, 1e-05, yes, flip + rotate."""
    if isinstance(value, list | tuple):
        return joined(value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return repr(value).removesuffix(".0")
    return str(value)


def joined(value: Any) -> str:
    """Several names as one choice: "flip + rotate"."""
    return " + ".join(map(str, value or ())) or "none"


def _read(setting: Setting, text: str) -> Any:
    if setting.type is bool:
        return text == "yes"
    if setting.type is tuple:
        return [] if text.strip() in ("", "none") else [one.strip() for one in text.split("+")]
    return text.strip()


def _whole(setting: Setting, base: int) -> RangeInput:
    low, high = _bounds(setting, base // 2, max(base + 1, base * 2))
    if setting.path == "optimisation.batch_size":
        near = [one for one in (base // 2, base, base * 2) if one >= (setting.low or 1)]
        return RangeInput(choices=tuple(str(one) for one in near))
    return RangeInput("integers", typed(ceil(low)), typed(int(high)))


def _between(setting: Setting, base: float) -> RangeInput:
    if setting.scale == "log":
        low, high = _bounds(setting, base / 10 if base > 0 else 1e-5, base * 10 if base > 0 else 1e-2)
        return RangeInput("log", typed(_tidy(low)), typed(_tidy(high)))
    low, high = _bounds(setting, 0.0 if base >= 0 else 2 * base, 2 * base or 0.5)
    return RangeInput("uniform", typed(_tidy(low)), typed(_tidy(high)))


def _bounds(setting: Setting, low: float, high: float) -> tuple[float, float]:
    """Within what the field allows; an end that is itself not allowed is moved inwards."""
    room = (setting.high if setting.high is not None else high) - (setting.low if setting.low is not None else low)
    inwards = 0.01 * room
    if setting.low is not None:
        low = max(low, setting.low + (inwards if setting.low_open and low <= setting.low else 0))
    if setting.high is not None:
        high = min(high, setting.high - (inwards if setting.high_open and high >= setting.high else 0))
    return low, high


def _is_listed(setting: Setting) -> bool:
    return setting.choices is not None or setting.type in (bool, tuple)


def _number(value: Any, otherwise: float) -> float:
    try:
        return float(value)
    except (TypeError, ValueError):
        return otherwise


def _tidy(value: float) -> float:
    return float(f"{value:.4g}")
