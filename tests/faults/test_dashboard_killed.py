"""Training depends on no page and no dashboard: kill -9 of Streamlit in mid-epoch changes nothing."""

from pathlib import Path

from engine import api
from storage import RunState, Store
from tests.cli import SOME, queue, until, until_state
from tests.server import serving


def test_killing_the_dashboard_touches_no_run(store: Store, tmp_path: Path) -> None:
    with serving(store.home) as server:
        run = queue(store, tmp_path, SOME)
        until(lambda: store.runs.get(run.id).epoch >= 1)
        server.process.kill()
        server.process.wait()
        assert api.engine_alive(store)
    run = until_state(store, run.id, RunState.FINISHED)
    assert run.attempt == 1
    assert store.metrics.count(run.id, "train/loss") == run.steps
    with serving(store.home) as server:  # it comes back to the same truth
        assert server.ask("GET", f"/api/runs/{run.id}/checkpoints/best")[0] == 200
