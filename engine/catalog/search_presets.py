"""Presets of the New search form: how many trials, and a space to begin with, laid over a SearchSpec's defaults."""

from engine.catalog.presets import Preset

_RATE = {"optimisation.learning_rate": {"log": [1e-4, 1e-2]}}
_BATCH = {"optimisation.batch_size": {"choices": [32, 64, 128]}}
_BALANCED = {
    **_RATE,
    **_BATCH,
    "optimisation.weight_decay": {"log": [1e-6, 1e-1]},
    "optimisation.schedule": {"choices": ["constant", "cosine"]},
}

SEARCH_PRESETS: dict[str, Preset] = {
    "quick": Preset(
        "Quick 10",
        "Ten trials of learning rate and batch size: is there something to gain?",
        {"trials": 10, "algorithm": "hyperopt", "scheduler": "none", "space": {**_RATE, **_BATCH}},
    ),
    "balanced": Preset(
        "Balanced 30",
        "Thirty trials of the settings that matter most; the worst end early.",
        {"trials": 30, "algorithm": "optuna", "scheduler": "asha", "space": _BALANCED},
    ),
    "thorough": Preset(
        "Thorough 100",
        "A hundred trials, the optimiser and its momentum too; the worst end early. For a night, or a GPU.",
        {
            "trials": 100,
            "algorithm": "optuna",
            "scheduler": "asha",
            "space": {
                **_BALANCED,
                "optimisation.optimizer": {"choices": ["adamw", "sgd"]},
                "optimisation.momentum": {"uniform": [0.8, 0.99], "when": {"optimisation.optimizer": "sgd"}},
                "optimisation.label_smoothing": {"uniform": [0.0, 0.2], "step": 0.05},
            },
        },
    ),
}
