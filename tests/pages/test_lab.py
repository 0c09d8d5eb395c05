"""The strategy lab asks for each way that was chosen, one after the other, and draws what came back."""

import pytest

from engine import api
from engine.api import Preview, RunSpec
from pages.parts.figures.runs.strategies import memories, paces
from pages.parts.palette import palette_of
from storage import Store
from tests.pages.pages import LAB, fine, keys, opened, texts

ALONE = {"images_per_s": 100.0, "slowest": 90.0, "fastest": 120.0, "memory_mb": {"memory": 500.0}}
RANKS = {"images_per_s": 150.0, "slowest": 140.0, "fastest": 151.0, "memory_mb": {"rank0": 400.0, "rank1": 410.0}}


def test_the_figures_show_pace_and_memory_of_each_device() -> None:
    names, colours = ["One process", "DDP"], palette_of("light")
    drawn = paces(names, [ALONE, RANKS], palette=colours).data[0]
    assert list(drawn.x) == [100.0, 150.0]
    assert list(drawn.error_x.arrayminus) == [10.0, 10.0]
    bars = memories(names, [ALONE, RANKS], palette=colours).data[0]
    assert dict(zip(bars.y, bars.x, strict=True)) == {"One process": 500.0, "DDP · rank0": 400.0, "DDP · rank1": 410.0}


def test_what_is_chosen_is_measured_one_after_the_other(calm: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    specs: list[RunSpec] = []

    def preview(store: Store, kind: str, spec: RunSpec) -> Preview:
        assert kind == "lab"
        specs.append(spec)
        if spec.strategy == "single":
            return Preview(ALONE)
        return Preview(RANKS) if spec.optimisation.batch_size == 16 else Preview(problem="No room for it.")

    monkeypatch.setattr(api, "preview", preview)
    app = opened(LAB)
    app.session_state["lab_batches"] = [16, 32]
    fine(app.run())
    assert not specs
    fine(app.button(key="lab_measure").click().run())
    assert {(one.strategy, one.optimisation.batch_size, one.compute.processes) for one in specs} == {
        ("single", 16, 0),
        ("single", 32, 0),
        ("ddp", 16, 2),
        ("ddp", 32, 2),
    }
    assert {one.compute.precision for one in specs} == {"fp32"}
    table = app.dataframe[0].value
    assert table["images/s"].tolist() == [100, 100, 150]
    assert table["against the first"].tolist() == ["1.00 x", "1.00 x", "1.50 x"]
    assert "No room for it" in texts(app)
    assert "lab_again" in keys(app)
