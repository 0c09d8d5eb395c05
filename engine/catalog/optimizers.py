"""Optimisers, as rows: the name in torch.optim and which of the spec's fields it takes."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Optimizer:
    label: str
    note: str
    torch_name: str
    takes: tuple[str, ...] = ()  # fields of Optimisation passed on under torch's names
    fused: bool = True  # torch has it as one kernel
    keeps: int = 2  # numbers it remembers for each weight that learns


OPTIMIZERS: dict[str, Optimizer] = {
    "adamw": Optimizer(
        "AdamW", "Adapts the rate of every weight; works without much tuning. Start with 1e-3.", "AdamW"
    ),
    "adam": Optimizer(
        "Adam",
        "As AdamW, but weight decay is mixed into the gradient. To repeat older results. Start with 1e-3.",
        "Adam",
    ),
    "sgd": Optimizer(
        "SGD",
        "Plain gradient descent with momentum; often the best final accuracy when tuned. Start with 1e-2.",
        "SGD",
        takes=("momentum", "nesterov"),
        keeps=1,
    ),
    "rmsprop": Optimizer(
        "RMSprop",
        "Divides by the recent size of gradients; used by older mobile networks. Start with 1e-3.",
        "RMSprop",
        takes=("momentum",),
        fused=False,
    ),
}
