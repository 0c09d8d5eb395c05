"""The program around the commands: its name, its version, what shells need for completing."""

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from engine.cli.main import main, parser
from tests.conftest import ROOT

COMPLETE = """
source {script}
COMP_WORDS=({words})
COMP_CWORD={last}
_shtab_thaw
echo "${{COMPREPLY[@]}}"
"""


@pytest.fixture(scope="module")
def bash_script(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("completion") / "thaw"
    done = subprocess.run([sys.executable, "-m", "engine", "completion", "bash"], cwd=ROOT, stdout=path.open("w"))
    assert done.returncode == 0
    return path


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("thaw da", "datasets"),
        ("thaw datasets sc", "scan"),
        ("thaw train --w", "--wait"),
        ("thaw train examples/dig", "examples/digits.yaml"),
        ("thaw export check", "checkpoints"),
        ("thaw completion fi", "fish"),
    ],
)
def test_bash_completes_commands_options_choices_and_files(bash_script: Path, words: str, expected: str) -> None:
    text = COMPLETE.format(script=bash_script, words=words, last=len(words.split()) - 1)
    done = subprocess.run(["bash", "-c", text], cwd=ROOT, capture_output=True, text=True)
    assert (done.stdout.split(), done.stderr) == ([expected], "")


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_other_shells_have_a_script_that_knows_all_commands(shell: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["completion", shell]) == 0
    script = capsys.readouterr().out
    assert all(name in script for name in ("datasets", "import-events", "completion", "on-demand"))


def test_the_version_is_that_of_the_project(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="0"):
        main(["--version"])
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    assert capsys.readouterr().out == f"Thaw {version}\n"


@pytest.mark.parametrize(
    ("called", "name"), [("/x/.venv/bin/thaw", "thaw"), ("/x/engine/__main__.py", "python -m engine")]
)
def test_help_shows_the_name_it_was_called_by(
    called: str, name: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "argv", [called])
    with pytest.raises(SystemExit, match="0"):
        main(["train", "--help"])
    assert capsys.readouterr().out.startswith(f"usage: {name} train")
    assert parser().prog == "thaw"
