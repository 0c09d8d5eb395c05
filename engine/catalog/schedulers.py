"""What may end a trial before its last epoch."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Scheduler:
    label: str
    note: str
    make: str  # "module:function" of engine.tuning.ray_schedulers.NewScheduler
    takes: tuple[str, ...] = ()  # fields of SearchSpec that it reads
    algorithms: tuple[str, ...] = ()  # the only ones it works with; (): any that take it
    changes: tuple[str, ...] = ()  # fields of RunSpec that it changes while a trial trains: the only ones searched
    together: bool = False  # its trials must be there side by side, also those that wait for room
    remembers: bool = False  # it compares a trial with all before it, also with those of earlier drivers


SCHEDULERS: dict[str, Scheduler] = {
    "none": Scheduler(
        "None", "Every trial trains to its last epoch.", make="engine.tuning.ray_schedulers:no_scheduler"
    ),
    "asha": Scheduler(
        "ASHA",
        "At a few epochs on the way only the best share goes on, without waiting for the others (Li 2018). "
        "Right for most searches of 20 trials and more.",
        make="engine.tuning.ray_schedulers:asha",
        takes=("grace_epochs", "reduction"),
        remembers=True,
    ),
    "hyperband": Scheduler(
        "HyperBand",
        "As ASHA in rounds: the trials of a round wait for each other (Li 2016).",
        make="engine.tuning.ray_schedulers:ClosedBracketHyperBand",
        takes=("reduction",),
    ),
    "median": Scheduler(
        "Median stopping",
        "Stops a trial whose best value lies below the median of the others at the same epoch.",
        make="engine.tuning.ray_schedulers:median_stopping",
        takes=("grace_epochs",),
        remembers=True,
    ),
    "pbt": Scheduler(
        "Population based training",
        "Trials train side by side; now and then the worst take over the weights of the best, with rates changed a "
        "little (Jaderberg 2017).",
        make="engine.tuning.ray_schedulers:ConstrainedPBT",
        takes=("perturb_epochs",),
        algorithms=("random",),
        together=True,
        changes=(
            "optimisation.learning_rate",
            "optimisation.weight_decay",
            "optimisation.momentum",
            "optimisation.label_smoothing",
            "optimisation.clip_norm",
            "data.augmentation_strength",
        ),
    ),
    "bohb": Scheduler(
        "HyperBand for BOHB",
        "The HyperBand that BOHB learns from.",
        make="engine.tuning.ray_schedulers:ClosedBracketHyperBand",
        takes=("reduction",),
        algorithms=("bohb",),
    ),
}
