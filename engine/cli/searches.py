"""The commands about searches, and what they print."""

import argparse
from typing import Any

from rich.console import Console, Group
from rich.text import Text

from engine import api
from engine.cli.arguments import Commands, add_spec, command, row_count
from engine.cli.console import FAILED, LEFT, OK, err, output, request_done
from engine.cli.formatting import in_time, table_of
from engine.cli.overrides import read_spec
from engine.cli.progress import wait_for_search
from storage import Request, Run, Search, SearchState, Store

ID = "the search's id, the beginning of it, or its name"
MOST_SHOWN = 20  # trials in a table for people


def add_to(commands: Commands) -> None:
    """Add these commands to the parser of all."""
    one = command(commands, "search", search, "Queue a search: many runs, and the best settings.", as_json=True)
    add_spec(one, "what to search")
    one = command(commands, "searches", list_searches, "List searches, newest first.", as_json=True)
    one.add_argument("--limit", type=row_count, default=50, help="how many (default 50)")
    one = command(commands, "pause", pause, "Pause a search: its trials save, and the machine is free.", as_json=True)
    one.add_argument("id", metavar="ID", help=ID)
    text = "Let a paused, stopped or failed search go on; finished trials are never run again."
    one = command(commands, "continue", continue_search, text, as_json=True)
    one.add_argument("id", metavar="ID", help=ID)


def search(store: Store, options: argparse.Namespace) -> int:
    spec = api.SearchSpec.from_yaml(read_spec(options.spec, options.set, api.SearchSpec))
    found = api.start_search(store, spec)
    api.ensure_supervisor(store.home)
    if not options.wait:
        output(options, search_object(store, found), f"Queued as {found.id} ({found.name}).")
        return OK
    return _waited(store, options, found)


def _waited(store: Store, options: argparse.Namespace, found: Search) -> int:
    try:
        lines = err if options.json else Console(highlight=False, soft_wrap=True)
        found = wait_for_search(store, found.id, err, None if lines.is_terminal else lines)
    except KeyboardInterrupt:
        err.print(f"Left waiting; search {found.id} goes on. Stop it with: thaw stop {found.id}")
        return LEFT
    output(options, search_object(store, found), search_page(store, found))
    return OK if found.state is SearchState.FINISHED else FAILED


def list_searches(store: Store, options: argparse.Namespace) -> int:
    found = store.searches.list(limit=options.limit)
    output(options, [search_summary(store, one) for one in found], searches_table(store, found))
    return OK


def show_search(store: Store, options: argparse.Namespace, found: Search) -> int:
    output(options, search_object(store, found), search_page(store, found))
    return OK


def pause(store: Store, options: argparse.Namespace) -> int:
    return changed_search(store, options, api.pause_search(store, options.id), "Paused")


def continue_search(store: Store, options: argparse.Namespace) -> int:
    return changed_search(store, options, api.continue_search(store, options.id), "Queued again")


def extend(store: Store, options: argparse.Namespace) -> int:
    found = api.find_search(store, options.id)
    request = api.extend_search(store, found.id, options.trials)
    if not options.wait:
        return changed_search(store, options, request, "Extended")
    code = request_done(store, request, "Extended", options.id, quiet=options.json)
    return _waited(store, options, found) if code == OK else code


def changed_search(store: Store, options: argparse.Namespace, request: Request, done: str) -> int:
    """Wait for a request about a search; with --json its object stands for the words.

    Args:
        options: With the `id` as the user called it.
        done: What is printed once it is carried out.
    """
    code = request_done(store, request, done, options.id, quiet=options.json)
    if code == OK and options.json:
        output(options, search_object(store, store.searches.get(request.target)), "")
    return code


def run_or_search(store: Store, text: str) -> Run | Search:
    """What an id or a name means.

    Raises:
        NotFound: Neither, or more than one.
    """
    try:
        return api.find_run(store, text)
    except api.NotFound as no_run:
        try:
            return api.find_search(store, text)
        except api.NotFound:
            raise no_run from None


def search_summary(store: Store, found: Search) -> dict[str, Any]:
    """The search as a plain object, without its trials."""
    outlook = api.search_outlook(store, found)
    best = store.runs.get(found.best_run_id) if found.best_run_id else None
    return {
        "id": found.id,
        "name": found.name,
        "state": str(found.state),
        "dataset": found.dataset_id,
        "num_trials": found.num_trials,
        "over": outlook.over,
        "worked_s": outlook.worked_s,
        "eta_s": outlook.left_s,
        "best": best
        and {
            "run": best.id,
            "name": best.metric,
            "value": best.best_value,
            "epoch": best.best_epoch,
            "config": best.assignment,
        },
        "reason": found.reason,
        "advice": found.advice,
    }


def search_object(store: Store, found: Search) -> dict[str, Any]:
    """The search with its trials, in order, and its spec."""
    trials = [
        {
            "run": run.id,
            "number": run.trial,
            "state": str(run.state),
            "value": run.best_value,
            "epoch": run.best_epoch,
            "config": run.assignment,
            "reason": run.reason,
        }
        for run in store.runs.trials(found.id)
    ]
    return search_summary(store, found) | {"trials": trials, "spec": found.spec}


def searches_table(store: Store, found: list[Search]) -> Any:
    if not found:
        return "No searches yet. Try: thaw search examples/search_digits.yaml --wait"
    made = table_of("id", "name", "state", "trials", "left", "best", "worked")
    for one in found:
        outlook = api.search_outlook(store, one)
        best = "" if one.best_value is None else f"{one.best_value:.4f}"
        row = [one.id, one.name, str(one.state), f"{outlook.over}/{one.num_trials}", in_time(outlook.left_s), best]
        made.add_row(*map(Text, [*row, in_time(outlook.worked_s)]))
    return made


def search_page(store: Store, found: Search) -> Group:
    """How it stands in a line, and its best trials."""
    trials = store.runs.trials(found.id, order="best", limit=MOST_SHOWN)
    paths = list(found.spec["space"])
    made = table_of("trial", "run", "state", found.metric, "epoch", *(path.rpartition(".")[2] for path in paths))
    for run in trials:
        value = "" if run.best_value is None else f"{run.best_value:.4f}"
        given = [_shown((run.assignment or {}).get(path, "")) for path in paths]
        made.add_row(*map(Text, [str(run.trial), run.id, str(run.state), value, str(run.best_epoch or ""), *given]))
    why = " ".join(filter(None, [found.reason, found.advice]))
    best = f" Best {found.metric} {found.best_value:.4f} ({found.best_run_id})." if found.best_value is not None else ""
    return Group(Text(f"{found.name}: {found.state}.{best}{' ' + why if why else ''}"), made)


def _shown(value: Any) -> str:
    if isinstance(value, list):
        return " + ".join(map(str, value)) or "none"
    return f"{value:.3g}" if isinstance(value, float) else str(value)
