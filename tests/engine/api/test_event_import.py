"""Event files as PyTorch, TensorBoard's own writer and TensorFlow lay them down, read in as runs."""

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("tensorboard", reason="reading event files needs requirements-extra.txt")

from tensorboard.compat.proto.event_pb2 import Event, SessionLog
from tensorboard.compat.proto.summary_pb2 import Summary, SummaryMetadata
from tensorboard.summary import Writer
from tensorboard.summary.writer.event_file_writer import EventFileWriter
from tensorboard.util.tensor_util import make_tensor_proto
from torch.utils.tensorboard import SummaryWriter

from engine import api
from engine.api import Refused, Unavailable
from engine.api.event_files import metric_name
from engine.cli.main import main
from storage import RunState, Store


def pytorch_run(folder: Path, *, epochs: int = 3, per_epoch: int = 10, share: float = 1.0) -> Path:
    """As the PyTorch tutorial logs: simple values, "Loss/train"."""
    with SummaryWriter(str(folder)) as writer:
        for epoch in range(epochs):
            for step in range(epoch * per_epoch, (epoch + 1) * per_epoch):
                writer.add_scalar("Loss/train", 1 / (step + 1), step)
            writer.add_scalar("Accuracy/val", share * (0.7 + epoch / 10), (epoch + 1) * per_epoch - 1)
        writer.add_histogram("weights", np.arange(10), 0)
    return folder


@pytest.mark.parametrize(
    ("tag", "name"),
    [
        ("Loss/train", "train/loss"),
        ("train_loss", "train/loss"),
        ("validation/epoch_accuracy", "val/accuracy"),
        ("valid.acc", "val/accuracy"),
        ("test/loss", "test/loss"),
        ("train/loss", "train/loss"),
        ("train/loss_step", "train/loss_step"),
        ("loss", "loss"),
        ("train/val/loss", "train/val/loss"),
        ("lr", "lr"),
    ],
)
def test_common_names_are_those_that_charts_know(tag: str, name: str) -> None:
    assert metric_name(tag) == name


def test_a_pytorch_run_is_a_finished_run_with_its_curves(store: Store, tmp_path: Path) -> None:
    run = api.import_events(store, pytorch_run(tmp_path / "my run"))
    assert (run.name, run.state, run.epochs, run.steps) == ("my run", RunState.FINISHED, 3, 29)
    assert (run.metric, run.best_value, run.best_epoch) == ("val/accuracy", 0.9, 3)
    assert run.source == f"TensorBoard: {tmp_path / 'my run'}"
    assert store.metrics.names(run.id) == ["train/loss", "val/accuracy"]
    losses = store.metrics.series(run.id, "train/loss")
    assert losses.values == pytest.approx([1 / (step + 1) for step in range(30)], rel=1e-6)
    assert losses.values[9] == 0.1  # not 0.10000000149
    assert losses.epochs == [1] * 10 + [2] * 10 + [3] * 10
    assert "Taken as Loss/train as train/loss" in store.events.list(run.id)[1].text
    assert api.import_events(store, tmp_path / "my run").name == "my run 2"


def test_folders_of_train_and_validation_are_one_run(store: Store, tmp_path: Path) -> None:
    for part in ("train", "validation"):
        writer = Writer(str(tmp_path / part))  # tensors, as TensorFlow 2 and Keras write them
        for epoch in range(2):
            writer.add_scalar("epoch_loss", 0.5, epoch)
            writer.add_scalar("epoch_accuracy", 0.8, epoch)
        writer.close()
    run = api.import_events(store, tmp_path, name="keras")
    assert store.metrics.names(run.id) == ["train/accuracy", "train/loss", "val/accuracy", "val/loss"]
    assert run.best_value == 0.8


def test_several_runs_in_a_folder_are_told_apart(store: Store, tmp_path: Path) -> None:
    pytorch_run(tmp_path / "lr0.1" / "train"), pytorch_run(tmp_path / "lr0.1" / "validation")
    assert api.import_events(store, tmp_path, name="alone").source == f"TensorBoard: {tmp_path}"
    pytorch_run(tmp_path / "lr0.01")
    with pytest.raises(Refused, match=r"it holds 2 runs, give one of them: lr0\.01, lr0\.1"):
        api.import_events(store, tmp_path)
    assert api.import_events(store, tmp_path / "lr0.1" / ".." / "lr0.01").name == "lr0.01"


def test_one_file_and_values_that_are_not_finite(store: Store, tmp_path: Path) -> None:
    with SummaryWriter(str(tmp_path)) as writer:
        for step, value in enumerate([1.0, math.nan, math.inf, 0.5]):
            writer.add_scalar("train_loss", value, step)
    run = api.import_events(store, next(tmp_path.glob("*tfevents*")), name="diverged")
    assert store.metrics.series(run.id, "train/loss").values == [1.0, None, None, 0.5]
    assert (run.metric, run.best_value) == ("train/loss", 0.5)


def test_accuracies_in_per_cent_are_shares_here(store: Store, tmp_path: Path) -> None:
    run = api.import_events(store, pytorch_run(tmp_path, share=100), name="per cent")
    assert run.best_value == pytest.approx(0.9)
    assert any("Read as per cent: val/accuracy" in event.text for event in store.events.list(run.id))


def test_what_a_restart_took_back_is_gone(store: Store, tmp_path: Path) -> None:
    for first, value in ((0, 9.0), (3, 1.0)):  # the second file begins again at step 3
        writer = EventFileWriter(str(tmp_path))
        if first:
            writer.add_event(Event(wall_time=1.0, step=first, session_log=SessionLog(status=SessionLog.START)))
        for step in range(first, 5):
            summary = Summary(value=[Summary.Value(tag="loss", simple_value=value)])
            writer.add_event(Event(wall_time=float(step), step=step, summary=summary))
        writer.close()
        for file in tmp_path.glob("events*"):
            file.rename(tmp_path / f"{first}.{file.name}") if not file.name[0].isdigit() else None
    run = api.import_events(store, tmp_path, name="again")
    assert store.metrics.series(run.id, "loss").values == [9.0, 9.0, 9.0, 1.0, 1.0]


def test_a_cut_file_gives_what_is_whole(store: Store, tmp_path: Path) -> None:
    file = next(pytorch_run(tmp_path).glob("*tfevents*"))
    file.write_bytes(file.read_bytes()[:-200])
    assert 0 < store.metrics.count(api.import_events(store, file, name="cut").id, "train/loss") <= 30


def laid_down(folder: Path, *events: Event) -> Path:
    writer = EventFileWriter(str(folder))
    for event in events:
        writer.add_event(event)
    writer.close()
    return folder


def scalar(step: int, at: float) -> Event:
    return Event(wall_time=at, step=step, summary=Summary(value=[Summary.Value(tag="val/loss", simple_value=0.5)]))


def tensor(step: int, value: Any) -> Event:
    of_scalars = SummaryMetadata(plugin_data=SummaryMetadata.PluginData(plugin_name="scalars"))
    one = Summary.Value(tag="val/loss", tensor=make_tensor_proto(np.array(value)), metadata=of_scalars)
    return Event(wall_time=1e9, step=step, summary=Summary(value=[one]))


@pytest.mark.parametrize(
    ("odd", "words"),
    [
        *((scalar(1, at), "no time between") for at in (math.nan, math.inf, -math.inf, 1e18, -1e18, 253_402_300_799.9)),
        *((tensor(1, value), "not one number") for value in ([0.1, 0.2], [], [b"0.5"], 1j)),
    ],
)
def test_what_is_no_point_is_left_out_and_told(store: Store, tmp_path: Path, odd: Event, words: str) -> None:
    run = api.import_events(store, laid_down(tmp_path / "a", scalar(0, 1e9), odd, tensor(2, 0.25)))
    assert store.metrics.series(run.id, "val/loss").steps == [0, 2]
    assert [words in event.text for event in store.events.list(run.id) if "Values left out: 1 that" in event.text] == [
        True
    ]
    for form in api.EXPORT_FORMS:
        for what in ("runs", "metrics"):
            assert b"".join(api.export(store, what, form))
    with pytest.raises(Refused, match=f"it holds no scalars. Values left out: 1 that .*{words}"):
        api.import_events(store, laid_down(tmp_path / "b", odd))


def test_a_folder_whose_name_is_no_text_is_refused(store: Store, tmp_path: Path) -> None:
    folder = pytorch_run(tmp_path / "cafe").rename(tmp_path / "caf\udce9")
    with pytest.raises(Refused, match="must be written in UTF-8"):
        api.import_events(store, folder, name="coffee")


def nothing(folder: Path) -> Path:
    return folder / "nothing"


def empty(folder: Path) -> Path:
    return folder


def noise(folder: Path) -> Path:
    (folder / "events.out.tfevents.1").write_bytes(bytes(range(256)) * 40)
    return folder


def pictures(folder: Path) -> Path:
    with SummaryWriter(str(folder)) as writer:
        writer.add_histogram("weights", np.arange(3), 0)
    return folder


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (nothing, "no such file or folder"),
        (empty, "no event file"),
        (noise, "it holds no scalars"),
        (pictures, "it holds no scalars"),
    ],
)
def test_what_holds_no_scalars_is_refused(store: Store, tmp_path: Path, make: Any, words: str) -> None:
    with pytest.raises(Refused, match=words):
        api.import_events(store, make(tmp_path))
    assert store.runs.list() == []


def test_without_the_package_it_says_how_to_get_it(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "tensorboard.backend.event_processing.event_file_loader", None)
    with pytest.raises(Unavailable, match=r"needs the tensorboard package: pip install -r requirements-extra\.txt"):
        api.import_events(store, pytorch_run(tmp_path))


def test_the_command_tells_the_run(store: Store, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["import-events", str(pytorch_run(tmp_path)), "--name", "논문", "--json"]) == 0
    run = json.loads(capsys.readouterr().out)
    assert (run["name"], run["state"], run["best"]["value"]) == ("논문", "finished", 0.9)
    assert main(["import-events", str(tmp_path / "nothing")]) == 2
    assert "no such file or folder" in capsys.readouterr().err
