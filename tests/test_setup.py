"""Set-up: what `make run` does to an environment, tried with a Python that installs nothing."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
# stands for the environment's Python: keeps what pip is called with, fails where a file says so
PYTHON = """#!/bin/sh
case "$1 $2" in
"-m pip") ;;
"-m venv") mkdir -p "$3/bin" && cp "$0" "$3/bin/python"; exit ;;
*) exec {real} "$@" ;;
esac
echo "$@" >> {calls}
case "$*" in *--constraint*) if [ -e {problem} ]; then cat {problem} >&2; exit 1; fi ;; esac
"""


class SetUp:
    """A checkout with its set-up files, and a Python of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.calls, self.problem = folder, folder / "calls", folder / "problem"
        for name in ("tools/environment", "requirements.txt", "constraints.txt", "pyproject.toml"):
            (folder / name).parent.mkdir(exist_ok=True)
            shutil.copy(ROOT / name, folder / name)
        self.python = folder / "python"
        self.python.write_text(PYTHON.format(real=sys.executable, calls=self.calls, problem=self.problem))
        self.python.chmod(0o755)

    def __call__(
        self, *, constraints: str = "constraints.txt", fall_back: bool = True
    ) -> subprocess.CompletedProcess[str]:
        """The outcome; `installed` names what pip was called with on the way."""
        self.calls.write_text("")
        options = ["--fall-back"] if fall_back else []
        return subprocess.run(
            ["tools/environment", *options, ".venv", constraints, "installed", "requirements.txt"],
            cwd=self.folder,
            env={**os.environ, "PYTHON": str(self.python)},
            capture_output=True,
            text=True,
        )

    @property
    def installed(self) -> list[str]:
        return self.calls.read_text().splitlines()


@pytest.fixture
def set_up(tmp_path: Path) -> SetUp:
    return SetUp(tmp_path)


def test_the_tested_versions_are_installed_once(set_up: SetUp) -> None:
    first = set_up()
    assert first.returncode == 0, first.stderr
    libraries, thaw = set_up.installed
    assert "--constraint constraints.txt --requirement requirements.txt" in libraries
    assert "--no-deps --no-build-isolation --editable" in thaw
    assert set_up().stdout == "" and not set_up.installed, "nothing changed: nothing to do"


@pytest.mark.parametrize("name", ["constraints.txt", "requirements.txt"])
def test_a_change_of_contents_brings_an_environment_up_to_date_whatever_the_times_of_files(
    set_up: SetUp, name: str
) -> None:
    set_up()
    file = set_up.folder / name
    file.write_text(file.read_text() + "# another version\n")
    os.utime(file, (0, 0))
    assert set_up().returncode == 0 and len(set_up.installed) == 2


def test_an_environment_of_the_version_before_is_brought_up_to_date(set_up: SetUp) -> None:
    """It knew an empty stamp alone, newer than any file."""
    subprocess.run([set_up.python, "-m", "venv", set_up.folder / ".venv"], check=True)
    (set_up.folder / ".venv" / ".installed").touch()
    assert set_up().returncode == 0 and len(set_up.installed) == 2


def test_an_environment_whose_python_is_gone_is_made_again(set_up: SetUp) -> None:
    set_up()
    python = set_up.folder / ".venv" / "bin" / "python"
    python.unlink()
    python.symlink_to("/nowhere/python3")
    again = set_up()
    assert again.returncode == 0 and "is gone: making it again" in again.stderr
    assert len(set_up.installed) == 2


@pytest.mark.parametrize(
    "problem",
    ["ERROR: No matching distribution found for torch==2.0", "ERROR: ResolutionImpossible: for help visit a page"],
)
def test_where_the_tested_versions_do_not_exist_set_up_says_so_and_goes_on(set_up: SetUp, problem: str) -> None:
    set_up.problem.write_text(problem)
    outcome = set_up()
    assert outcome.returncode == 0
    assert "going on with the newest that requirements.txt allows" in outcome.stderr
    assert "--constraint" not in set_up.installed[1]
    assert not set_up().stdout, "and does not try again each time"


def test_any_other_trouble_is_shown_and_the_next_time_tries_again(set_up: SetUp) -> None:
    set_up.problem.write_text("ERROR: No space left on device")
    outcome = set_up()
    assert outcome.returncode == 1 and "No space left" in outcome.stderr and "going on" not in outcome.stderr
    set_up.problem.unlink()
    assert set_up().returncode == 0


def test_an_environment_of_the_oldest_versions_takes_no_others(set_up: SetUp) -> None:
    set_up.problem.write_text("ERROR: ResolutionImpossible")
    assert set_up(fall_back=False).returncode == 1


def test_an_old_python_is_refused_in_words(set_up: SetUp) -> None:
    set_up.python.write_text('#!/bin/sh\n[ "$1" != --version ] || { echo Python 3.9.1; exit; }\nexit 1\n')
    outcome = set_up()
    assert outcome.returncode == 1
    assert "Thaw needs Python 3.11 or newer; this is Python 3.9.1" in outcome.stderr


def test_constraints_name_versions_alone_of_all_that_is_required() -> None:
    lines = [line for line in (ROOT / "constraints.txt").read_text().splitlines() if not line.startswith("#")]
    assert all(re.fullmatch(r"[\w.-]+==[\w.!]+", line) for line in lines)
    held = dict(line.split("==") for line in lines)
    required = re.findall(r"^([\w-]+)(?:\[\w+\])?>=", "".join(map(_text, ROOT.glob("requirements*.txt"))), re.MULTILINE)
    known = {_normal(name) for name in held}
    assert not {name for name in required if _normal(name) not in known}


def test_the_command_is_there_and_says_its_version() -> None:
    command = Path(sys.prefix) / "bin" / "thaw"
    if not (Path(sys.prefix) / ".installed").exists() or not (Path(sys.prefix) / ".installed").read_text():
        pytest.skip("not an environment that `make setup` made")
    shown = subprocess.run([command, "--version"], capture_output=True, text=True, check=True).stdout
    assert re.fullmatch(r"Thaw \d+\.\d+\.\d+\n", shown)


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def _normal(name: str) -> str:
    return name.lower().replace("_", "-")
