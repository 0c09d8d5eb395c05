"""What is refused of a search, in the words of its form: From, To, Step and labels, where the spec has YAML's."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from engine import api
from engine.api import Choice, Problem

IN_FORM: dict[str, str] = {  # the code of a rule -> what the form says of it; {names} are labels here
    "no_range": "From and To must be numbers, and Step too if there is one",
    "no_values": "From and To must be numbers, and Step too if there is one",
    "no_choices": "choose a value at least, and each once",
    "no_rise": "From must be below To: {low:g} is not below {high:g}",
    "log_from_zero": "From must be above 0 on a Log range; try 1e-6",
    "step_too_large": "Step must be above 0 and at most {most:g}",
    "step_not_whole": "Step must be a whole number",
    "too_many_steps": "has {steps:,} steps, {most:,} are allowed; take a larger Step",
    "not_whole": "must be Values, a Range, or Log without a Step: it is a whole number",
    "no_space": "switch on “Search …” under a field at least",
    "no_meaning": "means something only where {path} is {values:or}, but the base run has {now}: search that too",
    "when_not_choices": "must be searched by Values: a condition names some of them",
    "when_never": "must be among its values that allow this field: {choices}",
    "algorithm_needs": "{algorithm} works only where poor trials are stopped early by {schedulers:or}",
    "scheduler_needs": "{scheduler} works only with the algorithm {algorithms:or}; take that",
    "endless": "{algorithm} tries all: list Values, or give a Step",
    "numbers_only": (
        "{algorithm} knows numbers only, without conditions; search it by Range or Log and always, or take another "
        "algorithm"
    ),
    "changes_others": "{scheduler} changes settings of trials that train, which only these allow: {paths}",
    "no_conditions": "{scheduler} knows no conditions; leave this one out",
    "one_goal": "{algorithm} knows one goal; choose {none}, or the algorithm {algorithms}",
    "no_worst": "with two goals no trial can be called the worst; choose {none}",
}


def in_form(problems: Iterable[Problem]) -> list[Problem]:
    """The same problems, said as the form's own labels have it."""
    return [replace(one, message=_message(one)) for one in problems]


def line(problem: Problem) -> str:
    """A problem by itself, away from its field: "Learning rate: From must be below To"."""
    labels = _labels()
    label = next((labels[name] for name in problem.path if name in labels), None)
    return f"{label}: {problem.message}" if label else problem.message


def _message(problem: Problem) -> str:
    if problem.rule not in IN_FORM:
        return re.sub(r"[a-z_]+\.[a-z_]+", lambda found: _labels().get(found[0], found[0]), problem.message)
    return IN_FORM[problem.rule].format(**_in_labels(problem.details))


def _in_labels(details: Mapping[str, Any]) -> dict[str, Any]:
    """Names of settings, their choices, algorithms and early ends as the form calls them."""
    setting = api.searchable().get(details.get("path", ""))
    of_setting = api.TABLES.get(setting.choices, {}) if setting and isinstance(setting.choices, str) else {}
    labels = {
        **dict.fromkeys(("algorithm", "algorithms"), _labels_of(api.ALGORITHMS)),
        **dict.fromkeys(("scheduler", "schedulers", "none"), _labels_of(api.SCHEDULERS)),
        **dict.fromkeys(("values", "now"), _labels_of(of_setting)),
        **dict.fromkeys(("path", "paths"), _labels()),
    }

    def label(value: Any, known: Mapping[str, str]) -> Any:
        if isinstance(value, tuple):
            return type(value)(known.get(one, one) for one in value)
        return known.get(value, value) if isinstance(value, str) else value

    return {name: label(value, labels.get(name, {})) for name, value in details.items()}


def _labels_of(table: Mapping[str, Choice]) -> dict[str, str]:
    return {name: row.label for name, row in table.items()}


def _labels() -> dict[str, str]:
    return {one.path: one.label for one in (*api.search_settings(), *api.settings()) if one.path != "name"}
