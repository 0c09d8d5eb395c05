"""What is known of a data set's images, read from what its import and its scan left on the disk."""

import json
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from engine.data.scans.scan import PICTURES, Scan
from engine.data.sources.base import Source, open_source
from engine.data.sources.folder import INDEX, Index
from engine.data.split import Split, parts_of
from engine.errors import NotFound, Unavailable
from engine.specs import Data
from storage import Dataset, Store

if TYPE_CHECKING:
    from PIL.Image import Image


def dataset_index(store: Store, dataset: Dataset) -> Index:
    """Ids, labels and parts of all images, the excluded ones too.

    Raises:
        Unavailable: The list is gone, or not made yet.
    """
    folder = store.home.dataset(dataset.id)
    if not (folder / INDEX).exists():
        raise Unavailable(f"The images of {dataset.name} are not listed yet: scan it, and the list is made.")
    return Index.read(folder)


def dataset_scan(store: Store, dataset_id: str) -> Scan | None:
    """The newest scan of a data set; None: it was not scanned yet."""
    try:
        return Scan.read(store.home.dataset(dataset_id))
    except (OSError, ValueError, TypeError):
        return None


def dataset_thumbnails(store: Store, dataset_id: str, ids: Iterable[str]) -> dict[str, Path]:
    """Small pictures of images that the scan's findings name; an image without one is left out."""
    scan = dataset_scan(store, dataset_id)
    folder = store.home.dataset(dataset_id) / PICTURES
    return {one: folder / scan.pictures[one] for one in ids if scan and one in scan.pictures}


def dataset_files(store: Store, dataset_id: str) -> list[tuple[str, int]]:
    """Image id and bytes, 0 where it has no file of its own, of every image."""
    index = dataset_index(store, store.datasets.get(dataset_id))
    return list(zip(index.ids, index.bytes, strict=True))


def dataset_images(store: Store, dataset_id: str, class_name: str) -> list[str]:
    """Ids of the images of a class, the excluded ones too, in order.

    Raises:
        NotFound: No such class.
        Unavailable: The list of images is gone.
    """
    dataset = store.datasets.get(dataset_id)
    if class_name not in dataset.classes:
        raise NotFound(f"There is no class {class_name!r} in {dataset.name}.")
    index, label = dataset_index(store, dataset), dataset.classes.index(class_name)
    return [one for one, of in zip(index.ids, index.labels, strict=True) if of == label]


def dataset_image(store: Store, dataset_id: str, image_id: str) -> "Image":
    """The original image, decoded. One of torchvision's data sets may have to be opened for it, which takes a while.

    Raises:
        NotFound: No such image.
        Unavailable: Its file is gone or was changed.
    """
    dataset = store.datasets.get(dataset_id)
    what = ("kind", "path", "classes", "source_fingerprint")  # a note or an exclusion does not open it anew
    source, places = _opened(json.dumps({name: getattr(dataset, name) for name in what}))
    if image_id not in places:
        raise NotFound(f"There is no image {image_id} in {dataset.name}.")
    return source.read(places[image_id])


@lru_cache(maxsize=1)
def _opened(record: str) -> tuple[Source, dict[str, int]]:
    """The source of a record and the index of each id in it. Kept: one of torchvision's takes a while to open."""
    source = open_source(json.loads(record))
    return source, {one: index for index, one in enumerate(source.ids)}


def split_of(store: Store, dataset: Dataset, data: Data) -> Split:
    """The parts that a run with these settings would get.

    Raises:
        Refused: The pattern of groups does not fit.
        Unavailable: The list of images is gone.
    """
    index = dataset_index(store, dataset)
    return parts_of(index.ids, np.asarray(index.labels), index.splits, data, dataset.excluded)
