"""The report: one file with charts, tables and configurations, which asks no network for anything."""

import re

from pages.parts.analysis.comparison.compared_runs import focused
from pages.parts.analysis.comparison.groups import SEEDS
from pages.parts.compare.curves import ChartView
from pages.parts.compare.share import made
from pages.parts.palette import LIGHT
from storage import Store
from tests.pages.compared_runs import SIX, compared, run

VIEW = ChartView("val/accuracy", "epoch", 0.5, False, None)


def written_for(store: Store, all_) -> str:
    return made(store, all_, all_.groups, focused(all_, all_.runs, [], {}, LIGHT), VIEW, None)


def test_all_of_it_is_in_one_file(store: Store) -> None:
    text = written_for(store, compared(SIX))
    for name in (one.name for one in SIX):
        assert name in text
    assert "is best of 6" in text
    assert text.count("plotly-graph-div") == 2  # against time, and all settings: nothing was measured over epochs
    for part in ("<h2>Runs</h2>", "What sets them apart", "All settings", "Train everything", "84.0%"):
        assert part in text


def test_what_is_left_out_is_said(store: Store) -> None:
    many = [run(f"run {place}", place / 100, optimisation={"batch_size": 2 + place}) for place in range(30)]
    text = written_for(store, compared(many, costs={one.id: {"metrics": ("val/accuracy",)} for one in many}))
    assert "The best 12 of 30 runs." in text
    assert "What sets them apart: 12 of 30 runs, best first" in text
    assert "All settings: 12 of 30 runs, best first" in text
    assert "of 6 runs" not in written_for(store, compared(SIX))


def test_nothing_is_fetched(store: Store) -> None:
    text = written_for(store, compared(SIX, SEEDS))
    assert "<h2>Groups</h2>" in text
    assert "default-src 'none'" in text
    assert not re.search(r"<(?:script|link|img|iframe)[^>]+(?:src|href)=", text)


def test_names_become_no_part_of_the_page(store: Store) -> None:
    hostile = "</script><img src=x onerror=alert(1)>"
    text = written_for(store, compared([run(hostile, 0.9), SIX[0]]))
    assert "<img" not in text
    assert "onerror=alert(1)>" not in text.replace("onerror=alert(1)&gt;", "")
