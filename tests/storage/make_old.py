"""Writes tests/storage/old/N.db for today's schema N: run once when a schema is released, and keep the file.

python -m tests.storage.make_old
"""

import tempfile
from pathlib import Path

from storage import Checkpoint, Dataset, Home, MetricPoint, Store
from storage.migrations import migrations


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        store = Store.open(Home.find(folder), migrate=True)
        run = store.runs.add(name="old run", spec={"epochs": 2}, dataset_id="cats", epochs=2)
        store.events.add(run.id, "info", "Queued.")
        store.searches.add(name="old search", spec={"trials": 3}, dataset_id="cats", num_trials=3)
        store.metrics.add(
            run.id,
            [MetricPoint(name="val/accuracy", step=step, epoch=step, value=step / 4 + 0.25, at=0.0) for step in (1, 2)],
        )
        store.checkpoints.add(
            Checkpoint(
                run_id=run.id,
                epoch=2,
                step=2,
                path="checkpoints/e0002",
                bytes=1,
                sha256="0",
                created_at=0.0,
                is_best=True,
            )
        )
        store.datasets.add(
            Dataset(
                id="cats",
                name="cats",
                kind="folder",
                path="",
                classes=("고양이", "호랑이"),
                counts={"all": {"고양이": 2, "호랑이": 2}},
                fingerprint="0",
                channels=3,
                width=8,
                height=8,
                bytes=4,
                created_at=0.0,
            )
        )
        store.requests.add("import_dataset", "cats", {"name": "cats"})
        store.backup(Path(__file__).parent / "old" / f"{len(migrations._migrations)}.db")


if __name__ == "__main__":
    main()
