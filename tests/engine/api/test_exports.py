"""Tables as files: what the store holds comes back from CSV and Parquet, whole, typed and in little memory."""

import csv
import io
import math
import tracemalloc
from pathlib import Path

import numpy as np
import pandas
import pytest

from engine import api
from engine.api import NotFound, Refused, exports
from engine.cli.main import main
from storage import MetricPoint, Run, Store
from tests.pages import seed, seed_searches


@pytest.fixture
def runs(store: Store) -> dict[str, Run]:
    return seed.full_home(store)


def parquet(store: Store, what: str, **options: object) -> pandas.DataFrame:
    return pandas.read_parquet(io.BytesIO(b"".join(api.export(store, what, "parquet", **options))))


def table(store: Store, what: str, **options: object) -> list[dict[str, str]]:
    text = b"".join(api.export(store, what, "csv", **options)).decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text, newline="")))


def test_runs_come_with_their_settings_and_results(runs: dict[str, Run], store: Store) -> None:
    api.tag_runs(store, [runs["small"].id], add=["paper", "발표"])
    frame = parquet(store, "runs").set_index("id")
    assert len(frame) == len(runs)
    one, run = frame.loc[runs["small"].id], runs["small"]
    assert (one["name"], one["state"], one["tags"]) == (run.name, "finished", "paper, 발표")
    assert one["best_value"] == run.best_value
    assert one["spec.model.backbone"] == "small_cnn"
    assert one["spec.optimisation.learning_rate"] == run.spec["optimisation"]["learning_rate"]
    assert one["last.train/loss"] == store.metrics.last(run.id)["train/loss"].value
    assert one["highest.val/accuracy"] == run.best_value
    assert one["created_at"].timestamp() == pytest.approx(run.created_at, abs=0.001)
    assert frame["spec.epochs"].dtype == "int64"
    assert math.isnan(frame.loc[runs["queued"].id]["last.train/loss"])


def test_csv_and_parquet_say_the_same(runs: dict[str, Run], store: Store) -> None:
    for what in api.EXPORTS:
        rows, frame = table(store, what), parquet(store, what)
        assert len(rows) == len(frame)
        if rows:
            assert list(rows[0]) == list(frame.columns)


def test_every_point_is_there_whatever_the_pieces(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.exports.tables.POINTS", 7)
    ids = [store.runs.add(name=name, spec={}, dataset_id="digits", epochs=1).id for name in "ab"]
    for place, run_id in enumerate(ids):
        for name in ("train/loss", "val/loss"):
            points = [
                MetricPoint(name=name, step=step, epoch=1, value=math.nan if step == 3 else step + place, at=step)
                for step in range(20)
            ]
            store.metrics.add(run_id, points)
    frame = parquet(store, "metrics")
    assert len(frame) == 80
    assert frame["value"].isna().sum() == 4
    one = frame[(frame["run_id"] == ids[1]) & (frame["metric"] == "val/loss")]
    assert one["step"].tolist() == list(range(20))
    assert one["value"].dropna().tolist() == [step + 1 for step in range(20) if step != 3]
    assert set(parquet(store, "metrics", runs=["a"])["run_id"]) == {ids[0]}


def test_a_run_that_is_asked_for_twice_is_there_once(runs: dict[str, Run], store: Store) -> None:
    run = runs["small"]
    store.events.add(run.id, "info", "seen", 1.0)
    for what in exports.OF_RUNS:
        assert table(store, what, runs=[run.id, run.id, run.name]) == table(store, what, runs=[run.id])


def test_trials_come_with_what_they_were_given(store: Store) -> None:
    shown = seed_searches.some(store)
    search = store.searches.get(shown["search"])
    frame = parquet(store, "trials", search=search.id)
    trials = store.runs.trials(search.id)
    assert frame["id"].tolist() == [run.id for run in trials]
    given = "optimisation.learning_rate"
    assert frame[f"given.{given}"].tolist()[1] == pytest.approx((trials[1].assignment or {})[given])
    assert len(parquet(store, "events", search=search.id)) >= len(store.events.list(search_id=search.id))
    assert parquet(store, "searches").set_index("id").loc[search.id]["spec.algorithm"] == search.spec["algorithm"]


def test_text_is_text_where_a_spreadsheet_opens_it(store: Store) -> None:
    store.runs.add(name='=HYPERLINK("http://evil")', spec={"note": 'a,"b"\n고양이'}, dataset_id="digits", epochs=1)
    raw = b"".join(api.export(store, "runs", "csv"))
    assert raw.startswith(b"\xef\xbb\xbf")
    (row,) = table(store, "runs")
    assert row["name"] == '\'=HYPERLINK("http://evil")'
    assert row["spec.note"] == 'a,"b"\n고양이'
    assert parquet(store, "runs")["name"][0] == '=HYPERLINK("http://evil")'


def test_settings_of_several_kinds_share_a_column(store: Store) -> None:
    for value in (1, 2.5, True, "auto", [1, 2], None):
        store.runs.add(name=str(value), spec={"mixed": value, "both": 1 if value else 0.5}, dataset_id="d", epochs=1)
    frame = parquet(store, "runs").set_index("name")
    assert frame["spec.mixed"].dropna().to_dict() == {
        "1": "1", "2.5": "2.5", "True": "True", "auto": "auto", "[1, 2]": "[1, 2]",
    }  # fmt: skip
    assert frame["spec.both"].dtype == "float64"


def test_a_long_table_passes_through_little_memory(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.exports.tables.POINTS", 5_000)
    run = store.runs.add(name="long", spec={}, dataset_id="digits", epochs=1)
    store.metrics.add(
        run.id, (MetricPoint(name="loss", step=step, epoch=1, value=step, at=step) for step in range(100_000))
    )
    tracemalloc.start()
    written = sum(len(piece) for piece in api.export(store, "metrics", "csv"))
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert written > 5e6
    assert most < 6e6  # a piece, not the table


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"what": "everything"}, "must be one of runs, metrics, trials, checkpoints, events, datasets, searches"),
        ({"form": "xlsx"}, "must be one of csv, parquet"),
        ({"what": "datasets", "runs": ["a"]}, "only runs, metrics, checkpoints, events can be had of some runs"),
        ({"what": "searches", "search": "a"}, "can be had of one search"),
        ({"runs": ["a"], "search": "a"}, "say either some runs or a search"),
    ],
    ids=str,
)
def test_what_cannot_be_exported_is_refused_at_the_door(store: Store, options: dict[str, object], words: str) -> None:
    with pytest.raises(Refused, match=words):
        api.export(store, **({"what": "runs", "form": "csv"} | options))
    with pytest.raises(NotFound):
        api.export(store, "runs", "csv", runs=["nothing"])


def test_the_command_writes_a_whole_file_or_none(
    runs: dict[str, Run], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    to = tmp_path / "경과.parquet"
    assert main(["export", "metrics", "--runs", runs["small"].id, runs["long"].name, "--to", str(to)]) == 0
    assert capsys.readouterr().out.strip() == str(to)
    assert main(["export", "runs", "--to", str(to)]) == 2
    assert "is there already; --force writes over it" in capsys.readouterr().err
    assert set(pandas.read_parquet(to)["run_id"]) == {runs["small"].id, runs["long"].id}
    for bad, words in (("runs.xlsx", "must end in .csv or .parquet"), ("no/such/folder.csv", "cannot be written")):
        assert main(["export", "runs", "--to", str(tmp_path / bad)]) == 2
        assert words in capsys.readouterr().err
    assert main(["export", "runs", "--to", str(to), "--force"]) == 0
    assert "run_id" not in pandas.read_parquet(to)
    assert [path.name for path in tmp_path.glob("*.part")] == []


def test_a_table_that_cannot_be_made_is_not_told_as_a_file_that_cannot_be_written(
    runs: dict[str, Run], store: Store, tmp_path: Path
) -> None:
    store.runs.update(runs["small"].id, started_at=1e18)  # no date, and an OSError
    with pytest.raises(RuntimeError, match="the table cannot be made"):
        main(["export", "runs", "--to", str(tmp_path / "runs.csv")])
    assert list(tmp_path.glob("runs.csv*")) == []


def test_a_small_table_is_safe_to_open_in_a_spreadsheet() -> None:
    table = {"image": ["=cmd|' /C calc'!A0.png", "고양이/1.png"], "confidence": [0.5, np.float32(0.25)]}
    written = api.as_csv(table)
    assert written.startswith(b"\xef\xbb\xbf")
    rows = list(csv.reader(io.StringIO(written.decode("utf-8-sig"))))
    assert rows == [["image", "confidence"], ["'=cmd|' /C calc'!A0.png", "0.5"], ["고양이/1.png", "0.25"]]
