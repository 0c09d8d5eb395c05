"""Kinds of data set. `source` names a function `(Dataset record as dict) -> engine.data.source.Source`."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class DatasetKind:
    label: str
    note: str
    source: str
    embedded: bool = False  # comes with Thaw's own requirements; always listed


DATASET_KINDS: dict[str, DatasetKind] = {
    "folder": DatasetKind(
        label="Folder of images",
        note="One sub-folder a class, with or without train / validation / test above them; a folder or a zip.",
        source="engine.data.folder:open_folder",
    ),
    "digits": DatasetKind(
        label="Handwritten digits",
        note="1,797 real handwritten digits, 8x8 grey, from scikit-learn. Works offline.",
        source="engine.data.embedded:open_digits",
        embedded=True,
    ),
}
