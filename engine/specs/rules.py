"""What a search's spec is refused for: a code each, and the one place where codes become sentences as YAML's writers
read them. A form says the same in its own words."""

from enum import StrEnum

from engine.errors import Problem

FORMS = "{choices: [a, b]}, {integers: [low, high]}, {uniform: [low, high]} or {log: [low, high]}"


class Rule(StrEnum):
    """A code: what is said of a problem otherwise than here goes by it."""

    # of one range
    NO_RANGE = "no_range"
    NO_VALUES = "no_values"
    NO_CHOICES = "no_choices"
    NO_RISE = "no_rise"
    LOG_FROM_ZERO = "log_from_zero"
    STEP_TOO_LARGE = "step_too_large"
    STEP_NOT_WHOLE = "step_not_whole"
    TOO_MANY_STEPS = "too_many_steps"
    NOT_WHOLE = "not_whole"
    # between fields of the space
    NO_SPACE = "no_space"
    NO_MEANING = "no_meaning"
    WHEN_NOT_CHOICES = "when_not_choices"
    WHEN_NEVER = "when_never"
    # of what the algorithm and the scheduler can do
    ALGORITHM_NEEDS = "algorithm_needs"
    SCHEDULER_NEEDS = "scheduler_needs"
    ENDLESS = "endless"
    NUMBERS_ONLY = "numbers_only"
    CHANGES_OTHERS = "changes_others"
    NO_CONDITIONS = "no_conditions"
    ONE_GOAL = "one_goal"
    NO_WORST = "no_worst"


MESSAGES: dict[Rule, str] = {
    Rule.NO_RANGE: "must be one of {forms}",
    Rule.NO_VALUES: "must be {forms}, numbers with a step if wanted",
    Rule.NO_CHOICES: "choices must be a list of values, each once",
    Rule.NO_RISE: "must rise: {low:g} is not below {high:g}",
    Rule.LOG_FROM_ZERO: "log needs a low end above 0; try 1e-6",
    Rule.STEP_TOO_LARGE: "step must be above 0 and at most {most:g}",
    Rule.STEP_NOT_WHOLE: "the step of whole numbers must be a whole number",
    Rule.TOO_MANY_STEPS: "has {steps:,} steps, {most:,} are allowed; take a larger step",
    Rule.NOT_WHOLE: "must be integers, choices, or log without a step: it is a whole number",
    Rule.NO_SPACE: "name at least one field to search, with its values",
    Rule.NO_MEANING: "means something only with {path} {values:or}, but the base run has {now}: search that too",
    Rule.WHEN_NOT_CHOICES: "must be searched by choices: a condition names some of them",
    Rule.WHEN_NEVER: "must be among its choices that allow this field: {choices}",
    Rule.ALGORITHM_NEEDS: "the algorithm {algorithm} works only with {schedulers:or}",
    Rule.SCHEDULER_NEEDS: "the scheduler {scheduler} works only with {algorithms:or}; take that, or no scheduler",
    Rule.ENDLESS: "{algorithm} needs choices, integers or a step: it tries all",
    Rule.NUMBERS_ONLY: (
        "{algorithm} knows numbers only, without conditions; use integers, uniform or log, or another algorithm"
    ),
    Rule.CHANGES_OTHERS: "{scheduler} changes settings of trials that train, which only these allow: {paths}",
    Rule.NO_CONDITIONS: "{scheduler} knows no conditions; leave this one out",
    Rule.ONE_GOAL: "{algorithm} knows one goal; choose {none}, or the algorithm {algorithms}",
    Rule.NO_WORST: "with two goals no trial can be called the worst; choose {none}",
}


class Names(tuple[str, ...]):
    """Several values in a sentence: "{names}" is a, b; "{names:or}" is a or b."""

    def __format__(self, joiner: str) -> str:
        return (f" {joiner} " if joiner else ", ").join(self)


def problem(at: str | tuple[str, ...], value: object, rule: Rule, **details: object) -> Problem:
    """A problem in the words of its rule; `details` are what these have a place for."""
    return Problem(at, value, MESSAGES[rule].format(**details), rule=rule, details=details)


class Misfit(ValueError):
    """What a validator raises that does not know where its values stand."""

    def __init__(self, rule: Rule, **values: object) -> None:
        self.rule, self.values = rule, values
        super().__init__(MESSAGES[rule].format(**values))

    def at(self, path: tuple[str, ...], value: object) -> Problem:
        return problem(path, value, self.rule, **self.values)
