"""The strategy lab's measurements, with real processes: a pace, memory by rank, and nobody left behind."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from engine.api import RunSpec, Unavailable
from engine.previews.benchmark import lab
from engine.previews.job import PreviewJob
from storage import Store
from tests.conftest import processes_of
from tests.ranks import PLAIN


def measured(store: Store, folder: Path, spec: RunSpec) -> tuple[dict[str, Any], list[str]]:
    said: list[str] = []
    request = {"dataset": asdict(store.datasets.get("digits")), "cache": str(store.home.cache)}
    folder.mkdir()
    try:
        return lab(PreviewJob(spec, request, folder, lambda share, message: said.append(message))), said
    finally:
        assert [path.name for path in folder.parent.iterdir() if path.name.startswith("thaw-lab")] == []
        left = [one for one in processes_of(store.home.root) if "engine.worker" in one.cmdline()]
        assert not left


@pytest.mark.parametrize(("strategy", "places"), [("ddp", {"rank0", "rank1"})])
def test_a_strategy_is_measured(store: Store, tmp_path: Path, strategy: str, places: set[str]) -> None:
    spec = RunSpec.parse(PLAIN | {"strategy": strategy, "device": "cpu"})
    values, said = measured(store, tmp_path / "made", spec)
    assert 0 < values["slowest"] <= values["images_per_s"] <= values["fastest"]
    assert set(values["memory_mb"]) == places
    assert all(amount > 50 for amount in values["memory_mb"].values())
    assert "starting" in said


def test_what_cannot_be_measured_says_why(store: Store, tmp_path: Path) -> None:
    spec = RunSpec.parse(PLAIN | {"strategy": "ddp", "optimisation": {"batch_size": 1}})
    with pytest.raises(Unavailable, match="cannot be shared by 2 processes"):
        measured(store, tmp_path / "made", spec)
