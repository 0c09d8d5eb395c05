"""The commands for what users write on runs."""

import argparse
import sys

from engine import api
from engine.api.annotations import plain
from engine.cli import formatting
from engine.cli.arguments import RUN, Commands, command
from engine.cli.console import OK, err, output
from storage import Run, Store


def add_to(commands: Commands) -> None:
    """Add these commands to the parser of all."""
    one = command(commands, "rename", rename, "Give a run another name.", as_json=True)
    one.add_argument("id", metavar="ID", help=RUN)
    one.add_argument("name", metavar="NAME", help="1 to 200 characters that no other run has for its name")
    one = command(commands, "tag", tag, "Put tags on runs, or take them off.", as_json=True)
    one.add_argument("id", nargs="+", metavar="ID", help=RUN)
    one.add_argument("--add", action="append", default=[], metavar="TAG", help="put on; 1 to 40 characters, no comma")
    one.add_argument("--remove", action="append", default=[], metavar="TAG", help="take off")
    one = command(commands, "note", note, "Keep notes on a run, in Markdown, in place of those it has.", as_json=True)
    one.add_argument("id", metavar="ID", help=RUN)
    one.add_argument("text", metavar="TEXT", help="at most 20,000 characters; - reads standard input, '' takes away")
    text = "Take runs that are over out of the lists; nothing of them is deleted."
    one = command(commands, "archive", archive, text, as_json=True)
    one.add_argument("id", nargs="+", metavar="ID", help=RUN)
    one.add_argument("--off", action="store_true", help="take them back into the lists")


def rename(store: Store, options: argparse.Namespace) -> int:
    return _print_runs(options, [api.rename_run(store, options.id, options.name)])


def tag(store: Store, options: argparse.Namespace) -> int:
    """
    Raises:
        Refused: Neither --add nor --remove.
    """
    if not options.add and not options.remove:
        raise api.Refused([api.Problem("tag", None, "say what to do: --add TAG or --remove TAG")])
    had = {tag.casefold() for one in options.id for tag in api.find_run(store, one).tags}
    code = _print_runs(options, api.tag_runs(store, options.id, add=options.add, remove=options.remove))
    for tag in options.remove:
        if plain("tag", tag).casefold() not in had:
            err.print(f"There was no tag {tag!r} to take off.", markup=False)
    return code


def note(store: Store, options: argparse.Namespace) -> int:
    text = sys.stdin.read() if options.text == "-" else options.text
    return _print_runs(options, [api.note_run(store, options.id, text)])


def archive(store: Store, options: argparse.Namespace) -> int:
    return _print_runs(options, api.archive_runs(store, options.id, archived=not options.off))


def _print_runs(options: argparse.Namespace, runs: list[Run]) -> int:
    lines = [f"{run.id}  {run.name}{formatting.annotations(run)}" for run in runs]
    output(options, [formatting.run_summary(run) for run in runs], "\n".join(lines))
    return OK
