"""What checkpoints say of images: kept with a run, or made when it is asked for, outside the pages and kept by key."""

from dataclasses import asdict
from typing import Any

from engine.api.datasets import find_dataset, replaced_data
from engine.api.runs import find_run
from engine.artifacts.files import find_checkpoint, read_manifest
from engine.artifacts.predictions import PREDICTIONS, Predictions
from engine.errors import NotFound, Problem, Refused
from engine.previews.requests import Preview, forget, place_of, request_preview
from engine.protocol.run_file import RUN_FILE, read_dataset
from storage import Dataset, Run, Store

PARTS = ("validation", "test", "train", "all")  # "all": every image that is not excluded
OF_IMAGES = ("id", "kind", "path", "classes", "channels", "fingerprint", "source_fingerprint", "excluded")
MOST_NAMED = 5  # classes in a sentence


def run_predictions(store: Store, run_id: str) -> Predictions | None:
    """What a run's best checkpoint says of the images that judged it.

    None while there is nothing to read: no checkpoint yet, one from before they were kept, or a damaged file. Then
    `predictions_on` makes them anew.
    """
    try:
        kept = find_checkpoint(store, run_id, "best")
        return Predictions.read(store.home.run(run_id) / kept.path / PREDICTIONS, run_id)
    except (NotFound, OSError, ValueError):
        return None


def has_its_images(store: Store, run: Run) -> bool:
    """Whether the images that the run was launched with still stand under the name of its data set."""
    try:
        return _is_own(store, run, store.datasets.get(run.dataset_id))
    except KeyError:
        return False


def predictions_on(
    store: Store, run_id: str, dataset_id: str, part: str, *, anew: bool = False
) -> Predictions | Preview:
    """What a run's best checkpoint says of a part of any labelled data set; asked for now if nobody has yet.

    Args:
        anew: Forget what was made, as after a problem that was put right.

    Raises:
        NotFound: No such run or data set, or the run keeps no checkpoint.
        Unavailable: The checkpoint's files are gone.
        Refused: There is no such part, or the data set has classes that the run has not learned.
    """
    run, dataset = find_run(store, run_id), find_dataset(store, dataset_id)
    if part not in (parts := predictable_parts(store, run.id, dataset.id)):
        raise Refused([Problem("part", part, f"must be one of {', '.join(parts)}")])
    is_own = _is_own(store, run, dataset)
    if is_own and part == "validation" and (kept := run_predictions(store, run.id)):
        return kept
    request = _request(store, run, dataset, is_own) | {"kind": "predictions", "part": part}
    if anew:
        forget(store, request)
    found = request_preview(store, request)
    if found.values is None:
        return found
    try:
        return Predictions.read(place_of(store, request) / PREDICTIONS, run.id)
    except (OSError, ValueError):  # the cache was cleared just now
        forget(store, request)
        return request_preview(store, request)


def predictable_parts(store: Store, run_id: str, dataset_id: str) -> list[str]:
    """Parts of a data set that a run can be asked about: of its own data set as the run divided it.

    Raises:
        NotFound: No such run or data set, or the run keeps no checkpoint to tell its classes by; those of its own
            data set need none.
        Unavailable: The checkpoint's files are gone.
        Refused: The data set has classes that the run has not learned.
    """
    run, dataset = find_run(store, run_id), find_dataset(store, dataset_id)
    if _is_own(store, run, dataset):
        has_test = "test" in dataset.counts or run.spec["data"].get("test_fraction")
        return [part for part in PARTS if part != "test" or has_test]
    known = set(read_manifest(store, run.id, "best").classes)
    if strange := [name for name in dataset.classes if name not in known]:
        more = f" and {len(strange) - MOST_NAMED:,} more" if len(strange) > MOST_NAMED else ""
        named = f"{', '.join(strange[:MOST_NAMED])}{more}"
        raise Refused([Problem("dataset", dataset.name, f"has classes that {run.name} has not learned: {named}")])
    return [part for part in PARTS if part in dataset.counts or part == "all"]


def saliency(
    store: Store, run_id: str, dataset_id: str, image_id: str, target: int | None, *, anew: bool = False
) -> Preview:
    """Where a run's best checkpoint looks in an image (Grad-CAM); asked for now if nobody has yet.

    `pictures["image"]` is the image as the network sees it, `pictures["saliency"]` the same with what speaks for the
    class laid over it; `values` tell that "target", its "share", and the likeliest "guess".

    Args:
        target: The class asked about, an index; None: the likeliest.
        anew: Forget what was made, as after a problem that was put right.

    Raises:
        NotFound: No such run or data set, or the run keeps no checkpoint.
    """
    run, dataset = find_run(store, run_id), find_dataset(store, dataset_id)
    request = _request(store, run, dataset, False) | {"kind": "saliency", "image": image_id, "target": target}
    request["dataset"].pop("excluded")  # which does not change what is seen in an image
    if anew:
        forget(store, request)
    return request_preview(store, request)


def _request(store: Store, run: Run, dataset: Dataset, is_own: bool) -> dict[str, Any]:
    kept = find_checkpoint(store, run.id, "best")
    images = {name: value for name, value in asdict(dataset).items() if name in OF_IMAGES}
    if is_own:  # what was taken out since has taught or judged it all the same
        images["excluded"] = _launched_with(store, run).get("excluded", images["excluded"])
    return {
        "checkpoint": str(store.home.run(run.id) / kept.path),
        "sha256": kept.sha256,
        "is_own": is_own,
        "dataset": images,
        "spec": {},
        "cache": str(store.home.cache),
    }


def _is_own(store: Store, run: Run, dataset: Dataset) -> bool:
    """Whether it holds the very images that the run was launched with."""
    return run.dataset_id == dataset.id and not replaced_data(store, run)


def _launched_with(store: Store, run: Run) -> dict[str, Any]:
    """The data set's record as it was when the run was launched; {} where it is not known."""
    return read_dataset(store.home.run(run.id) / RUN_FILE) or {}
