"""Settings given on the command line: `--set FIELD=VALUE`, laid over a spec."""

import sys
from copy import deepcopy
from pathlib import Path
from typing import Any

import yaml

from engine.errors import Problem, Refused
from engine.specs import RunSpec, SearchSpec


def read_spec(path: Path, overrides: list[str], kind: type[RunSpec] | type[SearchSpec] = RunSpec) -> str:
    """A spec's YAML with `a.b=value` overrides laid over it.

    Raises:
        Refused: The file cannot be read, or an override is none.
    """
    try:
        text = sys.stdin.read() if str(path) == "-" else path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise Refused([Problem("SPEC", str(path), f"cannot be read: {error}")]) from None
    if not overrides:
        return text
    values = kind.from_yaml(text).model_dump(mode="json")
    return yaml.safe_dump(changed(values, overrides), allow_unicode=True)


def changed(values: dict[str, Any], overrides: list[str]) -> dict[str, Any]:
    """A spec's values with overrides laid over them.

    Raises:
        Refused: An override is no FIELD=VALUE.
    """
    values = deepcopy(values)
    for override in overrides:
        name, equals, value = override.partition("=")
        *parents, leaf = name.split(".")
        if not equals:
            raise Refused([Problem("--set", override, "must be FIELD=VALUE")])
        inner = values
        for parent in parents:
            inner = inner.setdefault(parent, {})
        inner[leaf] = yaml.safe_load(value)
    return values
