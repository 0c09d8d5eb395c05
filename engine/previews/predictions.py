"""What a checkpoint says of a labelled data set, in one pass over it: made for a page, by the previewer."""

import itertools
from pathlib import Path
from typing import Any

import numpy as np
import torch

from engine.artifacts.predictions import PREDICTIONS, Labelled
from engine.data import open_source
from engine.data.arrays import prepare
from engine.data.batches import Batches
from engine.data.features import at_once
from engine.data.sources.base import Source
from engine.data.split import left_out_of, parts_of
from engine.errors import Unavailable
from engine.previews.job import PreviewJob
from engine.previews.trained_model import Trained
from engine.specs import RunSpec
from engine.training import device as devices
from engine.training.loop import evaluate
from engine.training.precision import Format


def predictions(job: PreviewJob) -> dict[str, Any]:
    """Writes predictions.parquet; {"images"}. In full precision, whatever the run was trained in.

    Raises:
        Unavailable: Images or the checkpoint are gone, or nothing is in this part.
    """
    request = job.request
    job.report(0.0, "reading the checkpoint")
    trained, source = Trained.read(Path(request["checkpoint"])), open_source(request["dataset"])
    chosen = _chosen(source, trained.spec if request["is_own"] else None, request)
    if not len(chosen):
        raise Unavailable(f"There is no image in the part {request['part']}.", "Choose another one.")
    device = devices.choose("auto")
    devices.prepare(device)
    labels = np.array([trained.classes.index(name) for name in source.classes])[source.labels]
    batches = Batches(
        trained.pixels(_images(source, trained, request), device),
        labels,
        chosen,
        batch_size=at_once(trained.preprocessing["image_size"], device),
        device=device,
    )
    done = itertools.count()

    def going_on() -> bool:
        """Called before each batch."""
        place = next(done)
        job.report(place / len(batches), f"{place * len(chosen) // len(batches):,} of {len(chosen):,} images")
        return False

    evaluation = evaluate(trained.network.to(device), batches, Format("fp32", device.type), going_on)
    assert evaluation is not None
    shown = Labelled(request["dataset"]["id"], request["part"], [source.ids[place] for place in chosen], labels[chosen])
    made = evaluation.predictions(shown, trained.classes, run="", epoch=trained.epoch)
    (job.folder / PREDICTIONS).write_bytes(made.to_parquet())
    return {"images": len(chosen)}


def _chosen(source: Source, own: RunSpec | None, request: dict[str, Any]) -> np.ndarray:
    """Indices of the part, ascending: as the run itself divided its data set, else as the data set came."""
    part, out = request["part"], request["dataset"]["excluded"]
    if own and part != "all":
        return getattr(parts_of(source.ids, source.labels, source.splits, own.data, out), part)
    among = np.arange(len(source.ids)) if part == "all" else np.flatnonzero(np.asarray(source.splits) == part)
    return np.setdiff1d(among, left_out_of(source.ids, out))


def _images(source: Source, trained: Trained, request: dict[str, Any]) -> Any:
    """Those that lie decoded in the cache, else decoded one by one as they are looked at: a pass needs each once."""
    shape, dataset = trained.preprocessing, request["dataset"]
    return prepare(
        source,
        dataset["source_fingerprint"] or dataset["fingerprint"],
        image_size=shape["image_size"],
        channels=shape["channels"],
        resize=shape["resize"],
        cache=Path(request["cache"]),
        workers=torch.get_num_threads(),
        keep=False,
    ).images
