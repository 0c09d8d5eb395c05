"""Going on from checkpoints by clicks: extend, branch, back to an earlier one, pin; both pages tell the lineage."""

import json

import pytest

from storage import Run, RunState, Store
from tests.pages.pages import NEW_RUN, RUN, fine, keys, opened, texts


@pytest.fixture
def trained(store: Store, runs: dict[str, Run]) -> dict[str, Run]:
    """Seeded runs with the files that going on needs."""
    for run in runs.values():
        for one in store.checkpoints.list(run.id):
            folder = store.home.run(run.id) / one.path
            folder.mkdir(parents=True)
            (folder / "weights.safetensors").write_bytes(b"weights")
        store.home.run(run.id).mkdir(parents=True, exist_ok=True)
        (store.home.run(run.id) / "run.json").write_text(json.dumps({"dataset": {"id": run.dataset_id}}))
    return runs


def test_a_finished_run_is_extended_by_a_click_and_both_pages_tell(store: Store, trained: dict[str, Run]) -> None:
    parent = trained["finished"]
    page = opened(RUN, run=parent.id)
    assert "run_resume_from" not in keys(page)  # a finished run never changes
    page.number_input(key="run_more_epochs").set_value(7).run()
    fine(page.button(key="run_extend").click().run())
    [child] = store.runs.children(parent.id)
    assert child.spec["epochs"] == parent.epoch + 7
    assert f"Goes on from [{parent.name}](/run?run={parent.id}) after epoch {parent.epoch}" in texts(page)
    assert f"Gone on from by [{child.name}](/run?run={child.id})" in texts(opened(RUN, run=parent.id))
    assert store.runs.get(parent.id) == parent
    best, last = (store.checkpoints.get(child.id, which) for which in ("best", "last"))
    assert best.name == store.checkpoints.get(parent.id, "best").name < last.name  # what its card calls the best
    assert (store.home.run(child.id) / best.path / "weights.safetensors").exists()


def test_a_child_outlives_its_parent_and_says_so(store: Store, trained: dict[str, Run]) -> None:
    page = opened(RUN, run=trained["finished"].id)
    fine(page.button(key="run_extend").click().run())
    [child] = store.runs.children(trained["finished"].id)
    store.runs.delete(trained["finished"].id)
    assert f"a run deleted since ({trained['finished'].id})" in texts(opened(RUN, run=child.id))


def test_the_form_branches_from_a_checkpoint_and_says_what_must_stay(store: Store, trained: dict[str, Run]) -> None:
    parent = trained["finished"]
    kept = store.checkpoints.list(parent.id)[-1]
    page = opened(NEW_RUN, branch=parent.id, at=kept.name)
    assert f"It goes on from **{parent.name}** after epoch {kept.epoch}" in texts(page)
    page.number_input(key="new_data.split_seed").set_value(9).run()
    assert page.button(key="new_start").disabled
    assert "images that it has learned from would judge it" in texts(page)
    page.number_input(key="new_data.split_seed").set_value(0).run()
    page.text_input(key="new_optimisation.learning_rate").set_value("0.0001").run()
    fine(page.button(key="new_start").click().run())
    [child] = store.runs.children(parent.id)
    assert (child.parent_epoch, child.spec["optimisation"]["learning_rate"]) == (kept.epoch, 0.0001)


def test_a_stopped_run_is_asked_to_go_back(store: Store, trained: dict[str, Run]) -> None:
    run = trained["hostile"]
    assert run.state is RunState.STOPPED
    first = store.checkpoints.list(run.id)[-1]
    page = opened(RUN, run=run.id)
    page.selectbox(key=f"run_from_{run.id}").set_value(first.name).run()
    fine(page.button(key="run_resume_from").click().run())
    [request] = store.requests.open()
    assert (request.kind, request.target, request.payload) == ("resume_run", run.id, {"step": first.step})


def test_a_checkpoint_is_pinned_and_let_go(store: Store, trained: dict[str, Run]) -> None:
    run = trained["finished"]
    page = opened(RUN, run=run.id)
    name = store.checkpoints.list(run.id)[0].name
    mark = store.home.run(run.id) / "checkpoints" / name / "pinned"
    fine(page.button(key="run_pin").click().run())
    assert store.checkpoints.get(run.id, name).is_pinned and mark.exists()
    fine(page.button(key="run_pin").click().run())
    assert not store.checkpoints.get(run.id, name).is_pinned and not mark.exists()
