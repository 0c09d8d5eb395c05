"""torchvision's own data sets: fetched by torchvision's code, or read where their files already lie."""

import errno
import pickle
import re
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from PIL import Image

from engine.artifacts.files import folder_bytes
from engine.catalog.datasets import DATASET_KINDS, DatasetKind, Fetched
from engine.data import names
from engine.errors import Unavailable, Unfit

EVERY_S = 0.5
UNFINISHED = ".unfinished"  # lies in a folder while it is being filled
UNREADABLE = (RuntimeError, OSError, ValueError, KeyError, EOFError, pickle.UnpicklingError)  # torchvision's many ways
LABELS = ("targets", "labels", "_labels", "y")  # where torchvision's classes keep them
IMAGES = ("_image_files", "_images", "_samples", "samples")  # paths, or pairs of path and label


PLAIN = {
    ("numpy", "_reconstruct"),
    ("numpy", "ndarray"),
    ("numpy", "dtype"),
    ("numpy", "scalar"),
    ("_codecs", "encode"),
}


class FetchProgress(Protocol):
    """How far a download is."""

    def say(self, message: str) -> None: ...

    def report_step(self, step: int, steps: int, eta_s: float | None, message: str) -> None:
        """How far a download is.

        Args:
            step: Done so far, in whatever unit.
            steps: In all.
            eta_s: Seconds that are left; None when nobody knows.
            message: For people.
        """


class TorchvisionSet:
    """All parts of one set as one source, in the order of its ids: "train/ankle boot/000017"."""

    def __init__(self, kind: str, root: Path) -> None:
        """
        Raises:
            Unavailable: Its files are not all below `root`, or are not what torchvision reads.
        """
        about = DATASET_KINDS[kind]
        try:
            self._parts = _opened(about, root)
        except UNREADABLE as error:
            reason = f"The files of {about.label} in {root} cannot be read ({_reason(error)})."
            raise Unavailable(reason, "Put them back, or fetch it again.") from None
        self._root = root
        labels = {part: _labels(one) for part, one in self._parts.items()}
        present = np.unique(np.concatenate(list(labels.values())))  # EMNIST's letters begin at 1
        known = _class_names(next(iter(self._parts.values())))
        self.classes = tuple(known[label] if known else str(label) for label in present)
        rows = [
            (_id(one, part, self.classes[label], index), part, index, int(label))
            for part, one in self._parts.items()
            for index, label in enumerate(np.searchsorted(present, labels[part]))
        ]
        rows.sort()
        self.ids = [row[0] for row in rows]
        self.splits = [row[1] for row in rows]
        self.labels = np.array([row[3] for row in rows], dtype=np.int64)
        self._places = [row[1:3] for row in rows]

    def read(self, index: int) -> Image.Image:
        """Decoded.

        Raises:
            Unavailable: Its file is gone or damaged.
        """
        part, place = self._places[index]
        try:
            image: Image.Image = self._parts[part][place][0]
            return image if image.mode in ("L", "RGB") else image.convert("RGB")
        except (OSError, ValueError, SyntaxError) as error:
            reason = f"{self.ids[index]} in {self._root} cannot be read ({_reason(error)})."
            raise Unavailable(reason, "Put it back, or fetch the data set again.") from None


def open_fetched(dataset: dict[str, Any]) -> TorchvisionSet:
    """
    Raises:
        Unavailable: Its files are gone.
    """
    return TorchvisionSet(dataset["kind"], Path(dataset["path"]))


def fetch(kind: str, own: Path, named: Path | None, progress: FetchProgress) -> Path:
    """The folder from which torchvision reads the set: `named` or `own` where it lies there already, else `own` after
    a download, or after unpacking archives that lie in `named`.

    Args:
        kind: A row of the catalog's data sets.
        own: The folder that Thaw fetches into.
        named: The folder that the user named; it is never written to.
        progress: Learns how far a download is.

    Raises:
        Unfit: `named` does not hold it, or it cannot be downloaded; the text names the files, where they come from
            and where they go.
        OSError: The disk is full or not writable.
    """
    about = DATASET_KINDS[kind]
    unfinished = own / UNFINISHED
    if unfinished.exists():
        _clear(about, own)
    for root in filter(None, (named, own)):
        progress.say(f"Looking for {about.label} in {root}")
        if _lies_in(about, root):
            return root
    own.mkdir(mode=0o700, parents=True, exist_ok=True)
    if named:
        _link_archives(about, named, own)
    unfinished.touch()
    try:
        _download(about, own, progress)
    except Unfit:  # before anything was unpacked; the user may now put files here
        unfinished.unlink()
        raise
    unfinished.unlink()
    return own


def _clear(about: DatasetKind, own: Path) -> None:
    """Remove what a fetch left that was broken off while it unpacked: torchvision would take half a set for a whole.

    Archives stay; torchvision checks them again.
    """
    for path in sorted(own.rglob("*"), reverse=True):  # what lies in a folder comes before it
        if path.is_dir() and not path.is_symlink():
            with suppress(OSError):  # an archive is in it
                path.rmdir()
        elif path.relative_to(own).as_posix() not in _fetched(about).files:
            path.unlink()


class _Plain(pickle.Unpickler):
    """Reads arrays, texts and numbers; CIFAR's files are pickles, and anybody's could run code."""

    def find_class(self, module: str, name: str) -> Any:
        if (module.split(".")[0], name) in PLAIN:
            return super().find_class(module, name)
        raise pickle.UnpicklingError(f"it holds {module}.{name}, which is no array")


def _only_plain(cifar: Any, root: Path) -> None:
    """
    Raises:
        pickle.UnpicklingError: A pickle that torchvision would read holds more than arrays; nothing of it was run.
    """
    batches = [name for name, _ in (*cifar.train_list, *cifar.test_list)]
    for name in (*batches, cifar.meta["filename"]):
        with suppress(FileNotFoundError), (root / cifar.base_folder / name).open("rb") as file:
            _Plain(file, encoding="latin1").load()


def _opened(about: DatasetKind, root: Path) -> dict[str, Any]:
    """Part -> torchvision's object. Its files need not have the checksums that torchvision knows: the images count."""
    from torchvision import datasets  # takes seconds: only where images are read

    original = getattr(datasets, _fetched(about).torchvision)
    if issubclass(original, datasets.CIFAR10):
        _only_plain(original, root)
    unchecked: dict[str, Any] = {"_check_integrity": lambda self: True}
    if hasattr(original, "meta"):
        unchecked["meta"] = {**original.meta, "md5": None}
    trusting = type(original.__name__, (original,), unchecked)  # the name is that of a folder, too
    return {part: trusting(str(root), **arguments) for part, arguments in _fetched(about).parts.items()}


def _fetched(about: DatasetKind) -> Fetched:
    assert about.fetched is not None, about.label
    return about.fetched


def _lies_in(about: DatasetKind, root: Path) -> bool:
    try:
        _opened(about, root)
    except UNREADABLE:
        return False
    return True


def _link_archives(about: DatasetKind, named: Path, own: Path) -> None:
    """Let torchvision find in `own` the archives that lie in `named`: it checks and unpacks what it finds."""
    missing = [file for file in _fetched(about).files if not _found(named, file)]
    if missing:
        raise Unfit(
            f"{about.label} does not lie in {named}: there is no {names.listed(missing)}.",
            "Name the folder that holds these files or what torchvision unpacks from them, or fetch it without one.",
        )
    from torchvision import datasets
    from torchvision.datasets.utils import check_integrity

    known = getattr(getattr(datasets, _fetched(about).torchvision), "tgz_md5", None)
    if known and not check_integrity(str(_found(named, _fetched(about).files[0])), known):
        # fetched again it would be written through the link, over the user's own file
        raise Unfit(
            f"{_fetched(about).files[0]} in {named} is damaged, or another file of that name.",
            "Put a whole one there, or fetch the data set without a folder.",
        )
    for file in _fetched(about).files:
        link = own / file
        link.parent.mkdir(parents=True, exist_ok=True)
        link.unlink(missing_ok=True)
        link.symlink_to(_found(named, file) or named)


def _found(named: Path, file: str) -> Path | None:
    """The file as torchvision places it, or directly in the folder."""
    return next((path for path in (named / file, named / Path(file).name) if path.is_file()), None)


def _download(about: DatasetKind, own: Path, progress: FetchProgress) -> None:
    from torchvision import datasets

    fetched, errors = _fetched(about), []

    def work() -> None:
        try:
            for arguments in fetched.parts.values():
                getattr(datasets, fetched.torchvision)(str(own), download=True, **arguments)
        except Exception as error:  # told by the thread that waits
            errors.append(error)

    _watch(work, own, fetched.bytes, progress)
    if not errors:
        return
    error = errors[0]
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EACCES):
        raise error
    raise Unfit(
        f"{about.label} could not be downloaded ({_reason(error)}).",
        f"Put {names.listed(list(fetched.files))} from {fetched.url} into {own}, then fetch it again.",
    ) from error


def _watch(work: Callable[[], None], own: Path, expected: int, progress: FetchProgress) -> None:
    """Run `work` and look at its folder twice a second, `expected` bytes in the end: torchvision tells nobody how far
    it is. A daemon thread, so that a cancelled import ends at once.
    """
    thread = threading.Thread(target=work, daemon=True)
    had, began = folder_bytes(own), time.monotonic()
    thread.start()
    while thread.is_alive():
        thread.join(EVERY_S)
        done = folder_bytes(own)
        if done >= expected:
            progress.report_step(99, 100, None, "Unpacking")
            continue
        speed = (done - had) / (time.monotonic() - began)
        eta_s = (expected - done) / speed if speed else None
        progress.report_step(done, expected, eta_s, f"{done / 1e6:,.1f} of {expected / 1e6:,.1f} MB fetched")


def _labels(part: Any) -> np.ndarray:
    """int64 (n,), as torchvision numbers them."""
    for name in LABELS:
        if (found := getattr(part, name, None)) is not None:
            labels = np.asarray(found, dtype=np.int64)
            return labels[:, 0] if labels.ndim == 2 else labels  # QMNIST: the digit comes first
    return np.asarray([label for _, label in part._samples], dtype=np.int64)


def _class_names(part: Any) -> list[str]:
    """By label; [] where torchvision names none."""
    found = getattr(part, "classes", None) or getattr(part, "categories", None) or []
    return [one if isinstance(one, str) else one[0] for one in found]  # Imagenette: with all its synonyms


def _id(part: Any, name: str, class_name: str, index: int) -> str:
    """Part, class and the file's own name, or the image's number where it has no file."""
    images = next((getattr(part, one) for one in IMAGES if hasattr(part, one)), None)
    if images is None:
        own = f"{index:06d}"
    else:
        path = images[index] if isinstance(images[index], str | Path) else images[index][0]
        own = Path(path).name
    return "/".join(filter(None, (name, class_name.replace("/", "-"), own)))


def _reason(error: BaseException) -> str:
    """One line of it, and of a failed download only why, once."""
    if tried := re.findall(r"got:\s*(.+?)\s*(?=Tried|$)", str(error), re.DOTALL):  # one a mirror
        return str(tried[-1]).rstrip(".")
    bare = re.sub(r"<urlopen error (?:\[Errno -?\d+\] )?(.*?)>", r"\1", " ".join(str(error).split()))
    return bare.rstrip(".") or type(error).__name__
