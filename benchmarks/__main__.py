"""`python -m benchmarks [NAME] [--json FILE]`: measurements side by side, alternating in one run, with their spread."""

import argparse
import json
import sys
from importlib import import_module
from pathlib import Path

from benchmarks.measure import print_table

# a new benchmark is a module here with `measure() -> list[Figure]`
NAMES = ("run_page", "engine", "candidates", "augmentation", "gpu", "checkpoints", "resume", "search", "scale")


def main() -> int:
    options = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    options.add_argument("name", nargs="?", choices=NAMES, help="one of them; all when left out")
    options.add_argument("--json", type=Path, metavar="FILE", help="write the figures there as well")
    arguments = options.parse_args()
    figures = []
    for name in [arguments.name] if arguments.name else NAMES:
        module = import_module(f"benchmarks.{name}")
        print(f"\n{name}: {module.__doc__}\n")
        measured = module.measure()
        print_table(measured)
        figures += [{"benchmark": name, **figure.as_dict()} for figure in measured]
    if arguments.json:
        arguments.json.write_text(json.dumps(figures, indent=1), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
