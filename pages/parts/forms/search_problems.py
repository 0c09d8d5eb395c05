"""What is refused of a search, in the words of its form: From, To, Step and labels, where the spec has YAML's."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace

from engine import api
from engine.api import Choice, Problem

SAID = (  # what a spec says -> what its form says
    (r"must rise: (\S+) is not below (\S+)", r"From must be below To: \1 is not below \2"),
    (r"log needs a low end above 0; try (\S+)", r"From must be above 0 on a Log range; try \1"),
    (r"step must be above 0 and at most", r"Step must be above 0 and at most"),
    (r"the step of whole numbers must be", r"Step must be"),
    (r"take a larger step", r"take a larger Step"),
    (r"choices must be a list of values, each once", r"choose a value at least, and each once"),
    (r"must be (one of )?\{choices.*", r"From and To must be numbers, and Step too if there is one"),
    (r"must be integers, choices, or log without a step", r"must be Values, a Range, or Log without a Step"),
    (r"(\w+) needs choices, integers or a step: it tries all", r"\1 tries all: list Values, or give a Step"),
    (r"use integers, uniform or log, or", r"search it by Range or Log and always, or take"),
    (r"name at least one field to search, with its values", r"switch on “Search …” under a field at least"),
    (r"the algorithm (\w+) works only with", r"\1 works only where poor trials are stopped early by"),
    (r"the scheduler (\w+) works only with (.*), or no scheduler", r"\1 works only with the algorithm \2"),
    (r"must be searched by choices", r"must be searched by Values"),
    (r"its choices", r"its values"),
)


def in_form(problems: Iterable[Problem]) -> list[Problem]:
    """The same problems, said as the form's own labels have it."""
    return [replace(one, message=_said(one.message)) for one in problems]


def line(problem: Problem) -> str:
    """A problem by itself, away from its field: "Learning rate: From must be below To"."""
    labels = _labels()
    label = next((labels[name] for name in problem.path if name in labels), None)
    return f"{label}: {problem.message}" if label else problem.message


def _said(message: str) -> str:
    for pattern, words in SAID:
        message = re.sub(pattern, words, message)
    message = re.sub(r"means something only with (\S+) (.+), but the base run has (\S+?):", _only_with, message)
    message = re.sub(r"[a-z_]+\.[a-z_]+", lambda found: _labels().get(found[0], found[0]), message)
    if re.search(r"works only|tries all|knows|of trials that train|can be called", message):
        rows: Mapping[str, Choice] = {**api.SCHEDULERS, **api.ALGORITHMS}
        message = re.sub(r"\w+", lambda found: rows[found[0]].label if found[0] in rows else found[0], message)
    return message


def _only_with(found: re.Match[str]) -> str:
    path, values, now = found.groups()
    row = api.searchable().get(path)
    table = api.TABLES.get(row.choices, {}) if row and isinstance(row.choices, str) else {}
    names = [table[one].label if one in table else one for one in (*values.split(" or "), now)]
    label = row.label if row else path
    return f"means something only where {label} is {' or '.join(names[:-1])}, but the base run has {names[-1]}:"


def _labels() -> dict[str, str]:
    return {one.path: one.label for one in (*api.search_settings(), *api.settings()) if one.path != "name"}
