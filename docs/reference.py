"""Writes docs/{settings,cli,protocol,codes}.md from the code, so that they cannot drift: `python -m docs.reference`.

`--check` writes nothing and ends with 1 when a page is out of date.
"""

import argparse
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from docs.protocol_page import protocol_page
from engine import api
from engine.cli.main import parser
from engine.faults import FAULTS
from engine.protocol.events import EVENTS
from engine.protocol.reasons import SENTENCES, Reason

FOLDER = Path(__file__).parent
EXAMPLE = """
run: {data: {dataset: digits, image_size: 24}, model: {backbone: small_cnn}, epochs: 5}
space:
  optimisation.learning_rate: {log: [0.0001, 0.01]}
  optimisation.optimizer: {choices: [adamw, sgd]}
  optimisation.momentum: {uniform: [0.8, 0.95], step: 0.05, when: {optimisation.optimizer: sgd}}
algorithm: optuna
scheduler: asha
trials: 30
"""


TABLES = {
    **api.TABLES,
    "datasets": api.DATASET_KINDS,
    "presets": api.PRESETS,
    "search_presets": api.SEARCH_PRESETS,
}


def settings_page() -> str:
    """Every field of a spec and every choice of a catalog table."""
    lines = [
        "# Settings of a run",
        "",
        "Made by `python -m docs.reference` from the spec's own descriptions: the same words as the form's tooltips.",
        "A spec file holds what differs from the defaults:",
        "",
        "```yaml",
        api.RunSpec.parse(api.PRESETS["demo"].values).to_yaml().strip(),
        "```",
        "",
        *_fields(api.settings()),
        "",
        "## Settings of a search",
        "",
        "A search file holds these, the base run as `run`, and as `space` the fields to vary, each with a range.",
        "A range is one of the kinds below; numbers may have a `step`, and `when` makes a field conditional:",
        "",
        "```yaml",
        EXAMPLE.strip(),
        "```",
        "",
        *(f"- `{kind}`: {words}" for kind, words in api.RANGE_KINDS.items()),
        "",
        f"Every field above may vary but {', '.join(f'`{path}`' for path in api.SAME_IN_ALL_TRIALS)}.",
        "",
        *_fields(api.search_settings()),
    ]
    lines += [
        "",
        "## stages",
        "",
        "The stages of the backbone in use, from input to head: see [backbones](#backbones).",
    ]
    for name, table in TABLES.items():
        lines += ["", f"## {name}", "", "| name | label | what it is |", "|---|---|---|"]
        lines += [f"| `{key}` | {row.label} | {row.note}{_stages(row)} |" for key, row in table.items()]
    return "\n".join(lines) + "\n"


def _fields(found: Iterator[api.Setting]) -> Iterator[str]:
    yield from ("| field | default | allowed | what it does |", "|---|---|---|---|")
    for one in found:
        allowed = f"[{one.choices}](#{one.choices})" if isinstance(one.choices, str) else one.allowed
        unit = f" {one.unit}" if one.unit else ""
        default = f"`{one.default}`{unit}" if one.default not in ("", ()) else "empty"
        yield f"| `{one.path}` | {default} | {allowed} | {one.tooltip} |"


def _stages(row: object) -> str:
    stages = getattr(row, "stages", ())
    return f" Stages: {', '.join(stages)}." if stages else ""


def cli_page() -> str:
    """Every command with its help."""
    lines = [
        "# Command line",
        "",
        "Made by `python -m docs.reference` from the commands' own help. `thaw` lies in `.venv/bin`, and",
        "`.venv/bin/python -m engine` is the same. Exit codes: 0 done (with `--wait`: finished), 1 it did not",
        "work out, 2 refused input, 3 another supervisor works here, 130 left waiting by Ctrl-C (the run goes on).",
    ]
    for name, one in sorted(_commands(parser())):
        usage = " ".join(one.format_usage().removeprefix("usage: ").split())
        lines += ["", f"## {name}", "", one.description or "", "", "```", usage, "```"]
        options = [action for action in one._actions if action.help and action.dest != "help"]
        lines += ["", *(f"- `{_option(action)}` {action.help}" for action in options)] if options else []
    return "\n".join(lines) + "\n"


def codes_page() -> str:
    """Every code that stands in lines, rows and files, with what it is said as today."""
    lines = [
        "# Codes",
        "",
        "What runs, searches and their trials end with, and what happens to them, has a code: in the columns",
        "`reason_code` and `code` of the [database](schema.md) and in the lines of `events.jsonl`. Everything in Thaw",
        "goes by the code, which never changes; the sentences may be worded anew with any version.",
        "",
        "## Reasons",
        "",
        "Remedies are what a page offers to start a failed run again with, in this order.",
        "",
        "| code | sentence | remedies |",
        "|---|---|---|",
    ]
    for reason in Reason:
        remedies = FAULTS[reason].remedies if reason in FAULTS else ()
        lines.append(f"| `{reason}` | {SENTENCES[reason]} | {', '.join(f'`{one}`' for one in remedies)} |")
    lines += ["", "## Events", "", "The end of a run or a search has the code of its reason, where it has one.", ""]
    lines += ["| code | level | sentence |", "|---|---|---|"]
    lines += [f"| `{code}` | {level} | {words} |" for code, (level, words) in EVENTS.items()]
    return "\n".join(lines) + "\n"


def _commands(top: argparse.ArgumentParser, before: str = "") -> Iterator[tuple[str, argparse.ArgumentParser]]:
    for action in top._actions:
        if isinstance(action, argparse._SubParsersAction):
            for name, one in action.choices.items():
                inner = list(_commands(one, f"{before}{name} "))
                yield from inner or [(f"{before}{name}", one)]


def _option(action: argparse.Action) -> str:
    name = ", ".join(action.option_strings) or str(action.metavar or action.dest)
    takes_value = action.option_strings and action.nargs != 0
    return f"{name} {action.metavar or action.dest.upper()}" if takes_value else name


PAGES: dict[str, Callable[[], str]] = {
    "settings.md": settings_page,
    "cli.md": cli_page,
    "protocol.md": protocol_page,
    "codes.md": codes_page,
}


def main(arguments: list[str]) -> int:
    stale = [name for name, made in PAGES.items() if not _is_current(name, made())]
    if "--check" in arguments:
        print("\n".join(f"docs/{name} is out of date: make docs" for name in stale))
        return int(bool(stale))
    for name in stale:
        (FOLDER / name).write_text(PAGES[name](), encoding="utf-8")
        print(f"wrote docs/{name}")
    return 0


def _is_current(name: str, text: str) -> bool:
    path = FOLDER / name
    return path.exists() and path.read_text(encoding="utf-8") == text


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
