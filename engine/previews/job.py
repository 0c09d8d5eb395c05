"""What a function that makes a preview is given."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine.specs import RunSpec

Report = Callable[[float, str], None]  # share done, what goes on


@dataclass(frozen=True, slots=True)
class PreviewJob:
    """A preview to be made; what it returns are JSON values."""

    spec: RunSpec
    request: dict[str, Any]  # as `requests.request_preview` took it: "dataset", "cache" and what its kind needs
    folder: Path  # for its pictures
    report: Report
