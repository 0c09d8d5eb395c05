"""A real run logged to other programs: all of it arrives, and a program that refuses costs the run nothing."""

from pathlib import Path

import pytest

pytest.importorskip("tensorboard", reason="logging to TensorBoard needs requirements-extra.txt")
pytest.importorskip("wandb", reason="logging to Weights & Biases needs requirements-extra.txt")

from engine.api.event_files import read_scalars
from storage import RunState, Store
from tests.cli import TINY, cli, queue, until, until_state


def test_a_run_is_logged_where_it_can_be_and_finishes(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("WANDB_API_KEY", raising=False)
    monkeypatch.setenv("NETRC", str(tmp_path / "nobody"))
    assert "wandb        on" in cli("trackers", "tensorboard", "wandb").stdout
    run = until_state(store, queue(store, tmp_path, TINY).id, RunState.FINISHED)
    place = store.home.run(run.id) / "tensorboard.json"
    until(lambda: place.exists() and '"over": 1' in place.read_text())
    (folder,) = (store.home.trackers / "tensorboard").glob(f"* {run.id}")
    read = read_scalars(folder).metrics
    assert set(read) == set(store.metrics.names(run.id))
    for name in ("train/loss", "val/accuracy"):
        kept = store.metrics.series(run.id, name)
        assert [step for step, _, _ in read[name]] == kept.steps
        assert [value for _, _, value in read[name]] == pytest.approx(kept.values, rel=1e-6)
    warned = until(lambda: [one for one in store.events.list(run.id) if one.level == "warning"])
    assert "It is not logged to Weights & Biases: No API key configured" in warned[0].text
