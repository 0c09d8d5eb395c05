"""Where every file of one Thaw lives: `THAW_HOME`, or `~/.thaw`."""

import os
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Home:
    """The one directory that holds the database, runs, data sets, uploads and caches; mode 0700."""

    root: Path

    @classmethod
    def find(cls, path: str | Path | None = None) -> "Home":
        """The home at `path`, else `$THAW_HOME`, else `~/.thaw`; its folders are made when missing.

        Raises:
            OSError: The folder cannot be made or written.
        """
        root = Path(path or os.environ.get("THAW_HOME") or Path.home() / ".thaw").expanduser().absolute()
        home = cls(root)
        for folder in (root, home.runs, home.searches, home.datasets, home.uploads, home.cache, home.trash):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return home

    @property
    def database(self) -> Path:
        return self.root / "thaw.db"

    @property
    def runs(self) -> Path:
        return self.root / "runs"

    @property
    def searches(self) -> Path:
        return self.root / "searches"

    @property
    def datasets(self) -> Path:
        return self.root / "datasets"

    @property
    def uploads(self) -> Path:
        """Zips on their way in; a file here belongs to no data set yet."""
        return self.root / "uploads"

    @property
    def downloads(self) -> Path:
        """Files of torchvision's data sets, a folder each: put there by its own code, or by hand."""
        return self.root / "downloads"

    @property
    def cache(self) -> Path:
        """What can be made again: decoded images, features. Safe to delete while nothing trains."""
        return self.root / "cache"

    @property
    def trackers(self) -> Path:
        """What is logged to other programs, and how far: made when one is chosen."""
        return self.root / "trackers"

    @property
    def trash(self) -> Path:
        """Deleting renames into here first, then removes: a killed delete never leaves half a run."""
        return self.root / "trash"

    @property
    def engine_lock(self) -> Path:
        return self.root / "engine.lock"

    @property
    def engine_log(self) -> Path:
        return self.root / "engine.log"

    def run(self, run_id: str) -> Path:
        return self.runs / run_id

    def search(self, search_id: str) -> Path:
        return self.searches / search_id

    def dataset(self, dataset_id: str) -> Path:
        return self.datasets / dataset_id
