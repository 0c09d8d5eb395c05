"""Optimisers, as rows: the name in torch.optim and which of the spec's fields it takes."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Optimizer:
    label: str
    note: str
    torch_name: str
    takes: tuple[str, ...]  # fields of Optimisation passed on under torch's names


OPTIMIZERS: dict[str, Optimizer] = {
    "adamw": Optimizer(
        label="AdamW",
        note="Adapts the rate of every weight; works without much tuning. Start with 1e-3.",
        torch_name="AdamW",
        takes=("weight_decay",),
    ),
    "sgd": Optimizer(
        label="SGD",
        note="Plain gradient descent with momentum; often the best final accuracy when tuned. Start with 1e-2.",
        torch_name="SGD",
        takes=("weight_decay", "momentum"),
    ),
}
