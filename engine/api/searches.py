"""What users ask of searches. Everything is checked here, at the door; the supervisor carries it out."""

import json
from dataclasses import replace
from itertools import product
from typing import Any

from engine.api.runs import check, find_run, request_stop, unused
from engine.errors import NotFound, Problem, Refused
from engine.machine.devices import gpus
from engine.protocol.events import EventCode, Happening
from engine.protocol.reasons import RESUMED_WITH_SEARCH
from engine.specs import RunSpec, SearchSpec
from storage import Request, Run, RunState, Search, SearchState, Store

MOST_TRIALS = 10_000
MOST_CHECKED = 200  # combinations of what this home may lack
OF_THIS_HOME = ("model.backbone", "model.weights", "model.weights_from", "model.stem")
LONGER = 3  # times the epochs


def check_search(store: Store, spec: SearchSpec) -> list[Problem]:
    """What only this home and machine know to be wrong with a search: files of weights, devices, the data set."""
    found = {("run", one.field): one.below("run") for one in check(store, spec.run)}
    choices = {path: spec.space[path].choices or () for path in OF_THIS_HOME if path in spec.space}
    for number, values in enumerate(product(*choices.values())):
        assignment = dict(zip(choices, values, strict=True))
        if number >= MOST_CHECKED or not assignment:
            break
        try:
            problems = check(store, spec.trial(assignment))
        except Refused:  # they do not go together: a trial that fails with its reason, others go on
            continue
        for one in problems:
            part = "space" if one.field in choices else "run"
            found.setdefault((part, one.field), one.below(part))
    return list(found.values())


def start_search(store: Store, spec: SearchSpec, *, key: str | None = None) -> Search:
    """Queue a search. The same `key` again gives the search that was started first.

    Raises:
        Refused: The spec asks for what this home or machine does not have.
    """
    with store.transaction():
        if problems := check_search(store, spec):
            raise Refused(problems)
        dataset = store.datasets.get(spec.run.data.dataset)
        name = spec.name.strip() or spec.run.name.strip() or f"{spec.run.model.backbone} on {dataset.name}"
        search = store.searches.add(
            name=unused(name, store.searches.names()),
            spec=spec.model_dump(mode="json"),
            dataset_id=dataset.id,
            num_trials=spec.num_trials,
            metric=spec.metric,
            key=key,
        )
        if not store.events.list(search_id=search.id, limit=1):
            store.events.note(None, Happening.of(EventCode.QUEUED), search.created_at, search_id=search.id)
    return search


def find_search(store: Store, text: str) -> Search:
    """The search of an id, of the beginning of an id, or of a name.

    Raises:
        NotFound: None, or more than one.
    """
    try:
        return store.searches.find(text)
    except KeyError as error:
        raise NotFound(error.args[0]) from None


def pause_search(store: Store, search_id: str) -> Request:
    """Ask a search to save its trials and free the machine until `continue_search`.

    Raises:
        NotFound: No such search.
        Refused: It is paused or over already.
    """
    search = find_search(store, search_id)
    if search.state.is_at_rest or search.state is SearchState.STOPPING:
        raise _refused(search, f"it is {search.state}; there is nothing to pause")
    return store.requests.add("pause_search", search.id)


def continue_search(store: Store, search_id: str) -> Request:
    """Ask a paused, stopped or failed search to go on: finished trials stay as they are, unfinished ones go on.

    Raises:
        NotFound: No such search.
        Refused: It works already, or all of its trials were tried.
    """
    search = find_search(store, search_id)
    if not search.state.is_at_rest:
        raise _refused(search, f"it is {search.state}; only a paused, stopped or failed search can go on")
    if trials_left(store, search) <= 0:
        raise _refused(search, f"all of its {search.num_trials} trials were tried; extend it by some more")
    return store.requests.add("continue_search", search.id)


def stop_search(store: Store, search_id: str) -> Request:
    """Ask a search to end: its trials save and stop, and every process leaves.

    Raises:
        NotFound: No such search.
        Refused: It is over already.
    """
    search = find_search(store, search_id)
    if search.state.is_over:
        raise _refused(search, f"it is {search.state} already; there is nothing to stop")
    return store.requests.add("stop_search", search.id)


def extend_search(store: Store, search_id: str, trials: int, *, key: str | None = None) -> Request:
    """Ask for more trials: a search that is over goes on with them, a paused one stays paused.

    Args:
        trials: How many more.
        key: The same again gives the request that was made first.

    Raises:
        NotFound: No such search.
        Refused: The number is out of range, or a grid has no combinations left.
    """
    search = find_search(store, search_id)
    for request in store.requests.open():  # the space that it will have by then
        if request.kind == "change_space" and request.target == search.id:
            search = replace(search, spec={**search.spec, **request.payload})
    most = MOST_TRIALS - search.num_trials
    if not 1 <= trials <= most:
        raise Refused([Problem("trials", trials, f"must be 1 to {most:,}")])
    if num_trials_with(store, search, trials) <= search.num_trials:
        whole = SearchSpec.parse(search.spec).combinations
        message = f"the grid has no combinations beyond its {whole}; change its space, or its algorithm"
        raise Refused([Problem("trials", trials, message)])
    return store.requests.add("extend_search", search.id, {"trials": trials}, key=key)


def num_trials_with(store: Store, search: Search, trials: int) -> int:
    """How many trials a search wants in all with so many more: of a grid no more than it has combinations left."""
    spec = SearchSpec.parse(search.spec)
    if spec.algorithm == "grid":
        runs = store.runs.trials(search.id)
        known = {path: set(map(json.dumps, one.values)) for path, one in spec.space.items()}  # tuples are lists there
        tried = [run.assignment or {} for run in runs] + [spec.base]
        texts = [{path: json.dumps(value) for path, value in one.items()} for one in tried]
        of_grid = {
            tuple(sorted(one.items())) for one in texts if all(v in known.get(path, ()) for path, v in one.items())
        }
        begun = max((run.trial or 0 for run in runs), default=1)
        trials = min(trials, begun + (spec.combinations or 0) - len(of_grid) - search.num_trials)
    return min(search.num_trials + trials, MOST_TRIALS)


def renewed(search: Search) -> dict[str, Any]:
    """Its spec with what ended it put out of the way: a budget that is spent is granted once more, on top, and a
    target that is reached no longer counts."""
    spec = dict(search.spec)
    for name, spent_s in (("hours", search.spent_s), ("gpu_hours", search.spent_gpu_s)):
        if spec.get(name) and spent_s >= 3600 * spec[name]:
            spec[name] = spec[name] + spent_s / 3600
    best, target = search.best_value, spec.get("target")
    if best is not None and target and (best >= target if search.mode == "max" else best <= target):
        spec["target"] = 0.0
    return spec


def change_space(store: Store, search_id: str, space: dict[str, Any]) -> Request:
    """Ask a search at rest to go on, once it is continued, over another space; what it tried so far is kept.

    Args:
        space: Field path to range, as in YAML.

    Raises:
        NotFound: No such search.
        Refused: It is not at rest, or the space cannot be searched.
    """
    search = find_search(store, search_id)
    if not search.state.is_at_rest:
        raise _refused(search, f"it is {search.state}; pause it before its space is changed")
    spec = SearchSpec.parse({**search.spec, "space": space})
    if problems := check_search(store, spec):
        raise Refused(problems)
    plain = spec.model_dump(mode="json")["space"]
    return store.requests.add("change_space", search.id, {"space": plain})


def stop_trial(store: Store, run_id: str) -> Request:
    """Ask one trial to save and end; its search goes on with the next.

    Raises:
        NotFound: No such run.
        Refused: It is over already, or no trial.
    """
    run = find_run(store, run_id)
    if run.search_id is None:
        raise Refused([Problem("run", run.id, "it is no trial of a search")])
    return request_stop(store, run.id)


def delete_search(store: Store, search_id: str) -> Request:
    """Ask for a search and all of its trials to be removed for good; one that works is stopped first.

    Raises:
        NotFound: No such search.
    """
    return store.requests.add("delete_search", find_search(store, search_id).id)


def trials_left(store: Store, search: Search) -> int:
    """Trials still to begin or to end, those that were stopped with their search among them."""
    counts = store.runs.trial_counts(search.id)
    over = sum(number for state, number in counts.items() if RunState(state).is_over)
    return search.num_trials - over + len(stopped_with(store, search))


def stopped_with(store: Store, search: Search) -> list[Run]:
    """Trials that ended for no other reason than that their search did: they go on with it."""
    stopped = store.runs.trials(search.id, states=[RunState.STOPPED])
    return [run for run in stopped if run.reason_code in RESUMED_WITH_SEARCH]


def longer(store: Store, run_id: str) -> RunSpec:
    """A trial's settings for a run of their own: more epochs, and all GPUs where there are several.

    Raises:
        NotFound: No such run.
    """
    run = find_run(store, run_id)
    spec = RunSpec.parse(run.spec)
    changed = {
        "name": f"{run.name}, longer"[:200],
        "epochs": min(10_000, LONGER * spec.epochs),
        "strategy": "ddp" if len(gpus()) > 1 and spec.device in ("auto", "cuda") else spec.strategy,
    }
    return RunSpec.parse(spec.model_dump(mode="json") | changed)


def _refused(search: Search, message: str) -> Refused:
    return Refused([Problem("search", search.id, message)])
