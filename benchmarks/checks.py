"""Promises that either hold or do not: how many times out of how many they were kept."""

import sys
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Check:
    what: str
    is_good: bool
    summary: str


def print_checks(checks: Iterable[Check]) -> None:
    """As a Markdown table, one line as soon as each is known.

    Raises:
        SystemExit: One of them failed.
    """
    print("| check | | found |\n|---|---|---|", flush=True)
    failed = []
    for one in checks:
        print(f"| {one.what} | {'passed' if one.is_good else '**failed**'} | {one.summary} |", flush=True)
        failed += [] if one.is_good else [one.what]
    if failed:
        sys.exit(f"Failed: {', '.join(failed)}")
