"""What a search's driver says becomes rows: its trials as runs, and how it goes itself. Each line counts once."""

from collections.abc import Iterable
from dataclasses import replace
from typing import assert_never

from engine.errors import Refused
from engine.protocol.events import EventCode, Happening
from engine.protocol.json_lines import Unknown
from engine.protocol.reasons import Why
from engine.protocol.run_lines import Message
from engine.protocol.search_lines import (
    Ended,
    Progress,
    SearchLine,
    Started,
    Trial,
    TrialEnded,
    read_search_lines,
)
from engine.specs import RunSpec, SearchSpec
from engine.supervisor.ingest import Values, columns_of, ingest, next_batch, reason_of
from storage import Run, RunState, Search, SearchState, Store

ACTIVE = (RunState.STARTING, RunState.RUNNING, RunState.STOPPING)
SELF_ENDED = {SearchState.FINISHED, SearchState.FAILED}  # what a driver says whatever it was asked


def ingest_search(store: Store, search: Search, *, gone: bool) -> bool:
    """Turn the driver's new lines, and those of its trials, into rows. True when its last line waits to be taken.

    That line is taken only once the driver is `gone`: a search is over when its processes are.
    """
    while True:
        found = read_search_lines(store.home.search(search.id), search.offset)
        lines, offset, ended = next_batch(found, search.offset, Ended, gone=gone)
        if offset > search.offset:
            with store.transaction():
                values = _apply(store, search, lines)
                store.searches.update(search.id, **values, offset=offset)
        for run in store.runs.trials(search.id, states=ACTIVE):
            ingest(store, run, gone=True)  # its process trains others after it: its last word is enough
        if offset == search.offset:
            break
        search = store.searches.get(search.id)
    _keep_best(store, search)
    return ended


def _keep_best(store: Store, search: Search) -> None:
    """Keep the best trial so far in the search's row."""
    counted = set(RunState) - {RunState.FAILED}
    best = store.runs.trials(search.id, order="best", states=counted, limit=1)
    found = (best[0].id, best[0].best_value) if best and best[0].best_value is not None else (None, None)
    if found != (search.best_run_id, search.best_value):
        store.searches.update(search.id, best_run_id=found[0], best_value=found[1])


def _apply(store: Store, search: Search, lines: Iterable[SearchLine | Unknown | None]) -> Values:
    values: Values = {}
    unreadable = 0
    for line in lines:
        if line is None:
            unreadable += 1
            continue
        values["progress_at"] = line.at
        try:
            with store.transaction():
                values |= _take(store, replace(search, **values), line)
        except (ValueError, KeyError):  # a state that nothing has, a run of another search
            unreadable += 1
    if unreadable:
        store.events.note(None, Happening.of(EventCode.UNREADABLE_LINES, lines=unreadable), search_id=search.id)
    return values


def _take(store: Store, search: Search, line: SearchLine | Unknown) -> Values:
    """Write the rows beside the search's own; what changes in that one.

    Raises:
        ValueError: It says what cannot be.
    """
    match line:
        case Started():
            return _started(store, search, line)
        case Trial():
            _trial(store, search, line)
        case TrialEnded():
            return _trial_ended(store, search, line)
        case Progress():
            return {"phase": line.phase, "message": line.message or None}
        case Message():
            store.events.add(None, line.level, line.text, line.at, search_id=search.id)
        case Ended():
            return _ended(store, search, line)
        case Unknown():
            pass
        case _:
            assert_never(line)
    return {}


def _started(store: Store, search: Search, line: Started) -> Values:
    number = line.max_concurrent
    store.searches.move(search.id, SearchState.RUNNING, expect={SearchState.STARTING})
    code = EventCode.SEARCH_STARTED_AGAIN if search.attempt > 1 else EventCode.SEARCH_STARTED
    trials = f"{number} trial{'s' if number > 1 else ''}"
    begun = Happening.of(code, device=line.device, trials=trials, attempt=search.attempt)
    store.events.note(None, begun, line.at, search_id=search.id)
    return {"device": line.device, "max_concurrent": number, "path": line.path}


def _trial(store: Store, search: Search, line: Trial) -> None:
    """A trial begins, goes on after its process was lost, or has other settings from here on."""
    spec = _spec_of(search, line)
    values: Values = {
        "spec": spec.model_dump(mode="json"),
        "assignment": line.config,
        "attempt": line.attempt,
        "slot": search.slot,
    }
    known = _trial_of(store, search, line.run)
    if known is None:
        store.runs.add(
            run_id=line.run,
            name=(line.name or f"{search.name} {line.number}")[:200],
            dataset_id=search.dataset_id,
            epochs=spec.epochs,
            search_id=search.id,
            state=RunState.STARTING,
            trial=line.number,
            metric=search.metric,
            started_at=line.at,
            progress_at=line.at,
            **values,
        )
        listed = Happening.of(EventCode.TRIAL, number=line.number, name=search.name, search=search.id)
        store.events.note(line.run, listed, line.at)
    elif not known.state.is_over:
        store.runs.move(line.run, RunState.QUEUED, expect={RunState.INTERRUPTED})
        store.runs.move(line.run, RunState.STARTING, expect={RunState.QUEUED})
        store.runs.update(line.run, **values, epochs=spec.epochs, progress_at=line.at)


def _trial_ended(store: Store, search: Search, line: TrialEnded) -> Values:
    run = _trial_of(store, search, line.run)
    if run is None:
        return {}
    if line.cost is not None:
        store.runs.update(run.id, cost=line.cost)
    ingest(store, run, gone=True)
    end_trial(store, run.id, RunState(line.state), reason_of(line.code, line.reason, line.advice))
    came_further = line.state != RunState.INTERRUPTED  # then the count of attempts in vain starts again
    return {"tries": 0} if came_further else {}


def _spec_of(search: Search, line: Trial) -> RunSpec:
    """What the trial trains. Values that do not go together make none: it fails, listed with the base run's spec."""
    spec = SearchSpec.parse(search.spec)
    try:
        return RunSpec.parse(line.spec) if line.spec else spec.trial(line.config)
    except Refused:
        return spec.run


def _trial_of(store: Store, search: Search, run_id: str) -> Run | None:
    """None: nobody has told of it yet, or it was deleted.

    Raises:
        ValueError: That run is none of its trials.
    """
    try:
        run = store.runs.get(run_id)
    except KeyError:
        return None
    if run.search_id != search.id:
        raise ValueError(run_id)
    return run


def end_trial(store: Store, run_id: str, state: RunState, why: Why | None) -> None:
    """An end for a trial that has none of its own yet."""
    run = store.runs.get(run_id)
    if state is RunState.INTERRUPTED and run.state is RunState.STOPPING:
        state = RunState.STOPPED
    if store.runs.move(run_id, state, pid=None, slot=None, phase=None, eta_s=None, **columns_of(why)):
        store.events.note(run_id, Happening.end(state, why))


def _ended(store: Store, search: Search, line: Ended) -> Values:
    state = state_after(store.searches.get(search.id).state, SearchState(line.state))
    if state is SearchState.FINISHED and (line.num_trials or search.num_trials) < search.num_trials:
        state = SearchState.INTERRUPTED  # it was extended while its driver left: on with another one
    why = reason_of(line.code, line.reason, line.advice)
    if store.searches.move(search.id, state, **columns_of(why)):
        store.events.note(None, Happening.end(state, why), line.at, search_id=search.id)
    return {"phase": None, "message": None}


def state_after(requested: SearchState, reported: SearchState) -> SearchState:
    """The state that a search ends an attempt in: what its driver says, unless its user asked for another end."""
    if reported in SELF_ENDED:
        return reported
    if requested is SearchState.STOPPING:
        return SearchState.STOPPED
    if requested is SearchState.PAUSING:
        return SearchState.PAUSED
    # A driver that nobody asked was told to leave by the system, as before a reboot: it goes on.
    return SearchState.INTERRUPTED if reported is SearchState.PAUSED else reported
