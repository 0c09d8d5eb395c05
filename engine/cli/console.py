"""What the commands of the command line share: exit codes, output for people or scripts, waiting for the engine."""

import argparse
import json
from typing import Any

from rich.console import Console

from engine import api
from storage import Store

OK, FAILED, REFUSED, LEFT = 0, 1, 2, 130
err = Console(stderr=True, highlight=False, soft_wrap=True)  # the terminal wraps; paths stay whole


def ask(store: Store, request_id: str, done: str, what: str, *, quiet: bool = False) -> int:
    """Wait until the engine has carried a request out; `quiet`: what comes of it is printed by the caller."""
    api.ensure_supervisor(store.home)
    request = api.wait_for_request(store, request_id, timeout_s=120)
    if request.state == "refused":
        err.print(f"Refused: {request.message}", markup=False)
        return REFUSED
    if not quiet:
        print(f"{done}{f': {what}' if what else ''}.")
    return OK


def how_many(text: str) -> int:
    """A number of rows, as --limit takes it.

    Raises:
        argparse.ArgumentTypeError: It is none, or less than 1.
    """
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"must be a whole number of 1 or more, not {text!r}")
    return int(text)


def output(options: argparse.Namespace, as_object: Any, for_people: Any) -> None:
    """With --json one object, else what people read."""
    if options.json:
        print(json.dumps(as_object, ensure_ascii=False, indent=1))
    else:
        Console(highlight=False, markup=False, soft_wrap=isinstance(for_people, str)).print(for_people)
