"""Every page on a home that is full, and on one that is empty."""

import subprocess
import sys

import pytest

from engine import api
from pages.parts.states import RUN_STATES, SEARCH_STATES
from storage import Run, RunState, SearchState, Store
from tests.conftest import ROOT
from tests.pages import seed
from tests.pages.pages import EVERY, HOME, MACHINE, RUN, RUNS, keys, opened, texts


@pytest.mark.parametrize("page", EVERY, ids=lambda page: page or "home")
def test_every_page_opens_on_an_empty_home(calm: Store, page: str | None) -> None:
    assert opened(page).title


@pytest.mark.parametrize("page", EVERY, ids=lambda page: page or "home")
def test_every_page_opens_on_a_full_home(runs: dict[str, Run], page: str | None) -> None:
    assert opened(page).title


@pytest.mark.parametrize("page", [HOME, RUNS], ids=["home", "runs"])
def test_an_empty_page_offers_just_the_demo(calm: Store, page: str | None) -> None:
    app = opened(page)
    assert [one.label for one in app.button if one.key != "engine_wake"] == ["Train the demo (digits, about 30 s)"]


def test_home_shows_what_runs_what_waits_and_what_came_out(runs: dict[str, Run]) -> None:
    app = opened(HOME)
    shown = texts(app)
    assert "Epoch 7 of 12 · about" in shown
    assert "**Waiting** · 2 runs" in shown
    finished, failed = app.dataframe[1].value["open"].tolist(), app.dataframe[1].value["state"].tolist()
    assert "digits demo" in finished
    assert ["Failed"] in failed
    assert {one.label for one in app.metric} == {"CPU", "Memory", "GPU 0 · NVIDIA H200", "Free disk"}


def test_runs_lists_all_with_progress_best_and_epoch(runs: dict[str, Run]) -> None:
    table = opened(RUNS).dataframe[0].value
    assert len(table) == len(runs)
    row = table[table["id"] == runs["running"].id].iloc[0]
    assert row["progress"] == pytest.approx(100 * 6.74 / 12, abs=0.1)
    assert row["best_epoch"] == 6


def test_five_hundred_runs_are_no_burden(calm: Store) -> None:
    seed.many(calm, 500)
    assert len(opened(RUNS).dataframe[0].value) == 500


@pytest.mark.parametrize("state", ["finished", "failed", "running", "starting", "queued", "hostile", "korean", "long"])
def test_a_run_of_any_state_opens_by_its_address(runs: dict[str, Run], state: str) -> None:
    app = opened(RUN, run=runs[state].id)
    assert app.title[0].value
    has_curves = runs[state].steps is not None
    assert len(app.get("echarts_chart")) == (5 if has_curves else 0)


def test_a_failed_run_says_why_and_offers_the_ways_out(runs: dict[str, Run]) -> None:
    app = opened(RUN, run=runs["failed"].id)
    assert "became NaN at step 207" in app.error[0].value
    assert "learning rate" not in app.error[0].value  # but on the first button
    assert "0\\.0001" in app.button(key="run_remedy_lower_rate").label
    assert {"run_resume", "run_edit", "run_clone", "run_delete", "run_remedy_lower_rate"} <= keys(app)
    assert "run_stop" not in keys(app)


def test_memory_that_ran_out_is_seen_in_list_and_page(runs: dict[str, Run]) -> None:
    listed = opened(RUNS).dataframe[0].value
    assert listed["notes"][listed["id"] == runs["running"].id].tolist() == [["memory short"]]
    app = opened(RUN, run=runs["running"].id)
    assert any("memory short" in badge.proto.body for badge in app.get("markdown"))
    assert "Out of memory: batches of 64" in "\n".join(app.dataframe[-1].value["text"])
    charts = [one.proto.spec for one in app.get("echarts_chart")]
    assert "memory short" in charts[-1]
    assert not any("memory short" in one for one in charts[:-1])


def test_a_list_without_anything_to_note_has_no_column_for_it(calm: Store) -> None:
    seed.many(calm, 3)
    assert "notes" not in opened(RUNS).dataframe[0].proto.column_order


def test_a_run_shows_its_best_value_with_the_epoch(runs: dict[str, Run]) -> None:
    card = opened(RUN, run=runs["finished"].id).metric[0]
    assert (card.label, card.delta) == ("Best validation accuracy", f"at epoch {runs['finished'].best_epoch} of 20")


def test_a_run_says_how_it_is_spread_over_processes(calm: Store) -> None:
    spec = {"strategy": "ddp", "compute": {"processes": 2}}
    made = calm.runs.add(name="ranks", spec=spec, dataset_id="digits", epochs=1)
    assert "DDP × 2" in texts(opened(RUN, run=made.id))


def test_downloads_go_to_the_route(runs: dict[str, Run]) -> None:
    run = runs["finished"]
    table = next(one.value for one in opened(RUN, run=run.id).dataframe if "file" in one.value)
    assert f"/api/runs/{run.id}/checkpoints/e{run.best_epoch:04d}" in table["file"].tolist()


def test_an_unknown_run_is_met_kindly(runs: dict[str, Run]) -> None:
    app = opened(RUN, run="<script>")
    assert "This run is not here" in texts(app)
    assert "\\<script\\> may have been deleted" in texts(app)


def test_names_are_inert(runs: dict[str, Run]) -> None:
    title = opened(RUN, run=runs["hostile"].id).title[0].value
    assert title.startswith("\\*\\*bold\\*\\* \\<script\\>")
    assert ":material/" not in title


def test_machine_tells_the_home_and_versions(calm: Store) -> None:
    app = opened(MACHINE)
    assert app.code[0].value == str(calm.home.root)
    assert len(app.table) == 3


def test_what_runs_are_logged_to_is_switched_on_the_machine_page(calm: Store) -> None:
    pytest.importorskip("tensorboard", reason="needs requirements-extra.txt")
    app = opened(MACHINE)
    app.toggle(key="machine_tracker_tensorboard").set_value(True).run()
    assert list(api.trackers(calm)) == ["tensorboard"]
    assert app.code[-1].value == f"tensorboard --logdir {calm.home.trackers / 'tensorboard'}"
    api.set_trackers(calm, [])
    assert not opened(MACHINE).toggle(key="machine_tracker_tensorboard").value


def test_the_log_and_configuration_of_a_run(store: Store, runs: dict[str, Run]) -> None:
    seed.log_file(store, runs["finished"].id, "epoch 20 done\n")
    app = opened(RUN, run=runs["finished"].id)
    app.segmented_control(key="run_details").set_value("Log").run()
    assert "epoch 20 done" in app.code[0].value
    app.segmented_control(key="run_details").set_value("Configuration").run()
    assert "thaw train run.yaml" in app.code[0].value
    assert "backbone: small_cnn" in app.code[1].value


def test_the_pages_never_import_torch_or_ray(store: Store, runs: dict[str, Run]) -> None:
    visits = (
        "import sys\n"
        "from tests.pages.pages import EVERY, RUN, opened\n"
        "for page in EVERY: opened(page)\n"
        f"opened(RUN, run={runs['running'].id!r})\n"
        "print(sorted({name.partition('.')[0] for name in sys.modules} & {'torch', 'torchvision', 'ray', 'sklearn'}))"
    )
    done = subprocess.run([sys.executable, "-c", visits], cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.stdout.strip().endswith("[]"), done.stdout + done.stderr


def test_every_state_has_a_label() -> None:
    assert set(RUN_STATES) == set(RunState)
    assert set(SEARCH_STATES) == set(SearchState)
