"""How a run is spread over processes and devices. A new one is a row, its launcher and its way of training."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Strategy:
    label: str
    note: str
    launcher: str  # function in engine/launchers.py
    takes: tuple[str, ...] = ()  # fields of Compute that it reads


STRATEGIES: dict[str, Strategy] = {
    "single": Strategy(label="One process", note="One process on one device. Right for most runs.", launcher="single"),
}
