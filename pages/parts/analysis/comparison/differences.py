"""What sets runs apart, setting by setting, in the words of the form. Pure: records in, plain data out."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from engine import api
from engine.api import Setting
from pages.parts import formatting
from storage import Run

LUCK = ("name", "seed", "data.split_seed")  # what differs between runs that are set up alike
IMAGES = "data.fingerprint"
MISSING = object()
MOST_COLUMNS = 38  # of a name


@dataclass(frozen=True, slots=True)
class Difference:
    """A setting and what it is in each run: in words, and as the spec has it (None where a run has no use for it)."""

    path: str
    label: str
    values: tuple[str, ...]
    raw: tuple[Any, ...]
    scale: str = "linear"

    @property
    def differs(self) -> bool:
        return len(set(self.values)) > 1


def line_names(runs: Sequence[Run]) -> list[str]:
    """Names that have room and stand for one run each: of several alike, the id says which."""
    searches = {run.search_id for run in runs}
    if len(searches) == 1 and searches != {None}:
        names = [f"Trial {run.trial}" for run in runs]
    else:
        names = [formatting.squeezed(run.name, MOST_COLUMNS) for run in runs]
    often = Counter(names)
    return [name if often[name] == 1 else f"{name} ({run.id})" for name, run in zip(names, runs, strict=True)]


def differences(runs: Sequence[Run]) -> list[Difference]:
    """Settings whose values differ, in the order of the form; one that a run has no use for is a dash there."""
    return [one for one in every_setting(runs) if one.differs]


def setups(runs: Sequence[Run], apart: Sequence[Difference]) -> dict[str, int]:
    """The same number for runs that differ in nothing but luck, by run id; those of other programs are like none."""
    settings = [one.values for one in apart if one.path not in LUCK]
    alike: dict[tuple[str, ...], int] = {}
    return {
        run.id: alike.setdefault(tuple(values[place] for values in settings) if run.spec else (run.id,), len(alike))
        for place, run in enumerate(runs)
    }


def nothing_apart(runs: Sequence[Run]) -> str:
    """What to say where no setting differs."""
    if all(run.spec for run in runs):
        return "They are set up alike in everything, the seed included."
    return "How they were set up is not known: other programs trained them."


def every_setting(runs: Sequence[Run]) -> list[Difference]:
    """All settings but the name, in the order of the form."""
    prints = tuple(run.dataset_fingerprint for run in runs)
    found = [Difference(IMAGES, "Images (fingerprint)", tuple((one or formatting.DASH)[:8] for one in prints), prints)]
    specs = [run.spec for run in runs]
    return found + [_of(setting, specs) for setting in api.settings() if setting.path != "name"]


def _of(setting: Setting, specs: Sequence[dict[str, Any]]) -> Difference:
    raw = [_value(spec, setting) for spec in specs]
    if raw and all(one == raw[0] for one in raw):  # nearly all of them: told once, however many runs
        texts = [_text(setting, raw[0])] * len(raw)
    else:
        texts = [_text(setting, one, _numbers(raw)) for one in raw]
    return Difference(setting.path, setting.label, tuple(texts), tuple(raw), setting.scale)


def _numbers(raw: Sequence[Any]) -> Callable[[float], str]:
    return partial(formatting.number, digits=digits(raw))


def digits(raw: Sequence[Any]) -> int:
    """How many significant ones tell floats so that different ones differ, at least four."""
    floats = {one for one in raw if isinstance(one, float)}
    return next((most for most in range(4, 17) if len({f"{one:.{most}g}" for one in floats}) == len(floats)), 17)


def _value(spec: dict[str, Any], setting: Setting) -> Any:
    """The setting's value in a spec, its default where the spec is older than it; None: it has no meaning there."""
    if not spec:  # a run of another program
        return None
    if setting.when is not None and _leaf(spec, setting.when[0]) not in (*setting.when[1], MISSING):
        return None
    value = _leaf(spec, setting.path)
    return setting.default if value is MISSING else value


def _leaf(spec: dict[str, Any], path: str) -> Any:
    inner: Any = spec
    for part in path.split("."):
        inner = inner.get(part, MISSING) if isinstance(inner, dict) else MISSING
    return inner


def _text(setting: Setting, value: Any, number: Callable[[float], str] = formatting.number) -> str:
    if value is None:
        return formatting.DASH
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | tuple):
        return ", ".join(_label(setting, one) for one in value) or formatting.DASH
    return number(value) if isinstance(value, float) else _label(setting, value)


def _label(setting: Setting, value: Any) -> str:
    row = api.TABLES.get(setting.choices, {}).get(value) if isinstance(setting.choices, str) else None
    return str(getattr(row, "label", value)) or formatting.DASH
