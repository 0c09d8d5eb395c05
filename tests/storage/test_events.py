"""Lines for a human, and the warnings among them by run."""

from storage import Store


def test_warnings_are_found_by_run(store: Store) -> None:
    ids = [store.runs.add(name=name, spec={}, dataset_id="digits", epochs=1).id for name in ("a", "b", "c")]
    store.events.add(ids[0], "warning", "first")
    store.events.add(ids[1], "info", "no warning")
    store.events.add(ids[0], "warning", "second")
    store.events.add(ids[2], "warning", "of a run that is not asked for")
    store.events.add(None, "warning", "of no run")
    assert store.events.warnings(set(ids[:2])) == {ids[0]: ["first", "second"]}
    assert store.events.warnings(set()) == {}
