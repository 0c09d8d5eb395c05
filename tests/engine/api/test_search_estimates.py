"""What is told of a search before it starts and after it ran; what this home cannot do is refused at the door."""

import random

import pytest

from engine import api
from engine.api import Refused, RunSpec, SearchSpec, search_estimates
from engine.api.searches import num_trials_with
from storage import RunState, Search, SearchState, Store

RATE = "optimisation.learning_rate"
BATCH = "optimisation.batch_size"
SPACE = {RATE: {"log": [1e-4, 1e-2]}, BATCH: {"choices": [32, 64]}, "epochs": {"integers": [2, 6]}}
TINY = {"data": {"image_size": 24}, "model": {"backbone": "small_cnn"}, "device": "cpu", "epochs": 4}


def start(store: Store, **more: object) -> Search:
    return api.start_search(store, SearchSpec.parse({"run": TINY, "space": SPACE, "trials": 20, **more}))


def add_trial(store: Store, search: Search, number: int, value: float | None, **assignment: object) -> str:
    spec = SearchSpec.parse(search.spec).trial(assignment)
    run = store.runs.add(
        name=f"{search.name} {number}",
        spec=spec.model_dump(mode="json"),
        dataset_id="digits",
        epochs=spec.epochs,
        search_id=search.id,
        state=RunState.STARTING,
        trial=number,
        assignment=dict(assignment),
        best_value=value,
    )
    store.runs.move(run.id, RunState.FINISHED)
    return run.id


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"run": {**TINY, "data": {"dataset": "nothing"}}}, "run.data.dataset = 'nothing'"),
        ({"run": {**TINY, "device": "mps"}}, "run.device = 'mps': only Macs have it"),
        (
            {"space": {**SPACE, "model.weights_from": {"choices": ["/no.pt"]}, "model.weights": {"choices": ["file"]}}},
            "space.model.weights_from = '/no.pt': there is no such file on this machine",
        ),
    ],
)
def test_what_this_home_does_not_have_is_refused(store: Store, more: dict[str, object], words: str) -> None:
    with pytest.raises(Refused) as refused:
        start(store, **more)
    assert words in str(refused.value)
    assert store.searches.list() == []


def test_two_starts_with_one_key_are_one_search(store: Store) -> None:
    spec = SearchSpec.parse({"run": TINY, "space": SPACE})
    first = api.start_search(store, spec, key="k")
    assert api.start_search(store, spec, key="k") == first
    assert (first.name, first.num_trials, first.dataset_id) == ("small_cnn on digits", 10, "digits")
    assert [event.text for event in store.events.list(search_id=first.id)] == ["Queued."]
    assert api.find_search(store, first.name) == first
    # an id may begin with any letter
    with pytest.raises(api.NotFound, match="There is no search '-'"):
        api.find_search(store, "-")


def test_a_data_set_that_a_search_waits_for_stays(store: Store) -> None:
    from engine.api.datasets import users_of

    search = start(store)
    store.searches.move(search.id, SearchState.PAUSED)
    assert users_of(store, "digits") == [search.name]


def test_a_grid_that_has_no_more_is_not_extended(store: Store) -> None:
    search = start(store, algorithm="grid", space={BATCH: {"choices": [32, 64]}})
    assert search.num_trials == 2, "the base run is one of them"
    with pytest.raises(Refused, match="the grid has no combinations beyond its 2"):
        api.extend_search(store, search.id, 1)


def test_a_grid_over_another_space_has_its_own_combinations(store: Store) -> None:
    search = start(store, algorithm="grid", space={BATCH: {"choices": [32, 64, 128]}})
    for number, batch in enumerate((64, 32, 128), 1):
        add_trial(store, search, number, 0.5, **{BATCH: batch})
    other = SearchSpec.parse({**search.spec, "space": {BATCH: {"choices": [16, 32]}}})
    store.searches.update(search.id, spec=other.model_dump(mode="json"))
    assert num_trials_with(store, store.searches.get(search.id), 5) == 4, "32 was tried"


@pytest.mark.parametrize("kind", ["log", "choices"])
def test_the_setting_that_matters_is_told_first(store: Store, kind: str) -> None:
    space = {**SPACE, RATE: {"choices": [1e-4, 1e-3, 1e-2]}} if kind == "choices" else SPACE
    search = start(store, space=space, trials=60)
    assert api.importances(store, search.id) == {}
    chance = random.Random(0)
    for number in range(1, 40):
        rate = chance.choice([1e-4, 1e-3, 1e-2]) if kind == "choices" else 10 ** chance.uniform(-4, -2)
        batch, epochs = chance.choice([32, 64]), chance.randint(2, 6)
        add_trial(store, search, number, 30 * rate + batch / 1e4, **{RATE: rate, BATCH: batch, "epochs": epochs})
    shares = api.importances(store, search.id)
    assert next(iter(shares)) == RATE
    assert shares[RATE] > 0.8
    assert sum(shares.values()) == pytest.approx(1.0)
    assert list(shares.values()) == sorted(shares.values(), reverse=True)


def test_importance_is_told_from_some_of_many_trials(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    search = start(store, trials=100)
    monkeypatch.setattr(search_estimates, "RANKED", 30)
    for number in range(1, 60):
        add_trial(store, search, number, number / 100, **{RATE: 10 ** (-4 + number / 30)})
        if number == 40:
            before = taken(store, search, monkeypatch)
    after = taken(store, search, monkeypatch)
    assert len(before) == len(after) == 30 and len(before & after) > 10, "mostly the same when others come"


def taken(store: Store, search: Search, monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """The trials that importance is computed of."""
    found = set[str]()
    with monkeypatch.context() as patched:
        patched.setattr(
            search_estimates, "_fanova", lambda _, trials, spec: found.update(run.id for run in trials) or {}
        )
        api.importances(store, search.id)
    return found


def test_a_base_run_outside_its_space_counts_too(store: Store) -> None:
    search = start(store)
    for number, rate in enumerate((0.5, 1e-4, 1e-3, 1e-2, 2e-3), 1):
        add_trial(store, search, number, rate, **{RATE: rate})
    assert set(api.importances(store, search.id)) == {RATE}


def test_a_trial_trained_longer_is_a_run_with_more_epochs(store: Store) -> None:
    search = start(store)
    run_id = add_trial(store, search, 1, 0.9, **{RATE: 0.005, "epochs": 5})
    longer = api.longer(store, run_id)
    assert (longer.epochs, longer.optimisation.learning_rate) == (15, 0.005)
    assert longer.name == f"{search.name} 1, longer"
    assert api.check(store, longer) == []


MEASURED = {  # as the preview "fit" tells it, of a network that learns as a whole
    "device": "cpu",
    "precision": "fp32",
    "decode_s": 0.001,
    "image_bytes": 1000,
    "images_on_gpu": False,
    "read_s_per_gb": 1.0,
    "weights": 1000,
    "gradients": 1000,
    "optimizer": 2000,
    "average": 0,
    "states": [
        {
            "epoch": 0,
            "looking_s": 0.001,
            "whole": {"base": 1e6, "image": 1e3, "floor": 0, "step_s": 0.0, "image_s": 0.01},
        }
    ],
}


def test_an_estimate_grows_with_trials_and_epochs(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    import engine.api.search_estimates as facts

    monkeypatch.setattr(facts, "cores", lambda: 4)
    monkeypatch.setattr(facts, "gpus", lambda: [])
    spec = SearchSpec.parse({"run": TINY, "space": SPACE, "trials": 20})
    early = api.search_estimate(store, spec)
    assert (early.combinations, early.trials, early.max_concurrent, early.cpus, early.seconds) == (None, 20, 4, 1, None)
    assert early.message == "waiting for the engine"
    monkeypatch.setattr(facts, "preview", lambda *_: api.Preview(MEASURED, None, 1.0))
    some = api.search_estimate(store, spec)
    fixed = {RATE: {"log": [1e-4, 1e-2]}}
    known = api.search_estimate(store, SearchSpec.parse({"run": TINY, "space": fixed, "trials": 20}))
    assert some.seconds == pytest.approx(known.seconds, rel=0.05), "2 to 6 epochs are 4 on average"
    fit = api.will_it_fit(store, spec.run, MEASURED)
    assert known.seconds == pytest.approx(fit.first_s + 20 * (fit.total_s - fit.first_s))
    assert (known.gpu_hours, known.fit.level) == (None, "fits")
    assert known.disk == fit.disk + 19 * 3 * 3000, "images once, checkpoints of every trial"
    more = api.search_estimate(store, SearchSpec.parse({"run": TINY, "space": fixed, "trials": 40}))
    assert more.seconds > 1.9 * known.seconds - fit.first_s


def test_the_outlook_counts_what_is_over(store: Store) -> None:
    search = start(store, trials=4, hours=1)
    assert api.search_outlook(store, search).left_s is None
    store.searches.move(search.id, SearchState.STARTING, launched_at=None)
    store.searches.update(search.id, spent_s=60.0)
    for number in (1, 2):
        add_trial(store, search, number, 0.5)
    outlook = api.search_outlook(store, store.searches.get(search.id))
    assert (outlook.over, outlook.num_trials, outlook.fraction) == (2, 4, 0.5)
    assert (outlook.worked_s, outlook.left_s, outlook.budget_s, outlook.gpu_budget_s) == (60.0, 60.0, 3600.0, None)
    assert api.trials_left(store, search) == 2


def test_runs_of_their_own_take_the_settings_of_a_trial(store: Store) -> None:
    search = start(store)
    run_id = add_trial(store, search, 1, 0.9, **{BATCH: 32})
    run = api.start_run(store, RunSpec.parse(store.runs.get(run_id).spec))
    assert run.search_id is None
