"""Photos of CIFAR-10 as files and as a data set of Thaw's, for every benchmark that trains."""

import zipfile
from dataclasses import asdict
from pathlib import Path
from typing import Any

from engine import api
from storage import Home

PHOTOS = Path(__file__).resolve().parent.parent.parent / "shared" / "data" / "cifar10-6k.zip"
TRAIN, VALIDATION = 4000, 1000


def unpacked(folder: Path, train: int = TRAIN, validation: int = VALIDATION) -> Path:
    """Class folders below train/ and validation/, with so many photos in all.

    Raises:
        SystemExit: The photos are not beside the repository.
    """
    if not PHOTOS.exists():
        raise SystemExit(f"This needs photos in class folders, zipped, at {PHOTOS}.")
    with zipfile.ZipFile(PHOTOS) as archive:
        names = sorted(name for name in archive.namelist() if name.endswith(".jpg"))
        for part, count in (("train", train), ("validation", validation)):
            of_part = [name for name in names if name.split("/")[-3] == part]
            for place in range(min(count, len(of_part))):
                name = of_part[place * len(of_part) // min(count, len(of_part))]
                path = folder / Path(*name.split("/")[-3:])
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(archive.read(name))
    return folder


def imported(home: Path, folder: Path) -> dict[str, Any]:
    """The same photos as Thaw knows them: what a run's worker is given of its data set."""
    store = api.open_store(Home.find(home))
    api.ensure_supervisor(store.home)
    done = api.wait_for_request(store, api.add_dataset(store, "photos", folder).id, timeout_s=600)
    if done.state == "refused":
        raise SystemExit(done.message)
    api.wait_for_request(store, api.shut_down(store).id)
    return asdict(store.datasets.get("photos"))
