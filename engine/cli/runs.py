"""The commands about runs; those that take a search as well hand it on."""

import argparse

from engine import api
from engine.cli import formatting, searches
from engine.cli.arguments import CHECKPOINT, ID, Commands, add_overrides, add_spec, add_wait, command, row_count
from engine.cli.console import FAILED, LEFT, OK, err, output, request_done
from engine.cli.overrides import changed, read_spec
from engine.cli.progress import wait_for_run
from storage import Run, RunState, Search, Store


def add_to(commands: Commands) -> None:
    """Add these commands to the parser of all."""
    add_spec(command(commands, "train", train, "Queue a run.", as_json=True), "what to train")
    one = command(commands, "list", list_runs, "List runs, newest first.", as_json=True)
    one.add_argument("--limit", type=row_count, default=50, help="how many (default 50)")
    one.add_argument("--find", metavar="TEXT", help="those with this in their name, id, data set or tags")
    one.add_argument("--tag", action="append", default=[], metavar="TAG", help="those with this tag")
    one.add_argument("--archived", action="store_true", help="those in the archive too")
    text = "Show one run (state, best value, checkpoints, events), or a search with its trials."
    command(commands, "show", show_run, text, as_json=True).add_argument("id", metavar="ID", help=ID)
    text = "Stop a run or a search; it saves first and can go on later."
    command(commands, "stop", stop, text, as_json=True).add_argument("id", metavar="ID", help=ID)
    text = "Delete a run, or a search with all its trials: checkpoints and metrics; frees the disk."
    command(commands, "delete", delete, text).add_argument("id", metavar="ID", help=ID)
    _add_going_on(commands)


def _add_going_on(commands: Commands) -> None:
    text = "Let a stopped or failed run go on from its last checkpoint, or from an earlier one."
    one = command(commands, "resume", resume, text)
    one.add_argument("id", metavar="ID", help=ID)
    after = f"{CHECKPOINT}; what came after it goes"
    one.add_argument("--from", dest="checkpoint", metavar="CHECKPOINT", help=after)
    text = "Train a run that is over for more epochs, as a new run; or give a search more trials."
    one = command(commands, "extend", extend, text, as_json=True)
    one.add_argument("id", metavar="ID", help=ID)
    add_wait(one)
    one.add_argument("epochs", type=int, nargs="?", metavar="EPOCHS", help="how many more")
    one.add_argument("--trials", type=int, metavar="N", help="of a search: how many more trials")
    text = "Start a new run from a checkpoint of another, with other settings if wanted."
    one = command(commands, "branch", branch, text, as_json=True)
    one.add_argument("id", metavar="ID", help=ID)
    one.add_argument("checkpoint", metavar="CHECKPOINT", help=CHECKPOINT)
    add_wait(one)
    add_overrides(one, "change a setting")


def train(store: Store, options: argparse.Namespace) -> int:
    spec = api.RunSpec.from_yaml(read_spec(options.spec, options.set))
    return _queued(store, options, api.start_run(store, spec))


def _queued(store: Store, options: argparse.Namespace, run: Run) -> int:
    """Print a new run, or how it ends."""
    api.ensure_supervisor(store.home)
    if not options.wait:
        output(options, formatting.run_object(store, run), f"Queued as {run.id} ({run.name}).")
        return OK
    try:
        run = wait_for_run(store, run.id, err)
    except KeyboardInterrupt:
        err.print(f"Left waiting; run {run.id} goes on. Stop it with: thaw stop {run.id}")
        return LEFT
    output(options, formatting.run_object(store, run), formatting.result(run))
    return OK if run.state is RunState.FINISHED else FAILED


def list_runs(store: Store, options: argparse.Namespace) -> int:
    runs = store.runs.list(limit=options.limit, text=options.find, tags=options.tag, archived=options.archived)
    is_filtered = options.find or options.tag
    table = formatting.runs_table(runs) if runs or not is_filtered else "No run is like that."
    output(options, [formatting.run_summary(run) for run in runs], table)
    return OK


def show_run(store: Store, options: argparse.Namespace) -> int:
    run = searches.run_or_search(store, options.id)
    if isinstance(run, Search):
        return searches.show_search(store, options, run)
    output(options, formatting.run_object(store, run), formatting.run_page(store, run))
    return OK


def stop(store: Store, options: argparse.Namespace) -> int:
    found = searches.run_or_search(store, options.id)
    if isinstance(found, Search):
        return searches.changed_search(store, options, api.stop_search(store, found.id), "Stopped")
    code = request_done(store, api.request_stop(store, found.id), "Stopped", options.id, quiet=options.json)
    if code == OK and options.json:
        output(options, formatting.run_object(store, store.runs.get(found.id)), "")
    return code


def resume(store: Store, options: argparse.Namespace) -> int:
    return request_done(store, api.resume(store, options.id, options.checkpoint), "Queued again", options.id)


def extend(store: Store, options: argparse.Namespace) -> int:
    """
    Raises:
        Refused: Epochs for a search, or neither epochs nor trials.
    """
    if options.trials is not None:
        return searches.extend(store, options)
    if isinstance(searches.run_or_search(store, options.id), Search):
        more = f"--trials {options.epochs or 'N'}"
        raise api.Refused([api.Problem("EPOCHS", options.epochs, f"{options.id} is a search: use {more}")])
    if options.epochs is None:
        raise api.Refused([api.Problem("EPOCHS", None, "say how many more; --trials N for a search")])
    return _queued(store, options, api.extend(store, options.id, options.epochs))


def branch(store: Store, options: argparse.Namespace) -> int:
    parent = api.find_run(store, options.id)
    spec = api.RunSpec.parse(changed({**parent.spec, "name": f"{parent.name}, branched"[:200]}, options.set))
    return _queued(store, options, api.branch(store, parent.id, options.checkpoint, spec))


def delete(store: Store, options: argparse.Namespace) -> int:
    found = searches.run_or_search(store, options.id)
    delete_it = api.delete_search if isinstance(found, Search) else api.delete_run
    return request_done(store, delete_it(store, found.id), "Deleted", options.id)
