"""The command line, `thaw COMMAND`: the pages' own face, for scripts and people without a browser."""

import argparse
import os
import sys
import tomllib
from importlib import metadata
from pathlib import Path

import shtab

from engine import api
from engine.cli import annotations, checkpoints, datasets, exchange, results, runs, searches, supervisor
from engine.cli.arguments import command
from engine.cli.console import FAILED, OK, REFUSED, err
from storage import NewerDatabase

PYPROJECT = Path(__file__).parents[2] / "pyproject.toml"
NOUNS = (runs, searches, annotations, checkpoints, results, datasets, exchange, supervisor)


def main(arguments: list[str] | None = None) -> int:
    """0 done; 1 it did not work out; 2 refused input; 130 left waiting by Ctrl-C."""
    options = parser(program_name()).parse_args(arguments)
    try:
        code: int = options.carry_out(*([api.open_store()] if options.needs_store else []), options)
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


def program_name() -> str:
    """What the user typed before the command."""
    return "python -m engine" if Path(sys.argv[0]).name == "__main__.py" else "thaw"


def version() -> str:
    """Thaw's, as pyproject.toml has it where that lies beside the code, else as it was installed with."""
    if PYPROJECT.exists():  # an editable install keeps the number of the day it was made
        return str(tomllib.loads(PYPROJECT.read_text(encoding="utf-8"))["project"]["version"])
    try:
        return metadata.version("thaw")
    except metadata.PackageNotFoundError:  # sources that nobody installed
        return "of a checkout"


def parser(program: str = "thaw") -> argparse.ArgumentParser:
    """Every command with its help: docs/cli.md is made from it."""
    top = argparse.ArgumentParser(prog=program, description="Train image classifiers without a browser.")
    top.add_argument("--version", action="version", version=f"Thaw {version()}")
    commands = top.add_subparsers(required=True, metavar="COMMAND")
    for noun in NOUNS:
        noun.add_to(commands)
    text = "Print what a shell needs to complete commands, options and files: docs/guide.md says where to put it."
    one = command(commands, "completion", print_completion, text, needs_store=False)
    one.add_argument("shell", choices=["bash", "zsh", "fish"], metavar="SHELL", help="bash, zsh or fish")
    return top


def print_completion(options: argparse.Namespace) -> int:
    print(shtab.complete(parser(), options.shell))
    return OK
