"""Arguments that several commands take, and how a command is added to the parser."""

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

import shtab

ID = "the id, the beginning of it, or the name"
RUN = "the run's id, the beginning of it, or its name"
CHECKPOINT = "best, last, an epoch, or a name as e0012-s0003456"

Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"


def command(
    commands: Commands,
    name: str,
    carry_out: Callable[..., int],
    text: str,
    *,
    as_json: bool = False,
    needs_store: bool = True,
) -> argparse.ArgumentParser:
    """The parser of a new command.

    Args:
        carry_out: Called with the store and the parsed options, or the options alone; its exit code is the program's.
        text: What it does, for its help.
        as_json: Whether it takes --json.
        needs_store: Whether the home's store is opened for it.
    """
    made = commands.add_parser(name, help=text, description=text)
    made.set_defaults(carry_out=carry_out, needs_store=needs_store, json=False)
    if as_json:
        made.add_argument(
            "--json",
            action="store_true",
            help="print JSON, nothing else: an object, or a list of them where there may be several",
        )
    return made


def add_spec(parser: argparse.ArgumentParser, text: str) -> None:
    """The file that says what to do, and what is changed in it."""
    text = f"{text}; - reads standard input"
    complete_files(parser.add_argument("spec", type=Path, metavar="SPEC.yaml", help=text))
    add_wait(parser)
    parser.add_argument(
        "--set", action="append", default=[], metavar="FIELD=VALUE", help="override a field of the spec"
    )


def add_overrides(parser: argparse.ArgumentParser, text: str) -> None:
    parser.add_argument("--set", action="append", default=[], metavar="FIELD=VALUE", help=text)


def add_wait(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--wait", action="store_true", help="show its progress; exit 0 only when it finished")


def complete_files(action: argparse.Action) -> None:
    """Have shells complete this argument as a file or folder."""
    action.complete = shtab.FILE  # type: ignore[attr-defined]


def row_count(text: str) -> int:
    """A number of rows, as --limit takes it.

    Raises:
        argparse.ArgumentTypeError: It is none, or less than 1.
    """
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"must be a whole number of 1 or more, not {text!r}")
    return int(text)
