"""Runs that go on from others: what they take over, and checkpoints named without doubt."""

import pytest

from storage import Checkpoint, MetricPoint, Store


def add_checkpoint(
    store: Store, run_id: str, name: str, step: int, *, accuracy: float | None = None, loss: float | None = None
) -> None:
    measured = {"val/accuracy": accuracy, "val/loss": loss}
    metrics = {name: value for name, value in measured.items() if value is not None}
    store.checkpoints.add(
        Checkpoint(
            run_id=run_id,
            epoch=int(name[1:5]),
            step=step,
            path=f"checkpoints/{name}",
            bytes=1,
            sha256="0",
            created_at=0.0,
            metrics=metrics,
            is_best=bool(metrics),
        )
    )


def new_run(store: Store, **more: object) -> str:
    return store.runs.add(name="a", spec={}, dataset_id="digits", epochs=9, **more).id


def test_an_epoch_names_the_whole_checkpoint_and_a_name_the_one_left_in_mid_epoch(store: Store) -> None:
    run_id = new_run(store)
    add_checkpoint(store, run_id, "e0001", 10, accuracy=0.5)
    add_checkpoint(store, run_id, "e0001-s0000014", 14)
    assert store.checkpoints.get(run_id, 1).step == 10
    assert store.checkpoints.get(run_id, "1").is_whole
    assert store.checkpoints.get(run_id, "e0001-s0000014").step == 14
    assert store.checkpoints.get(run_id, "last").step == 14
    assert not store.checkpoints.get(run_id, "last").is_whole
    with pytest.raises(KeyError, match=r"epochs kept: 1, e0001-s0000014"):
        store.checkpoints.get(run_id, 2)


def test_only_a_mid_epoch_one_is_no_checkpoint_of_that_epoch(store: Store) -> None:
    run_id = new_run(store)
    add_checkpoint(store, run_id, "e0000-s0000004", 4)
    with pytest.raises(KeyError):
        store.checkpoints.get(run_id, 0)


def test_rewinding_forgets_what_is_newer_and_chooses_best_and_last_anew(store: Store) -> None:
    run_id = new_run(store)
    for epoch, accuracy in ((1, 0.5), (2, 0.4), (3, 0.9)):
        add_checkpoint(store, run_id, f"e{epoch:04d}", 10 * epoch, accuracy=accuracy)
    store.checkpoints.rewind(run_id, 20)
    assert [one.epoch for one in store.checkpoints.list(run_id)] == [2, 1]
    assert store.checkpoints.get(run_id, "last").epoch == 2
    assert store.checkpoints.get(run_id, "best").epoch == 1


@pytest.mark.parametrize("way", ["rewind", "forget"])
def test_of_a_run_judged_by_its_loss_the_lowest_of_those_left_is_the_best(store: Store, way: str) -> None:
    run_id = new_run(store, metric="val/loss")
    for epoch, loss in ((1, 0.9), (2, 0.5), (3, 0.2)):
        add_checkpoint(store, run_id, f"e{epoch:04d}", 10 * epoch, loss=loss)
    if way == "rewind":
        store.checkpoints.rewind(run_id, 20)
    else:
        store.checkpoints.forget(run_id, "checkpoints/e0003")
    assert store.checkpoints.get(run_id, "best").epoch == 2


def test_a_child_has_its_parents_curves_up_to_where_it_began(store: Store) -> None:
    parent, child = new_run(store), new_run(store)
    store.metrics.add(
        parent, [MetricPoint(name="train/loss", step=n, epoch=1, value=float(n), at=0.0) for n in range(1, 101)]
    )
    store.metrics.add(parent, [MetricPoint(name="late", step=90, epoch=9, value=1.0, at=0.0)])
    store.metrics.copy(parent, child, last_step=40)
    assert store.metrics.names(child) == ["train/loss"]
    assert store.metrics.series(child, "train/loss").steps == list(range(1, 41))
    assert store.metrics.series(child, "train/loss", limit=10).values[0] == 4.0  # the buckets above are there too
    assert store.metrics.count(parent, "train/loss") == 100
    store.runs.delete(parent)
    assert store.metrics.count(child, "train/loss") == 40


def test_children_are_found_and_outlive_their_parent(store: Store) -> None:
    parent = new_run(store)
    children = [new_run(store, parent_id=parent, parent_epoch=2, parent_step=20) for _ in range(2)]
    assert [run.id for run in store.runs.children(parent)] == children
    store.runs.delete(parent)
    assert store.runs.get(children[0]).parent_id == parent
