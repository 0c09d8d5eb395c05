"""Names, tags, notes and the archive of runs: kept, refused in words, and no concern of what trains."""

import unicodedata

import pytest

from engine import api
from engine.api import NotFound, Refused
from storage import Run, RunState, Store


@pytest.fixture
def runs(store: Store) -> list[Run]:
    return [store.runs.add(name=f"run {letter}", spec={}, dataset_id="digits", epochs=1) for letter in "abc"]


def over(store: Store, run: Run) -> None:
    store.runs.move(run.id, RunState.STOPPED)


def test_tags_are_put_on_and_taken_off_many_runs_at_once(store: Store, runs: list[Run]) -> None:
    ids = [run.id for run in runs]
    api.tag_runs(store, ids, add=["baseline", "발표"])
    api.tag_runs(store, ids[:1], add=["baseline"], remove=["발표"])
    assert [store.runs.get(one).tags for one in ids] == [("baseline",), ("baseline", "발표"), ("baseline", "발표")]
    assert store.runs.tags() == {"baseline": 3, "발표": 2}


def test_a_tag_is_one_tag_however_it_is_typed(store: Store, runs: list[Run]) -> None:
    api.tag_runs(store, [runs[0].id], add=["Paper  draft", "고양이"])
    api.tag_runs(store, [runs[1].id], add=[" paper draft ", unicodedata.normalize("NFD", "고양이")])
    assert store.runs.tags() == {"Paper draft": 2, "고양이": 2}
    api.tag_runs(store, [runs[0].id], remove=["PAPER draft"])
    assert store.runs.get(runs[0].id).tags == ("고양이",)


def test_what_is_not_seen_is_left_out_and_what_is_no_text_refused(store: Store, runs: list[Run]) -> None:
    run_id = runs[0].id
    assert api.rename_run(store, run_id, "\x00a\x07\n \u202e gpj.exe\u2066 ").name == "a gpj.exe"
    family = "\U0001f468\u200d\U0001f469\u200d\U0001f467"  # one picture of three, joined by what is not seen
    assert api.tag_runs(store, [run_id], add=[f"x\x00y {family}"])[0].tags == (f"xy {family}",)
    for change in (
        lambda text: api.rename_run(store, run_id, text),
        lambda text: api.tag_runs(store, [run_id], add=[text]),
        lambda text: api.tag_runs(store, [run_id], remove=[text]),
        lambda text: api.note_run(store, run_id, text),
    ):
        with pytest.raises(Refused, match="must be written in UTF-8 throughout") as refused:
            change("a\udce9b")
        str(refused.value).encode()  # it can be printed
    with pytest.raises(Refused, match="1 to 200"):
        api.rename_run(store, run_id, "\u202e\x00")


@pytest.mark.parametrize("bad", ["", "  ", "a,b", "x" * 41])
def test_what_is_no_tag_is_refused_and_none_is_put_on(store: Store, runs: list[Run], bad: str) -> None:
    with pytest.raises(Refused, match="1 to 40 characters, none of them a comma"):
        api.tag_runs(store, [run.id for run in runs], add=["good", bad])
    assert store.runs.tags() == {}


def test_too_many_tags_and_unknown_runs_change_nothing(store: Store, runs: list[Run]) -> None:
    api.tag_runs(store, [runs[1].id], add=[f"tag {number}" for number in range(20)])
    with pytest.raises(Refused, match="at most 20; take some off run b first"):
        api.tag_runs(store, [runs[0].id, runs[1].id], add=["one more"])
    with pytest.raises(NotFound):
        api.tag_runs(store, [runs[0].id, "nothing"], add=["one more"])
    assert store.runs.get(runs[0].id).tags == ()


def test_a_run_is_renamed_but_to_no_other_runs_name(store: Store, runs: list[Run]) -> None:
    assert api.rename_run(store, "run a", "  고양이,\n1 ").name == "고양이, 1"
    assert api.rename_run(store, runs[1].id, "run b").name == "run b"
    for name, words in (("run c", "the name of another run"), ("", "1 to 200"), ("x" * 201, "1 to 200")):
        with pytest.raises(Refused, match=words):
            api.rename_run(store, runs[1].id, name)


def test_notes_are_kept_and_taken_away(store: Store, runs: list[Run]) -> None:
    assert api.note_run(store, runs[0].id, "  *Good.*\n").about == "*Good.*"
    assert api.note_run(store, runs[0].id, "").about == ""
    with pytest.raises(Refused, match="at most 20,000 characters"):
        api.note_run(store, runs[0].id, "x" * 20_001)


def test_the_archive_takes_what_is_over_and_gives_it_back(store: Store, runs: list[Run]) -> None:
    over(store, runs[0])
    with pytest.raises(Refused, match="it is queued; archive it once it is over"):
        api.archive_runs(store, [runs[0].id, runs[1].id])
    assert store.runs.get(runs[0].id).archived_at is None
    api.archive_runs(store, [runs[0].id])
    assert [run.name for run in store.runs.list()] == ["run c", "run b"]
    assert [run.name for run in store.runs.list(archived=True)] == ["run c", "run b", "run a"]
    assert store.runs.find("run a").archived_at is not None
    api.archive_runs(store, [runs[0].id], archived=False)
    assert len(store.runs.list()) == 3


def test_a_run_that_is_queued_again_leaves_the_archive(store: Store, runs: list[Run]) -> None:
    over(store, runs[0])
    api.archive_runs(store, [runs[0].id])
    store.runs.move(runs[0].id, RunState.QUEUED)
    assert store.runs.get(runs[0].id).archived_at is None


def test_what_users_write_and_what_the_supervisor_writes_keep_apart(store: Store, runs: list[Run]) -> None:
    store.runs.move(runs[0].id, RunState.STARTING)
    store.runs.move(runs[0].id, RunState.RUNNING, step=7)
    before = store.runs.get(runs[0].id)
    api.tag_runs(store, [before.id], add=["live"])
    api.rename_run(store, before.id, "renamed while it trains")
    api.note_run(store, before.id, "text")
    store.runs.update(before.id, step=8, phase="training")
    now = store.runs.get(before.id)
    assert (now.name, now.tags, now.about) == ("renamed while it trains", ("live",), "text")
    assert (now.state, now.step, now.spec, now.offset) == (RunState.RUNNING, 8, before.spec, before.offset)
