"""Kinds of data set. `source` names a function `(Dataset record as dict) -> engine.data.source.Source`."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Embedded:
    """What is known of a data set that comes with Thaw's own requirements, without reading it."""

    counts: dict[str, dict[str, int]]  # split -> class -> images; split "all" when not split
    fingerprint: str
    channels: int
    width: int  # pixels
    height: int


@dataclass(frozen=True, slots=True)
class DatasetKind:
    label: str
    note: str
    source: str
    embedded: Embedded | None = None


DATASET_KINDS: dict[str, DatasetKind] = {
    "folder": DatasetKind(
        label="Folder of images",
        note="One sub-folder a class, with or without train / validation / test above them; a folder or a zip.",
        source="engine.data.folder:open_folder",
    ),
    "digits": DatasetKind(
        label="Handwritten digits",
        note="1,797 real handwritten digits, 8 x 8 grey, from scikit-learn. Works offline.",
        source="engine.data.embedded:open_digits",
        embedded=Embedded(
            counts={"all": dict(zip("0123456789", (178, 182, 177, 183, 181, 182, 181, 179, 174, 180), strict=True))},
            fingerprint="scikit-learn-digits-1",
            channels=1,
            width=8,
            height=8,
        ),
    ),
}
