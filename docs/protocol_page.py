"""docs/protocol.md: what processes say to each other, from the dataclasses of engine/protocol and their comments."""

import ast
import inspect
import types
from collections.abc import Iterator
from dataclasses import MISSING, Field, fields, is_dataclass
from typing import Any, Union, get_args, get_origin, get_type_hints

from engine.protocol import (
    driver_requests,
    json_lines,
    manifest,
    rank_endings,
    run_file,
    run_lines,
    search_file,
    search_lines,
)
from engine.protocol.serialization import Record, is_required, key_of

TOP = """# Protocol

Made by `python -m docs.reference` from the dataclasses of `engine/protocol`, their docstrings and comments.

Processes of Thaw share files, not memory: whoever trains never opens the database. The supervisor lays out a folder
with a JSON file that says what to do, starts a process on it, and turns the lines that this process appends into rows.
Whoever writes these lines may train: a driver or script of somebody's own needs no more than a language with JSON.

- A line is one JSON object, in UTF-8, ended by a line feed. Each has a `kind`, and `at`, in Unix seconds (where it is
  missing, when the line is read).
- A number that is not finite is written as `null`.
- A key in brackets may be missing, and so may one that can be null. A key or a kind that the reader does not know is
  skipped; a line that is not what its kind says is left out whole, and counted.
- Counts are whole numbers from 0 up to 2^62. A `code` names what a sentence was made from: behaviour follows it, never
  the words.
"""
PARTS: tuple[tuple[str, types.ModuleType, tuple[type[Record], ...]], ...] = (
    ("Lines of a run", run_lines, tuple(run_lines.RUN_LINES.values())),
    ("Lines of a search", search_lines, tuple(search_lines.SEARCH_LINES.values())),
    ("run.json", run_file, (run_file.RunFile,)),
    ("search.json", search_file, (search_file.SearchFile, search_file.TrialRecord)),
    (
        "While a search's driver works",
        driver_requests,
        (*driver_requests.DRIVER_REQUESTS.values(), driver_requests.StopRequest),
    ),
    ("manifest.json", manifest, (manifest.Manifest, manifest.FileEntry)),
)


def protocol_page() -> str:
    """Every file and every kind of line with its keys."""
    lines = [TOP.rstrip()]
    for title, module, records in PARTS:
        lines += ["", f"## {title}", "", inspect.cleandoc(module.__doc__ or "")]
        for record in records:
            lines += ["", f"### {_title(record)}", "", inspect.cleandoc(record.__doc__ or ""), *_table(record)]
    return "\n".join([*lines, "", "## ended.N.json", "", inspect.cleandoc(rank_endings.__doc__ or "")]) + "\n"


def comments_of(record: type[Record]) -> dict[str, str]:
    """Field -> the comment behind it."""
    source = inspect.getsource(record)
    rows, found = source.splitlines(), {}
    for node in ast.parse(source).body[0].body:  # type: ignore[attr-defined]
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            _, _, comment = rows[(node.end_lineno or node.lineno) - 1].partition("  # ")
            found[node.target.id] = comment
    return found


def _title(record: type[Record]) -> str:
    kind = getattr(record, "kind", None)
    return f"`{kind}`" if kind else record.__name__


def _table(record: type[Record]) -> Iterator[str]:
    own = [one for one in fields(record) if one.name not in json_lines.Line.__dataclass_fields__]  # type: ignore[arg-type]
    if not own:
        return
    hints, comments = get_type_hints(record), comments_of(record)
    yield from ("", "| key | holds | what it is |", "|---|---|---|")
    for one in own:
        key = f"`{key_of(one)}`" if is_required(one) else f"[`{key_of(one)}`]"
        yield f"| {key} | {_holds(hints[one.name])} | {_meaning(one, comments[one.name])} |"


def _meaning(one: Field[Any], comment: str) -> str:
    if one.default in (MISSING, None, "", ()):
        return comment
    return f"{comment}; without it `{str(one.default).lower()}`"


def _holds(hint: Any) -> str:
    """A type in the words of JSON."""
    plain = {int: "count", float: "number", str: "text", bool: "true or false", Any: "anything"}
    origin, inner = get_origin(hint), get_args(hint)
    if hint in plain:
        return plain[hint]
    if is_dataclass(hint):
        return f"object: {hint.__name__}" if isinstance(hint, type) else ""
    if origin in (Union, types.UnionType):
        return f"{' or '.join(_holds(one) for one in inner if one is not types.NoneType)}, or null"
    if origin is dict:
        return "object" if inner[1] is Any else f"object of {_holds(inner[1])}"
    if inner[-1] is ...:
        return f"list of {_holds(inner[0])}"
    return f"[{', '.join(_holds(one) for one in inner)}]"
