"""A home in the hands of other code than the tests': of the version before, or of one whose sentences are others."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml

from tests.cli import until


class OtherCode:
    """`engine` and `storage` as they lie in `folder`, with a supervisor of them that is alive.

    Args:
        files: A folder for spec files.
    """

    def __init__(self, folder: Path, files: Path) -> None:
        self.folder, self.files = folder, files
        self.supervisor = subprocess.Popen(
            [sys.executable, "-m", "engine", "supervise"], cwd=folder, start_new_session=True, stdin=subprocess.DEVNULL
        )
        until(lambda: self.cli("status")["engine"])

    def run(self, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "engine", *map(str, arguments)],
            cwd=self.folder,
            capture_output=True,
            text=True,
            timeout=180,
            stdin=subprocess.DEVNULL,
        )

    def cli(self, *arguments: str | Path) -> Any:
        """What a command prints as JSON."""
        done = self.run(*arguments, "--json")
        assert done.stdout, done.stderr
        return json.loads(done.stdout)

    def start(self, command: str, name: str, values: dict[str, Any], *more: str) -> str:
        """The id of a run or search of this spec."""
        path = self.files / f"{name}.yaml"
        path.write_text(yaml.safe_dump(values | {"name": name}), encoding="utf-8")
        return str(self.cli(command, path, *more)["id"])

    def state(self, id: str) -> str:
        return str(self.cli("show", id)["state"])

    def until(self, id: str, *states: str) -> None:
        until(lambda: self.state(id) in states, within_s=120, why=lambda: self.cli("show", id))

    def end(self) -> None:
        if self.supervisor.poll() is None:
            self.supervisor.kill()
        self.supervisor.wait()
