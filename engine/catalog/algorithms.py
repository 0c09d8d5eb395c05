"""Search algorithms: what picks the next trial's settings."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Algorithm:
    label: str
    note: str
    make: str  # "module:function" that takes a SearchSpec and gives an engine.tuning.samplers.sampler.Sampler
    takes: tuple[str, ...] = ()  # fields of SearchSpec that it reads, beside space, trials and seed
    learns: bool = False  # from trials that are over: better asked for few at a time
    finite: bool = False  # every range must be a list of values, or have a step
    numbers: bool = False  # it knows numbers only: no choices, no conditions
    two_goals: bool = False  # it can weigh the metric against a cost
    schedulers: tuple[str, ...] = ()  # the only ones it works with; (): any that take it


ALGORITHMS: dict[str, Algorithm] = {
    "random": Algorithm(
        "Random",
        "Every trial is drawn by chance: hard to fool, and a fair thing to compare with.",
        make="engine.tuning.samplers.sampler:RandomSampler",
    ),
    "grid": Algorithm(
        "Grid",
        "Tries every combination once, in order. For one or two settings with few values each.",
        make="engine.tuning.samplers.sampler:GridSampler",
        finite=True,
    ),
    "hyperopt": Algorithm(
        "HyperOpt (TPE)",
        "Tree of Parzen estimators (Bergstra 2011): draws near what went well. Pays from about 20 trials on.",
        make="engine.tuning.samplers.hyperopt:HyperOptSampler",
        takes=("random_first",),
        learns=True,
    ),
    "optuna": Algorithm(
        "Optuna (TPE)",
        "As HyperOpt, a newer make; also finds trade-offs between the metric and a cost. Right for most searches.",
        make="engine.tuning.samplers.optuna:OptunaSampler",
        takes=("random_first", "cost"),
        learns=True,
        two_goals=True,
    ),
    "cmaes": Algorithm(
        "Optuna (CMA-ES)",
        "Evolution strategy (Hansen 2001): moves a cloud of trials. For numbers only, and many trials.",
        make="engine.tuning.samplers.optuna:OptunaSampler",
        takes=("random_first",),
        learns=True,
        numbers=True,
    ),
    "bohb": Algorithm(
        "BOHB",
        "TPE that also learns from trials stopped early (Falkner 2018). Comes with its own HyperBand.",
        make="engine.tuning.samplers.optuna:OptunaSampler",
        learns=True,
        schedulers=("bohb",),
    ),
}
