"""Waiting on the command line: a progress bar with the time that is left."""

import time
from collections.abc import Callable

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn

from engine import api
from engine.api import Predictions, Preview
from storage import Request, Run, RunState, Search, Store

POLL_S = 0.25


def wait_for_run(store: Store, run_id: str, console: Console) -> Run:
    """The run once it is over. Its engine is started again should it be gone."""
    with _bar(console) as bar:
        task = bar.add_task("", total=1.0, detail="")
        while not (run := store.runs.get(run_id)).state.is_over:
            bar.update(task, completed=run.fraction, description=run.name, detail=_detail(run))
            _pass_time(store)
        bar.update(task, completed=run.fraction, description=run.name, detail=_detail(run))
    return run


def wait_for_search(store: Store, search_id: str, console: Console, lines: Console | None = None) -> Search:
    """The search once it is over or paused. Its engine is started again should it be gone.

    Args:
        lines: Where a line is printed for each trial that ends, for those who read a log and no bar.
    """
    reported = {run.id for run in _over(store, search_id)}
    with _bar(console) as bar:
        task = bar.add_task("", total=1.0, detail="")
        while True:
            search = store.searches.get(search_id)
            for run in _over(store, search_id) if lines else ():
                if lines and run.id not in reported:
                    reported.add(run.id)
                    lines.print(_ended(run, len(reported), search.num_trials), markup=False)
            outlook = api.search_outlook(store, search)
            best = "" if search.best_value is None else f" · best {search.metric} {search.best_value:.4f}"
            what = f"{search.phase or search.state} · {outlook.over} of {search.num_trials} trials"
            bar.update(
                task,
                completed=outlook.fraction,
                description=search.name,
                detail=_left(what, outlook.left_s) + best,
            )
            if search.state.is_at_rest:
                return search
            _pass_time(store)


def _over(store: Store, search_id: str) -> list[Run]:
    return store.runs.trials(search_id, states=[state for state in RunState if state.is_over])


def _ended(run: Run, over: int, num_trials: int) -> str:
    """4 of 10: trial 3 finished, val/accuracy 0.9128 at epoch 7."""
    value = "" if run.best_value is None else f", {run.metric} {run.best_value:.4f} at epoch {run.best_epoch}"
    return f"{over} of {num_trials}: trial {run.trial} {run.state}{value}{f'. {run.reason}' if run.reason else ''}"


def wait_for_import(store: Store, request_id: str, console: Console) -> Request:
    """The request once its import or scan is done or refused. Its engine is started again should it be gone."""
    with _bar(console) as bar:
        words = {"import_dataset": "Import", "scan_dataset": "Scan"}[store.requests.get(request_id).kind]
        task = bar.add_task(words, total=1.0, detail="")
        while (request := store.requests.get(request_id)).state in ("pending", "running"):
            bar.update(task, completed=request.progress or 0, detail=_left(request.message or "", request.eta_s))
            _pass_time(store)
    return request


def wait_for_predictions(
    store: Store, ask: Callable[[], Predictions | Preview], console: Console
) -> Predictions | Preview:
    """The predictions once they are made, or a preview with the problem. The engine is started should it be gone."""
    found = ask()
    if not isinstance(found, Preview):
        return found
    with _bar(console) as bar:
        task, began = bar.add_task("Predictions", total=1.0, detail=""), time.monotonic()
        while isinstance(found, Preview) and found.problem is None:
            share, took = found.progress, time.monotonic() - began
            eta_s = took / share * (1 - share) if share else None
            bar.update(task, completed=share, detail=_left(found.message, eta_s))
            _pass_time(store)
            found = ask()
        bar.update(task, completed=1.0, detail="")
    return found


def _pass_time(store: Store) -> None:
    time.sleep(POLL_S)
    if not api.engine_alive(store):
        api.ensure_supervisor(store.home)


def _bar(console: Console) -> Progress:
    name, detail = (TextColumn(text, markup=False) for text in ("{task.description}", "{task.fields[detail]}"))
    columns = (name, BarColumn(), TaskProgressColumn(), detail)
    return Progress(*columns, console=console)


def _detail(run: Run) -> str:
    best = "" if run.best_value is None else f" · best {run.metric} {run.best_value:.4f} (epoch {run.best_epoch})"
    waiting = run.state is RunState.QUEUED
    what = "waiting for its turn" if waiting else f"{run.phase or run.state} · epoch {run.epoch} of {run.epochs}"
    return _left(what, run.eta_s) + best


def _left(what: str, eta_s: float | None) -> str:
    return what if eta_s is None else f"{what} · about {eta_s:.0f} s left"
