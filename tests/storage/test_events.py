"""Lines for a human, and the codes of the warnings among them by run."""

from storage import Store


def test_warnings_are_found_by_run(store: Store) -> None:
    ids = [store.runs.add(name=name, spec={}, dataset_id="digits", epochs=1).id for name in ("a", "b", "c")]
    store.events.add(ids[0], "warning", "It is short.", code="first")
    store.events.add(ids[1], "info", "no warning")
    store.events.add(ids[0], "warning", "It is short again.", code="second")
    store.events.add(ids[2], "warning", "of a run that is not asked for")
    store.events.add(None, "warning", "of no run")
    assert store.events.warning_codes(set(ids[:2])) == {ids[0]: ["first", "second"]}
    assert store.events.warning_codes(set()) == {}
