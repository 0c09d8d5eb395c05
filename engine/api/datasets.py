"""What users ask of data sets: add, fetch, scan, take images out. Checked here, at the door."""

import hashlib
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np

from engine.api.images import dataset_index, split_of
from engine.artifacts.files import MOST_NAME_BYTES
from engine.catalog.datasets import DATASET_KINDS
from engine.data.split import left_out_of
from engine.errors import NotFound, Problem, Refused, Unavailable
from engine.protocol.run_file import RUN_FILE, read_dataset
from engine.specs import Data, RunSpec
from storage import Dataset, Request, Run, RunState, SearchState, Store

SUFFIXES = (".zip", ".csv")


def add_dataset(store: Store, name: str, source: Path, *, key: str | None = None, copy: bool = False) -> Request:
    """Ask for a folder or zip of class folders, or a CSV of path,label[,split], to be imported as the data set `name`.

    Args:
        source: On this machine.
        key: The same again gives the request that was made first.
        copy: Copy images into the home: a zip is in any case, a folder and what a CSV lists only so.

    Raises:
        Refused: The name is empty, too long or taken; the path is missing, or of none of these kinds.
    """
    name = unicodedata.normalize("NFC", name.strip())
    source = source.expanduser().absolute()
    with store.transaction():  # of two that ask for one name at once, one is refused
        if problems := _problems_of_name(store, name) + _problems_of_source(store, source):
            raise Refused(problems)
        payload = {"name": name, "source": str(source), "copy": copy}
        return store.requests.add("import_dataset", dataset_id_of(name), payload, key=key)


def fetch_dataset(store: Store, kind: str, *, name: str | None = None, folder: Path | None = None) -> Request:
    """Ask for one of torchvision's data sets.

    Args:
        kind: A key of DATASET_KINDS.
        name: None: the kind's.
        folder: Where its files lie already, on this machine; None: they are downloaded.

    Raises:
        Refused: There is no such kind, it is here already, or the folder is missing.
    """
    kinds = [one for one, row in DATASET_KINDS.items() if row.fetched]
    if kind not in kinds:
        raise Refused([Problem("kind", kind, f"must be one of {', '.join(kinds)}")])
    name = unicodedata.normalize("NFC", (name or kind).strip())
    with store.transaction():
        problems = _problems_of_name(store, name, own=kind)
        if folder and not folder.expanduser().is_dir():
            problems.append(Problem("folder", str(folder), "there is no such folder on this machine"))
        if problems:
            raise Refused(problems)
        payload = {
            "name": name,
            "kind": kind,
            "root": str(store.home.downloads / kind),
            "folder": str(folder.expanduser().absolute()) if folder else None,
        }
        return store.requests.add("import_dataset", dataset_id_of(name), payload)


def scan_dataset(store: Store, dataset_id: str) -> Request:
    """Ask for a data set to be looked through for repeats, leaks and the like.

    Raises:
        NotFound: No such data set.
        Refused: It is being scanned already.
    """
    dataset = find_dataset(store, dataset_id)
    if any(one.kind == "scan_dataset" and one.target == dataset.id for one in store.requests.open()):
        raise Refused([Problem("dataset", dataset.name, "is being scanned already")])
    return store.requests.add("scan_dataset", dataset.id, {"name": dataset.name, "dataset": asdict(dataset)})


def exclude_images(store: Store, dataset_id: str, ids: Iterable[str]) -> Dataset:
    """Take images out: no run started from now on learns from them or is judged by them. Files stay where they are.

    Raises:
        NotFound: No such data set.
        Refused: An image is unknown, or a class would have none left to learn from.
    """
    with store.transaction():
        dataset = find_dataset(store, dataset_id)
        return _with_excluded(store, dataset, dict.fromkeys([*dataset.excluded, *ids]))


def include_images(store: Store, dataset_id: str, ids: Iterable[str]) -> Dataset:
    """Take images back in that were excluded.

    Raises:
        NotFound: No such data set.
    """
    back = set(ids)
    with store.transaction():
        dataset = find_dataset(store, dataset_id)
        return _with_excluded(store, dataset, dict.fromkeys(one for one in dataset.excluded if one not in back))


def set_about(store: Store, dataset_id: str, text: str) -> Dataset:
    """Keep the user's own words about a data set, Markdown.

    Raises:
        NotFound: No such data set.
        Refused: The text is too long.
    """
    if len(text) > 20_000:
        raise Refused([Problem("about", f"{text[:20]}...", "must have at most 20,000 characters")])
    with store.transaction():
        dataset = replace(find_dataset(store, dataset_id), about=text.strip())
        store.datasets.add(dataset)
    return dataset


def delete_dataset(store: Store, dataset_id: str) -> Request:
    """Ask for a data set to be removed; images of a folder on the server stay where they are.

    Raises:
        NotFound: No such data set.
        Refused: It comes with Thaw, or a run that is not over uses it.
    """
    dataset = find_dataset(store, dataset_id)
    if DATASET_KINDS[dataset.kind].embedded:
        raise Refused([Problem("dataset", dataset.name, "comes with Thaw and stays")])
    if users := users_of(store, dataset.id):
        raise Refused([Problem("dataset", dataset.name, f"is in use by {', '.join(users[:5])}; stop that first")])
    return store.requests.add("delete_dataset", dataset.id)


def users_of(store: Store, dataset_id: str) -> list[str]:
    """Names of the runs and searches that are not over and train on a data set."""
    runs = store.runs.list(states=[state for state in RunState if not state.is_over], alone=True, limit=-1)
    searches = store.searches.list(states=[state for state in SearchState if not state.is_over], limit=-1)
    users = [(one.name, one.dataset_id) for one in runs] + [(one.name, one.dataset_id) for one in searches]
    return [name for name, used in users if used == dataset_id]


def find_dataset(store: Store, name: str) -> Dataset:
    """
    Raises:
        NotFound: No such data set.
    """
    try:
        return store.datasets.get(name)
    except KeyError as error:
        raise NotFound(error.args[0]) from None


def dataset_id_of(name: str) -> str:
    """A data set's id: its name made safe for a path. Letters of all scripts stay."""
    return re.sub(r"[^\w]+", "-", name.casefold()).strip("-_")


def dataset_problems(store: Store, spec: RunSpec) -> list[Problem]:
    """What is wrong with a spec's data set and the way it is to be split."""
    try:
        dataset = store.datasets.get(spec.data.dataset)
    except KeyError:
        names = ", ".join(dataset.name for dataset in store.datasets.list())
        return [Problem("data.dataset", spec.data.dataset, f"there is no such data set; there are: {names}")]
    teach = dataset.counts.get("train") or dataset.counts.get("all") or {}
    if (
        not spec.data.group_by and max(teach.values(), default=2) > 1
    ):  # reading all ids takes time: only where it may fail
        return []
    try:
        split_of(store, dataset, spec.data)
    except Refused as refused:
        return refused.problems
    except Unavailable as error:
        return [Problem("data.dataset", dataset.name, str(error))]
    return []


def replaced_data(store: Store, run: Run) -> list[Problem]:
    """Whether a run's data set is gone, or another lies under its name: it goes on with its own or not at all."""
    name = run.dataset_id
    try:
        now = store.datasets.get(name)
    except KeyError:
        return [Problem("data.dataset", name, "its data set is gone; import the same images again, or start a new run")]
    then = read_dataset(store.home.run(run.id) / RUN_FILE)
    if then is None:  # it was never launched: it begins with what lies there
        return []
    if then.get("source_fingerprint") in (None, now.source_fingerprint):
        return []
    return [Problem("data.dataset", name, "other images lie under this name now; start a new run to train on them")]


def source_fingerprint(store: Store, run: Run) -> str | None:
    """Of all the images that a run's were chosen from, whatever was excluded then; None where nothing tells."""
    then = read_dataset(store.home.run(run.id) / RUN_FILE) or {}
    if found := then.get("source_fingerprint") or then.get("fingerprint"):
        return str(found)
    now = next((one for one in store.datasets.list() if one.id == run.dataset_id), None)
    known = now is not None and run.dataset_fingerprint in (now.fingerprint, now.source_fingerprint)
    return now.source_fingerprint if now and known else None


def dataset_split(
    store: Store,
    dataset_id: str,
    *,
    validation_fraction: float,
    test_fraction: float,
    split_seed: int,
    group_by: str,
) -> dict[str, dict[str, int]]:
    """Part -> class -> images, as a run with these settings would get them.

    Args:
        validation_fraction: Of the training images, 0 to 1.
        test_fraction: Of all images, 0 to 1, where the data set has no test part.
        split_seed: Another one deals other images to each part.
        group_by: A regular expression on the ids of images that must stay together; "": each stands alone.

    Raises:
        NotFound: No such data set.
        Refused: A value is not allowed, or the pattern does not fit the names.
        Unavailable: The list of its images is gone.
    """
    dataset = find_dataset(store, dataset_id)
    values = {
        "dataset": dataset.id,
        "validation_fraction": validation_fraction,
        "test_fraction": test_fraction,
        "split_seed": split_seed,
        "group_by": group_by,
    }
    data_spec: Data = RunSpec.parse({"data": values}).data
    parts, labels = split_of(store, dataset, data_spec), np.asarray(dataset_index(store, dataset).labels)
    found = {"train": parts.train, "validation": parts.validation, "test": parts.test}
    return {
        part: dict(zip(dataset.classes, np.bincount(labels[of], minlength=len(dataset.classes)).tolist(), strict=True))
        for part, of in found.items()
        if len(of)
    }


def _with_excluded(store: Store, dataset: Dataset, excluded: Iterable[str]) -> Dataset:
    index, out = dataset_index(store, dataset), tuple(excluded)
    known = set(index.ids)
    if unknown := [one for one in out if one not in known]:
        raise Refused([Problem("images", unknown[0], f"there is no such image in {dataset.name}")])
    gone = set(left_out_of(index.ids, out).tolist())
    counts: dict[str, dict[str, int]] = {part: dict.fromkeys(dataset.classes, 0) for part in _parts(index.splits)}
    for place, (label, part) in enumerate(zip(index.labels, index.splits, strict=True)):
        if place not in gone:
            counts[part or "all"][dataset.classes[label]] += 1
    teaching = counts.get("train", counts.get("all", {}))
    empty = [name for name, count in teaching.items() if not count]
    if empty:
        raise Refused([Problem("images", out[-1], f"is the last one to learn {empty[0]} from; keep it, or another")])
    base = dataset.source_fingerprint or dataset.fingerprint
    digest = hashlib.sha256("\n".join([base, *sorted(out)]).encode("utf-8", "surrogateescape")).hexdigest()
    changed = replace(
        dataset, excluded=out, counts=counts, source_fingerprint=base, fingerprint=digest if out else base
    )
    store.datasets.add(changed)
    return changed


def _parts(splits: Iterable[str]) -> list[str]:
    found = set(splits)
    return [part or "all" for part in ("", "train", "validation", "test") if part in found]


def _problems_of_name(store: Store, name: str, *, own: str = "") -> list[Problem]:
    """`own`: a catalog name that this data set may bear, being of that kind."""
    dataset_id = dataset_id_of(name)
    taken = {dataset.id for dataset in store.datasets.list()}
    taken |= {one.target for one in store.requests.open() if one.kind == "import_dataset"}
    if not dataset_id or len(name) > 100 or len(dataset_id.encode()) > MOST_NAME_BYTES:
        allowed = "must have 1 to 100 characters (66 of Hangul), at least one a letter or digit"
        return [Problem("name", name, allowed)]
    if dataset_id in taken or (dataset_id in DATASET_KINDS and dataset_id != own):
        return [Problem("name", name, "is taken by another data set; choose a new one, or delete that first")]
    return []


def _problems_of_source(store: Store, source: Path) -> list[Problem]:
    if not source.exists():
        return [Problem("source", str(source), "there is no such folder or file on this machine")]
    if source.is_file() and source.suffix.lower() not in SUFFIXES:
        return [Problem("source", str(source), "must be a folder or a .zip of class folders, or a .csv of path,label")]
    if store.home.datasets in source.parents:
        return [Problem("source", str(source), "lies among Thaw's own files; choose a folder of yours")]
    return []
