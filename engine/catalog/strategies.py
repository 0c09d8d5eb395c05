"""How a run is spread over processes and devices."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Strategy:
    label: str
    note: str
    launcher: str  # function in engine/launchers.py


STRATEGIES: dict[str, Strategy] = {
    "single": Strategy(label="One process", note="One process on one device. Right for most runs.", launcher="single"),
}
