"""The commands about the checkpoints of runs."""

import argparse
import shutil
from pathlib import Path

from engine import api
from engine.cli.arguments import CHECKPOINT, ID, RUN, Commands, command, complete_files
from engine.cli.console import OK
from storage import Store


def add_to(commands: Commands) -> None:
    """Add these commands to the parser of all."""
    one = command(commands, "pin", pin, "Keep a checkpoint however many newer ones follow.")
    one.add_argument("id", metavar="ID", help=ID)
    one.add_argument("checkpoint", metavar="CHECKPOINT", help=CHECKPOINT)
    one.add_argument("--off", action="store_true", help="let it go with the others again")
    one = command(commands, "download", download, "Copy a checkpoint's weights (safetensors) to a file or folder.")
    one.add_argument("id", metavar="ID", help=RUN)
    one.add_argument("--which", default="best", help=f"{CHECKPOINT} (default: best)")
    complete_files(one.add_argument("dest", type=Path, metavar="DEST", help="a file to write, or a folder"))


def pin(store: Store, options: argparse.Namespace) -> int:
    api.pin_checkpoint(store, options.id, options.checkpoint, pinned=not options.off)
    print(f"{'Let go' if options.off else 'Pinned'}: {options.checkpoint} of {options.id}.")
    return OK


def download(store: Store, options: argparse.Namespace) -> int:
    """
    Raises:
        Refused: The file cannot be written.
    """
    run = api.find_run(store, options.id)
    path, name = api.checkpoint_file(store, run.id, options.which)
    to = options.dest / name if options.dest.is_dir() else options.dest
    try:
        shutil.copyfile(path, to)
    except OSError as error:
        raise api.Refused([api.Problem("DEST", str(to), f"cannot be written: {error.strerror}")]) from None
    print(to)
    return OK
