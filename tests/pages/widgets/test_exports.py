"""Export stands where a table is and asks the route for what the table shows; runs of other programs come in."""

from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from streamlit.testing.v1 import AppTest

from pages.parts.widgets.exports import export_link
from storage import Run, Store
from tests.pages import seed_searches
from tests.pages.pages import COMPARE, DATASETS, RUN, RUNS, SEARCH, SEARCHES, fine, opened, texts


def links(app: AppTest) -> dict[str, dict[str, list[str]]]:
    """What the export links ask for, by their path."""
    found = (urlsplit(one.proto.url) for one in app.get("link_button"))
    return {one.path: parse_qs(one.query) for one in found if one.path.startswith("/api/export/")}


def test_what_the_filters_leave_is_exported(runs: dict[str, Run]) -> None:
    app = opened(RUNS)
    app.segmented_control(key="runs_state").set_value("Failed").run()
    app.text_input(key="runs_text").set_value("rate").run()
    assert links(app)["/api/export/runs.csv"] == {"state": ["failed"], "text": ["rate"]}


def test_ticked_runs_are_exported_alone(runs: dict[str, Run]) -> None:
    app = opened(RUNS)
    ids = app.dataframe[0].value["id"].tolist()
    app.session_state["runs_table_0"] = {"selection": {"rows": [1, 2], "columns": [], "cells": []}}
    fine(app.run())
    app.selectbox(key="runs_export_what").set_value("metrics").run()
    assert links(app)["/api/export/metrics.parquet"] == {"runs": [f"{ids[1]},{ids[2]}"]}


def test_a_run_a_search_and_the_lists_offer_their_tables(runs: dict[str, Run], store: Store) -> None:
    shown = seed_searches.some(store)
    assert links(opened(RUN, run=runs["small"].id))["/api/export/metrics.csv"] == {"runs": [runs["small"].id]}
    assert links(opened(SEARCH, search=shown["search"]))["/api/export/trials.csv"] == {"search": [shown["search"]]}
    assert links(opened(SEARCHES)) == {"/api/export/searches.csv": {}, "/api/export/searches.parquet": {}}
    assert "/api/export/datasets.parquet" in links(opened(DATASETS))


def test_addresses_hold_any_text() -> None:
    assert export_link("runs", "csv", text="a&b 고양이", tag=["x", "y"], archived=True, trials=False) == (
        "/api/export/runs.csv?text=a%26b+%EA%B3%A0%EC%96%91%EC%9D%B4&tag=x&tag=y&archived=1"
    )


def test_a_run_of_another_program_is_read_in_and_charted(runs: dict[str, Run], store: Store, tmp_path: Path) -> None:
    folder = event_files(tmp_path / "논문 run")
    app = opened(RUNS)
    app.text_input(key="runs_import_path").set_value("/no/such/folder")
    fine(app.button(key="runs_import_go").click().run())
    assert "there is no such file or folder" in app.error[0].value
    app.text_input(key="runs_import_path").set_value(str(folder))
    fine(app.button(key="runs_import_go").click().run())
    assert app.title[0].value == "논문 run"
    run = store.runs.find("논문 run")
    shown = opened(RUN, run=run.id)
    assert shown.metric[0].label == "Best validation accuracy"
    assert len(shown.get("echarts_chart")) == 3  # loss, accuracy, and what only this program measures
    assert "run_clone" not in {one.key for one in shown.button}
    shown.segmented_control(key="run_details").set_value("Configuration").run()
    assert "Its settings are not known here" in texts(shown)
    listed = opened(RUNS).dataframe[0].value.set_index("id")
    assert listed.loc[run.id]["best"] == pytest.approx(90)
    assert opened(COMPARE, runs=f"{run.id},{runs['small'].id}").title


def event_files(folder: Path) -> Path:
    writer = pytest.importorskip("tensorboard.summary", reason="needs requirements-extra.txt").Writer(str(folder))
    for step in range(3):
        writer.add_scalar("Loss/train", 1.0, step)
        writer.add_scalar("Accuracy/val", 0.7 + step / 10, step)
        writer.add_scalar("grad/norm", 2.0, step)
    writer.close()
    return folder
