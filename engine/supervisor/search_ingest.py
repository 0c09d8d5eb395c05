"""What a search's driver says becomes rows: its trials as runs, and how it goes itself. Each line counts once."""

from dataclasses import replace
from typing import Any

from engine.errors import Refused
from engine.specs import RunSpec, SearchSpec
from engine.supervisor.ingest import Line, as_count, as_number, as_text, ingest, new_lines
from storage import Run, RunState, Search, SearchState, Store

ACTIVE = (RunState.STARTING, RunState.RUNNING, RunState.STOPPING)
SELF_ENDED = {SearchState.FINISHED, SearchState.FAILED}  # what a driver says whatever it was asked
LEVELS = {SearchState.FAILED: "error", SearchState.INTERRUPTED: "warning"}


def ingest_search(store: Store, search: Search, *, gone: bool) -> bool:
    """Turn the driver's new lines, and those of its trials, into rows. True when its last line waits to be taken.

    That line is taken only once the driver is `gone`: a search is over when its processes are.
    """
    path = store.home.search(search.id) / "events.jsonl"
    while True:
        lines, offset, ended = new_lines(path, search.offset, take_ended=gone)
        if offset > search.offset:
            with store.transaction():
                values = _apply(store, search, lines)
                store.searches.update(search.id, **values, offset=offset)
        for run in store.runs.trials(search.id, states=ACTIVE):
            ingest(store, run, gone=True)  # its process trains others after it: its last word is enough
        if offset == search.offset:
            break
        search = store.searches.get(search.id)
    judge(store, search)
    return ended


def judge(store: Store, search: Search) -> None:
    """Keep the best trial so far in the search's row."""
    counted = set(RunState) - {RunState.FAILED}
    best = store.runs.trials(search.id, order="best", states=counted, limit=1)
    found = (best[0].id, best[0].best_value) if best and best[0].best_value is not None else (None, None)
    if found != (search.best_run_id, search.best_value):
        store.searches.update(search.id, best_run_id=found[0], best_value=found[1])


def _apply(store: Store, search: Search, lines: list[Line | None]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    unreadable = 0
    for line in lines:
        if line is None:
            unreadable += 1
            continue
        values["progress_at"] = line["at"]
        try:
            with store.transaction():
                values |= TAKERS.get(line["kind"], _unknown)(store, replace(search, **values), line)
        except (ValueError, TypeError, KeyError, AttributeError, ArithmeticError):  # JSON, but not what its kind says
            unreadable += 1
    if unreadable:
        told = f"Left out of the search's report, being unreadable: {unreadable} lines."
        store.events.add(None, "warning", told, search_id=search.id)
    return values


def _started(store: Store, search: Search, line: Line) -> dict[str, Any]:
    device, at_once = as_text(line["device"]), as_count(line["at_once"])
    store.searches.move(search.id, SearchState.RUNNING, expect={SearchState.STARTING})
    again = f" (attempt {search.attempt})" if search.attempt > 1 else ""
    told = f"Searching on {device}, {at_once} trial{'s' if at_once > 1 else ''} at a time{again}."
    store.events.add(None, "info", told, line["at"], search_id=search.id)
    return {"device": device, "at_once": at_once, "path": as_text(line.get("path") or "ray")}


def _trial(store: Store, search: Search, line: Line) -> dict[str, Any]:
    """A trial begins, goes on after its process was lost, or has other settings from here on."""
    run_id, number, config = as_text(line["run"]), as_count(line["number"]), dict(line["config"])
    attempt = as_count(line.get("attempt", 1))
    spec = _spec_of(search, line, config)
    values: dict[str, Any] = {
        "spec": spec.model_dump(mode="json"),
        "assignment": config,
        "attempt": attempt,
        "slot": search.slot,
    }
    known = _trial_of(store, search, run_id)
    if known is None:
        store.runs.add(
            run_id=run_id,
            name=as_text(line.get("name") or f"{search.name} {number}")[:200],
            dataset_id=search.dataset_id,
            epochs=spec.epochs,
            search_id=search.id,
            state=RunState.STARTING,
            trial=number,
            metric=search.metric,
            started_at=line["at"],
            progress_at=line["at"],
            **values,
        )
        store.events.add(run_id, "info", f"Trial {number} of {search.name} ({search.id}).", line["at"])
    elif not known.state.is_over:
        store.runs.move(run_id, RunState.QUEUED, expect={RunState.INTERRUPTED})
        store.runs.move(run_id, RunState.STARTING, expect={RunState.QUEUED})
        store.runs.update(run_id, **values, epochs=spec.epochs, progress_at=line["at"])
    return {}


def _trial_ended(store: Store, search: Search, line: Line) -> dict[str, Any]:
    run = _trial_of(store, search, as_text(line["run"]))
    if run is None:
        return {}
    if line.get("cost") is not None:
        store.runs.update(run.id, cost=as_number(line["cost"]))
    ingest(store, run, gone=True)
    end_trial(store, run.id, RunState(line["state"]), line.get("reason"), line.get("advice"))
    came_further = line["state"] != RunState.INTERRUPTED  # then the count of attempts in vain starts again
    return {"tries": 0} if came_further else {}


def _spec_of(search: Search, line: Line, config: dict[str, Any]) -> RunSpec:
    """What the trial trains. Values that do not go together make none: it fails, listed with the base run's spec."""
    spec = SearchSpec.parse(search.spec)
    try:
        return RunSpec.parse(line["spec"]) if line.get("spec") else spec.trial(config)
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


def end_trial(store: Store, run_id: str, state: RunState, reason: str | None, advice: str | None = None) -> None:
    """An end for a trial that has none of its own yet."""
    run = store.runs.get(run_id)
    if state is RunState.INTERRUPTED and run.state is RunState.STOPPING:
        state = RunState.STOPPED
    said: dict[str, Any] = {name: as_text(told) for name, told in (("reason", reason), ("advice", advice)) if told}
    if store.runs.move(run_id, state, pid=None, slot=None, phase=None, eta_s=None, **said):
        level = {RunState.FAILED: "error", RunState.INTERRUPTED: "warning"}.get(state, "info")
        store.events.add(run_id, level, " ".join([f"{state.capitalize()}.", *said.values()]))


def _progress(store: Store, search: Search, line: Line) -> dict[str, Any]:
    return {"phase": as_text(line["phase"]), "message": as_text(line.get("message") or "") or None}


def _message(store: Store, search: Search, line: Line) -> dict[str, Any]:
    store.events.add(None, as_text(line["level"]), as_text(line["text"]), line["at"], search_id=search.id)
    return {}


def _ended(store: Store, search: Search, line: Line) -> dict[str, Any]:
    now = store.searches.get(search.id).state
    state = asked_for(now, SearchState(line["state"]))
    if state is SearchState.FINISHED and as_count(line.get("wanted") or search.wanted) < search.wanted:
        state = SearchState.INTERRUPTED  # it was extended while its driver left: on with another one
    said: dict[str, Any] = {name: as_text(line[name]) for name in ("reason", "advice") if line.get(name)}
    if store.searches.move(search.id, state, **said):
        why = " ".join(said.values())
        text = f"{state.capitalize()}: {why}" if why else f"{state.capitalize()}."
        store.events.add(None, LEVELS.get(state, "info"), text, line["at"], search_id=search.id)
    return {"phase": None, "message": None}


def asked_for(now: SearchState, said: SearchState) -> SearchState:
    """The state that a search ends an attempt in: what its driver says, unless its user asked for another end."""
    if said in SELF_ENDED:
        return said
    if now is SearchState.STOPPING:
        return SearchState.STOPPED
    if now is SearchState.PAUSING:
        return SearchState.PAUSED
    # A driver that nobody asked was told to leave by the system, as before a reboot: it goes on.
    return SearchState.INTERRUPTED if said is SearchState.PAUSED else said


def _unknown(store: Store, search: Search, line: Line) -> dict[str, Any]:
    return {}  # a newer driver's line; nothing here depends on it


TAKERS = {
    "started": _started,
    "trial": _trial,
    "trial_ended": _trial_ended,
    "progress": _progress,
    "message": _message,
    "ended": _ended,
}
