"""Makes docs/coverage.md from what `make coverage` measured: `python -m docs.coverage`.

Ends with 1 when a room lies below its floor.
"""

import json
import sys
import tempfile
from collections import Counter, defaultdict
from pathlib import Path

import coverage

FOLDER = Path(__file__).parent
FLOORS = {"engine": 90, "storage": 90, "web": 90, "pages": 80}  # % of lines; they only rise
WHOLE = "all"
HEAD = """# Coverage

Made by `make coverage`: what the tests reach but for those in a browser, processes of the engine included; one that a
test kills leaves no trace. Branches: of all ways that an `if` or a loop may go on.

| package | lines | of them reached | branches reached |
|---|---|---|---|
"""


def measured() -> dict[str, Counter[str]]:
    """Package -> counts of its lines and branches."""
    report = coverage.Coverage(config_file=str(FOLDER.parent / "pyproject.toml"))
    report.load()
    with tempfile.NamedTemporaryFile(suffix=".json") as file:
        report.json_report(outfile=file.name)
        files = json.loads(Path(file.name).read_text(encoding="utf-8"))["files"]
    found: dict[str, Counter[str]] = defaultdict(Counter)
    for name, one in files.items():
        for package in packages(Path(name)):
            found[package].update(one["summary"])
    return found


def packages(path: Path) -> set[str]:
    """What a file counts for: its room, its folder, everything."""
    folders = path.parts[:-1]
    depth = 3 if folders[:2] == ("pages", "parts") else 2
    return {WHOLE, *("/".join(folders[:count]) for count in (1, depth) if folders)}


def page(found: dict[str, Counter[str]]) -> str:
    names = sorted(found, key=lambda name: (name == WHOLE, name))
    rows = [
        f"| `{name}` | {found[name]['num_statements']:,} | {lines(found[name])} | {branches(found[name])} |"
        for name in names
    ]
    return HEAD + "\n".join(rows) + "\n"


def lines(counts: Counter[str]) -> str:
    return f"{share(counts['covered_lines'], counts['num_statements']):.1f} %"


def branches(counts: Counter[str]) -> str:
    return f"{share(counts['covered_branches'], counts['num_branches']):.1f} %"


def share(part: int, whole: int) -> float:
    """Percent."""
    return 100 * part / whole if whole else 100.0


def main() -> int:
    found = measured()
    (FOLDER / "coverage.md").write_text(page(found), encoding="utf-8")
    print(f"Lines: {lines(found[WHOLE])}, branches: {branches(found[WHOLE])}; docs/coverage.md has the table.")
    low = {
        room: floor
        for room, floor in FLOORS.items()
        if share(found[room]["covered_lines"], found[room]["num_statements"]) < floor
    }
    for room, floor in low.items():
        print(f"{room}: {lines(found[room])} of lines, below its floor of {floor} %.")
    return bool(low)


if __name__ == "__main__":
    sys.exit(main())
