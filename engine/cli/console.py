"""What the commands of the command line share: exit codes, output for people or scripts, waiting for the engine."""

import argparse
import json
from typing import Any

from rich.console import Console

from engine import api
from storage import Request, Store

OK, FAILED, REFUSED, LEFT = 0, 1, 2, 130
err = Console(stderr=True, highlight=False, soft_wrap=True)  # the terminal wraps; paths stay whole


def request_done(store: Store, request: Request, done: str, target: str = "", *, quiet: bool = False) -> int:
    """The exit code, once the engine has carried a request out.

    Args:
        done: What to print then, before `target`.
        target: What it was done to, as the user called it.
        quiet: The caller prints what comes of it.
    """
    api.ensure_supervisor(store.home)
    request = api.wait_for_request(store, request.id, timeout_s=120)
    if request.state == "refused":
        err.print(f"Refused: {request.message}", markup=False)
        return REFUSED
    if not quiet:
        print(f"{done}{f': {target}' if target else ''}.")
    return OK


def output(options: argparse.Namespace, as_object: Any, for_people: Any) -> None:
    """With --json one object, else what people read."""
    if options.json:
        print(json.dumps(as_object, ensure_ascii=False, indent=1))
    else:
        Console(highlight=False, markup=False, soft_wrap=isinstance(for_people, str)).print(for_people)
