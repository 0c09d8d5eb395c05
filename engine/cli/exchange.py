"""The commands that deal with other programs: tables for them, runs out of them, runs logged to them as well."""

import argparse
from collections.abc import Iterator
from pathlib import Path

from engine import api
from engine.cli import formatting
from engine.cli.arguments import Commands, command, complete_files
from engine.cli.console import OK, output
from storage import Store


def add_to(commands: Commands) -> None:
    """Add these commands to the parser of all."""
    text = "Write a table to a file, for a spreadsheet or a notebook: CSV or Parquet."
    one = command(commands, "export", export, text)
    listed = "; ".join(f"{what}: {row}" for what, row in api.EXPORTS.items())
    one.add_argument("what", choices=list(api.EXPORTS), metavar="WHAT", help=f"what a row of it is: {listed}")
    complete_files(one.add_argument("--to", type=Path, required=True, metavar="FILE", help="ends in .csv or .parquet"))
    one.add_argument("--force", action="store_true", help="write over a file that is there")
    one.add_argument("--runs", nargs="+", metavar="ID", help="of these runs alone, by id or name (default: all)")
    one.add_argument("--search", metavar="ID", help="of the trials of this search alone")
    text = "Read TensorBoard's event files in, as a finished run to chart and compare."
    one = command(commands, "import-events", import_events, text, as_json=True)
    complete_files(one.add_argument("path", type=Path, metavar="PATH", help="an event file, or the folder of one run"))
    one.add_argument("--name", default="", help="what to call the run (default: as the file or folder)")
    one = command(
        commands, "trackers", choose_trackers, "Show or choose what runs are logged to as well.", as_json=True
    )
    listed = ", ".join(api.TRACKERS)
    one.add_argument("name", nargs="*", metavar="NAME", help=f"log to these from now on: {listed}, or none")


def export(store: Store, options: argparse.Namespace) -> int:
    """The file stands under its name only once it is whole.

    Raises:
        Refused: The file is of no such kind, there already, or cannot be written.
    """
    form = options.to.suffix.removeprefix(".").lower()
    if form not in api.EXPORT_FORMS:
        raise api.Refused([api.Problem("--to", str(options.to), "must end in .csv or .parquet")])
    if options.to.exists() and not options.force:
        raise api.Refused([api.Problem("--to", str(options.to), "is there already; --force writes over it")])
    pieces = api.export(store, options.what, form, runs=options.runs, search=options.search)
    part = options.to.with_name(f"{options.to.name}.part")
    try:
        with part.open("wb") as file:
            file.writelines(_made(pieces))
        part.replace(options.to)
    except OSError as error:
        raise api.Refused([api.Problem("--to", str(options.to), f"cannot be written: {error.strerror}")]) from None
    finally:
        part.unlink(missing_ok=True)
    print(options.to)
    return OK


def _made(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """What goes wrong in making them must not read as a file that cannot be written."""
    try:
        yield from pieces
    except OSError as error:
        raise RuntimeError("the table cannot be made") from error


def import_events(store: Store, options: argparse.Namespace) -> int:
    run = api.import_events(store, options.path, name=options.name)
    lines = "\n".join(event.text for event in store.events.list(run.id))
    output(options, formatting.run_object(store, run), f"{run.id}  {run.name}\n{lines}")
    return OK


def choose_trackers(store: Store, options: argparse.Namespace) -> int:
    if options.name:
        api.set_trackers(store, [] if options.name == ["none"] else options.name)
    chosen = api.trackers(store)
    states = {name: {"on": name in chosen, "installed": api.tracker_installed(name)} for name in api.TRACKERS}
    lines = []
    for name, one in states.items():
        stands = "on" if one["on"] else "off" if one["installed"] else "not installed"
        lines.append(f"{name:<12} {stands:<14} {api.TRACKERS[name].note}")
    output(options, states, "\n".join([*lines, f"What they are given lies in {store.home.trackers}."]))
    return OK
