from dataclasses import replace

from pages.parts.analysis.tables import checkpoints_table, events_table, runs_table, set_aside_table
from storage import Checkpoint, Event, Run, RunState, Store

RUN = Run(
    id="abc",
    name="one: :material/delete:",
    state=RunState.RUNNING,
    spec={"model": {"backbone": "resnet18"}},
    dataset_id="digits",
    created_at=1000.0,
    started_at=1010.0,
    step=30,
    steps=120,
    eta_s=90.0,
    best_value=0.913,
    best_epoch=2,
    epochs=4,
)


def test_a_run_is_a_row() -> None:
    row = runs_table([RUN], now=1100.0).iloc[0]
    assert (row["state"], row["progress"], row["left"], row["duration"]) == (
        ["Running"],
        25.0,
        "1 min 30 s",
        "1 min 30 s",
    )
    assert (round(row["best"], 1), row["best_epoch"]) == (91.3, 2)
    assert (row["dataset"], row["backbone"], row["id"]) == ("digits", "resnet18", "abc")
    assert ":material/" not in row["open"]  # a name is no icon


def test_what_a_run_met_on_its_way_stands_in_its_row() -> None:
    warnings = {"abc": ["memory_short", "stalled"]}
    again = {"abc": [*warnings["abc"], "memory_short_norms", "else"]}
    assert runs_table([RUN], now=0.0, warnings=warnings)["notes"][0] == ["memory short", "stalled"]
    assert runs_table([RUN], now=0.0, warnings=again)["notes"][0] == ["memory short", "stalled"]
    assert runs_table([RUN], now=0.0)["notes"][0] == []


def test_what_is_not_known_is_missing_and_never_zero() -> None:
    queued = replace(RUN, state=RunState.QUEUED, best_value=None, best_epoch=None, started_at=None, eta_s=None, spec={})
    table = runs_table([queued, RUN], now=1100.0)
    assert table["best"].isna().tolist() == [True, False]
    assert table["best_epoch"].isna().tolist() == [True, False]
    assert table["duration"][0] == table["left"][0] == "–"
    over = replace(RUN, state=RunState.FINISHED, eta_s=0.0)
    assert runs_table([over], now=1100.0)["left"][0] == "–"  # not "0 s"
    assert runs_table([], now=0.0).empty


def test_checkpoints_carry_their_marks_and_address() -> None:
    kept = Checkpoint(
        run_id="abc",
        epoch=3,
        step=90,
        path="checkpoints/e0003",
        bytes=88_300_000,
        sha256="",
        created_at=0.0,
        metrics={"val/accuracy": 0.9326},
        is_best=True,
        is_last=True,
    )
    bare = replace(kept, epoch=2, metrics={}, is_best=False, is_last=False)
    table = checkpoints_table([kept, bare], metric="val/accuracy", link=lambda one: f"/{one.epoch}", now=10.0)
    assert table["marks"].tolist() == [["best", "last"], []]
    assert table["file"].tolist() == ["/3", "/2"]
    assert table["size"][0] == "88.3 MB"
    assert table["value"].isna().tolist() == [False, True]


def test_events_are_listed_newest_first() -> None:
    events = [Event(id=n, run_id="abc", at=float(n), level="info", text=f"event {n}") for n in (1, 2)]
    assert events_table(events)["text"].tolist() == ["event 2", "event 1"]


def test_set_aside_files(store: Store) -> None:
    dataset = replace(store.datasets.get("digits"), set_aside=({"path": "a/b.jpg", "reason": "torn"},))
    assert set_aside_table(dataset).to_dict("records") == [{"path": "a/b.jpg", "reason": "torn"}]
