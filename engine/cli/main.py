"""The command line, `python -m engine COMMAND`: the pages' own face, for scripts and people without a browser."""

import argparse
import os
import shutil
import sys
from pathlib import Path
from typing import Any

from engine import api
from engine.cli import annotations, exchange, formatting, results
from engine.cli import searches as search_commands
from engine.cli.console import FAILED, LEFT, OK, REFUSED, ask, err, how_many, output
from engine.cli.overrides import changed, read_spec
from engine.cli.progress import wait_for_import, wait_for_run
from engine.supervisor import loop
from storage import Dataset, Home, NewerDatabase, Request, Run, RunState, Search, SearchState, Store

ID = "the id, the beginning of it, or the name"
CHECKPOINT = "best, last, an epoch, or a name as e0012-s0003456"


def main(arguments: list[str] | None = None) -> int:
    """0 done; 1 it did not work out; 2 refused input; 130 left waiting by Ctrl-C."""
    options = parser().parse_args(arguments)
    try:
        if options.command is supervise:
            return supervise(options)
        code: int = options.command(api.open_store(), options)
        sys.stdout.flush()
    except api.Refused as refused:
        err.print(f"Refused:\n{refused}", markup=False)
        return REFUSED
    except (api.NotFound, api.Unavailable, NewerDatabase) as error:
        err.print(str(error), markup=False)
        return REFUSED if isinstance(error, api.NotFound) else FAILED
    except BrokenPipeError:  # who reads has had enough, as `head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    return code


def supervise(options: argparse.Namespace) -> int:
    return loop.main(Home.find(), on_demand=options.on_demand)


def train(store: Store, options: argparse.Namespace) -> int:
    spec = api.RunSpec.from_yaml(read_spec(options.spec, options.set))
    return _queued(store, options, api.start_run(store, spec))


def _queued(store: Store, options: argparse.Namespace, run: Run) -> int:
    """Tell of a new run, or how it ends."""
    api.ensure_supervisor(store.home)
    if not options.wait:
        output(options, formatting.run_object(store, run), f"Queued as {run.id} ({run.name}).")
        return OK
    try:
        run = wait_for_run(store, run.id, err)
    except KeyboardInterrupt:
        err.print(f"Left waiting; run {run.id} goes on. Stop it with: python -m engine stop {run.id}")
        return LEFT
    output(options, formatting.run_object(store, run), formatting.result(run))
    return OK if run.state is RunState.FINISHED else FAILED


def list_runs(store: Store, options: argparse.Namespace) -> int:
    runs = store.runs.list(limit=options.limit, text=options.find, tags=options.tag, archived=options.archived)
    is_filtered = options.find or options.tag
    told = formatting.runs_table(runs) if runs or not is_filtered else "No run is like that."
    output(options, [formatting.run_summary(run) for run in runs], told)
    return OK


def show_run(store: Store, options: argparse.Namespace) -> int:
    run = search_commands.run_or_search(store, options.id)
    if isinstance(run, Search):
        return search_commands.show_search(store, options, run)
    output(options, formatting.run_object(store, run), formatting.run_page(store, run))
    return OK


def stop(store: Store, options: argparse.Namespace) -> int:
    found = search_commands.run_or_search(store, options.id)
    if isinstance(found, Search):
        return search_commands.asked(store, options, api.stop_search(store, found.id), "Stopped")
    code = ask(store, api.request_stop(store, found.id).id, "Stopped", options.id, quiet=options.json)
    if code == OK and options.json:
        output(options, formatting.run_object(store, store.runs.get(found.id)), "")
    return code


def resume(store: Store, options: argparse.Namespace) -> int:
    return ask(store, api.resume(store, options.id, options.checkpoint).id, "Queued again", options.id)


def extend(store: Store, options: argparse.Namespace) -> int:
    if options.trials is not None:
        return search_commands.extend(store, options)
    if isinstance(search_commands.run_or_search(store, options.id), Search):
        more = f"--trials {options.epochs or 'N'}"
        raise api.Refused([api.Problem("EPOCHS", options.epochs, f"{options.id} is a search: use {more}")])
    if options.epochs is None:
        raise api.Refused([api.Problem("EPOCHS", None, "say how many more; --trials N for a search")])
    return _queued(store, options, api.extend(store, options.id, options.epochs))


def branch(store: Store, options: argparse.Namespace) -> int:
    parent = api.find_run(store, options.id)
    spec = api.RunSpec.parse(changed({**parent.spec, "name": f"{parent.name}, branched"[:200]}, options.set))
    return _queued(store, options, api.branch(store, parent.id, options.checkpoint, spec))


def pin(store: Store, options: argparse.Namespace) -> int:
    api.pin_checkpoint(store, options.id, options.checkpoint, pinned=not options.off)
    print(f"{'Let go' if options.off else 'Pinned'}: {options.checkpoint} of {options.id}.")
    return OK


def delete(store: Store, options: argparse.Namespace) -> int:
    found = search_commands.run_or_search(store, options.id)
    deleted = api.delete_search if isinstance(found, Search) else api.delete_run
    return ask(store, deleted(store, found.id).id, "Deleted", options.id)


def download(store: Store, options: argparse.Namespace) -> int:
    run = api.find_run(store, options.id)
    path, name = api.checkpoint_file(store, run.id, options.which)
    to = options.dest / name if options.dest.is_dir() else options.dest
    try:
        shutil.copyfile(path, to)
    except OSError as error:
        raise api.Refused([api.Problem("DEST", str(to), f"cannot be written: {error.strerror}")]) from None
    print(to)
    return OK


def add_dataset(store: Store, options: argparse.Namespace) -> int:
    return _bring_in(store, options, api.add_dataset(store, options.name, options.source, copy=options.copy))


def fetch_dataset(store: Store, options: argparse.Namespace) -> int:
    return _bring_in(store, options, api.fetch_dataset(store, options.kind, name=options.name, folder=options.folder))


def scan_dataset(store: Store, options: argparse.Namespace) -> int:
    return _bring_in(store, options, api.scan_dataset(store, options.name))


def show_dataset(store: Store, options: argparse.Namespace) -> int:
    return _show(store, options, api.find_dataset(store, options.name))


def exclude_images(store: Store, options: argparse.Namespace) -> int:
    dataset = api.exclude_images(store, options.name, options.image)
    output(options, formatting.dataset_object(dataset), formatting.dataset_page(dataset))
    return OK


def include_images(store: Store, options: argparse.Namespace) -> int:
    dataset = api.include_images(store, options.name, options.image)
    output(options, formatting.dataset_object(dataset), formatting.dataset_page(dataset))
    return OK


def list_datasets(store: Store, options: argparse.Namespace) -> int:
    datasets = store.datasets.list()
    output(options, [formatting.dataset_object(one) for one in datasets], formatting.datasets_table(datasets))
    return OK


def delete_dataset(store: Store, options: argparse.Namespace) -> int:
    return ask(store, api.delete_dataset(store, options.name).id, "Deleted", options.name)


def status(store: Store, options: argparse.Namespace) -> int:
    told = formatting.status_object(store)
    output(options, told, formatting.status_page(told))
    return OK


def shut_down(store: Store, options: argparse.Namespace) -> int:
    runs = store.runs.list(states=[state for state in RunState if not state.is_over], alone=True)
    searches = store.searches.list(states=[state for state in SearchState if not state.is_at_rest])
    if not api.engine_alive(store) and not runs and not searches:
        print("Nothing runs.")
        return OK
    return ask(store, api.shut_down(store).id, "All runs stopped, searches paused, and the engine has left", "")


def parser() -> argparse.ArgumentParser:
    """Every command with its help: docs/cli.md is made from it."""
    top = argparse.ArgumentParser(prog="python -m engine", description="Train image classifiers without a browser.")
    commands = top.add_subparsers(required=True, metavar="COMMAND")

    def command(into: Any, name: str, what: Any, text: str, *, as_json: bool = False) -> argparse.ArgumentParser:
        made: argparse.ArgumentParser = into.add_parser(name, help=text, description=text)
        made.set_defaults(command=what, json=False)
        if as_json:
            made.add_argument(
                "--json",
                action="store_true",
                help="print JSON, nothing else: an object, or a list of them where there may be several",
            )
        return made

    one = command(commands, "supervise", supervise, "Run the engine's supervisor here, until Ctrl-C.")
    one.add_argument("--on-demand", action="store_true", help="leave after ten minutes without work")
    one = command(commands, "train", train, "Queue a run.", as_json=True)
    one.add_argument("spec", type=Path, metavar="SPEC.yaml", help="what to train; - reads standard input")
    one.add_argument("--wait", action="store_true", help="show its progress; exit 0 only when it finished")
    one.add_argument("--set", action="append", default=[], metavar="FIELD=VALUE", help="override a field of the spec")
    one = command(commands, "list", list_runs, "List runs, newest first.", as_json=True)
    one.add_argument("--limit", type=how_many, default=50, help="how many (default 50)")
    one.add_argument("--find", metavar="TEXT", help="those with this in their name, id, data set or tags")
    one.add_argument("--tag", action="append", default=[], metavar="TAG", help="those with this tag")
    one.add_argument("--archived", action="store_true", help="those in the archive too")
    for name, what, text in (
        ("show", show_run, "Show one run (state, best value, checkpoints, events), or a search with its trials."),
        ("stop", stop, "Stop a run or a search; it saves first and can go on later."),
        ("resume", resume, "Let a stopped or failed run go on from its last checkpoint, or from an earlier one."),
        ("extend", extend, "Train a run that is over for more epochs, as a new run; or give a search more trials."),
        ("branch", branch, "Start a new run from a checkpoint of another, with other settings if wanted."),
        ("pin", pin, "Keep a checkpoint however many newer ones follow."),
        ("delete", delete, "Delete a run, or a search with all its trials: checkpoints and metrics; frees the disk."),
    ):
        one = command(commands, name, what, text, as_json=name in ("show", "stop", "extend", "branch"))
        one.add_argument("id", metavar="ID", help=ID)
        if name in ("branch", "pin"):
            one.add_argument("checkpoint", metavar="CHECKPOINT", help=CHECKPOINT)
        if name in ("extend", "branch"):
            one.add_argument("--wait", action="store_true", help="show its progress; exit 0 only when it finished")
        if name == "resume":
            told = f"{CHECKPOINT}; what came after it goes"
            one.add_argument("--from", dest="checkpoint", metavar="CHECKPOINT", help=told)
        elif name == "extend":
            one.add_argument("epochs", type=int, nargs="?", metavar="EPOCHS", help="how many more")
            one.add_argument("--trials", type=int, metavar="N", help="of a search: how many more trials")
        elif name == "branch":
            one.add_argument("--set", action="append", default=[], metavar="FIELD=VALUE", help="change a setting")
        elif name == "pin":
            one.add_argument("--off", action="store_true", help="let it go with the others again")
    search_commands.add_to(commands, command)
    annotations.add_to(commands, command)
    exchange.add_to(commands, command)
    results.add_to(commands, command)
    one = command(commands, "download", download, "Copy a checkpoint's weights (safetensors) to a file or folder.")
    one.add_argument("id", metavar="ID", help="the run's id, the beginning of it, or its name")
    one.add_argument("--which", default="best", help=f"{CHECKPOINT} (default: best)")
    one.add_argument("dest", type=Path, metavar="DEST", help="a file to write, or a folder")
    datasets = command(commands, "datasets", list_datasets, "Add, look into, list and delete data sets.")
    inner = datasets.add_subparsers(required=True, metavar="add|fetch|list|show|scan|exclude|include|delete")
    one = command(inner, "add", add_dataset, "Import a folder or zip of class folders, or a CSV.", as_json=True)
    one.add_argument("name", metavar="NAME", help="what to call it")
    one.add_argument("source", type=Path, metavar="PATH", help="a folder, .zip, or .csv of path,label[,split]")
    one.add_argument("--copy", action="store_true", help="copy the images into Thaw's home; else they stay there")
    one = command(inner, "fetch", fetch_dataset, "Fetch one of torchvision's data sets.", as_json=True)
    fetched = ", ".join(kind for kind, row in api.DATASET_KINDS.items() if row.fetched)
    one.add_argument("kind", metavar="KIND", help=f"one of {fetched}")
    one.add_argument("--name", help="what to call it (default: KIND)")
    one.add_argument("--folder", type=Path, help="where its files lie already, on this machine")
    command(inner, "list", list_datasets, "List data sets.", as_json=True)
    for name, what, text in (
        ("show", show_dataset, "Show one data set: classes, parts, sizes and what its scan found."),
        ("scan", scan_dataset, "Look through a data set for repeats, leaks, tiny images and the like."),
        ("exclude", exclude_images, "Take images out of a data set; their files stay."),
        ("include", include_images, "Take excluded images back in."),
    ):
        one = command(inner, name, what, text, as_json=True)
        one.add_argument("name", metavar="NAME", help="its name")
        if name.endswith("clude"):
            one.add_argument("image", nargs="+", metavar="IMAGE", help="an image's id, as the scan names it")
    one = command(inner, "delete", delete_dataset, "Delete a data set; a folder on the server stays where it is.")
    one.add_argument("name", metavar="NAME", help="its name")
    command(commands, "status", status, "Show the engine, its queue and the machine.", as_json=True)
    command(commands, "shutdown", shut_down, "Stop all runs (each saves first) and the engine.")
    return top


def _bring_in(store: Store, options: argparse.Namespace, request: Request) -> int:
    api.ensure_supervisor(store.home)
    request = wait_for_import(store, request.id, err)
    if request.state == "refused":
        err.print(f"Refused:\n{request.message}", markup=False)
        return REFUSED
    return _show(store, options, store.datasets.get(request.target))


def _show(store: Store, options: argparse.Namespace, dataset: Dataset) -> int:
    scan = api.dataset_scan(store, dataset.id)
    output(options, formatting.dataset_object(dataset, scan), formatting.dataset_page(dataset, scan))
    return OK
