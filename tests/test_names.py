"""Names are the field's: verbs of our own making name no variable, function or file."""

import io
import keyword
import re
import tokenize
from pathlib import Path

import pytest

from tests.conftest import ROOT

PRIVATE = {"tell", "tells", "telling", "told", "hear", "hears", "heard", "asked", "wanted", "look", "looks"}
ROOMS = ("engine", "pages", "storage", "web")
SOURCES = sorted(path for room in ROOMS for path in (ROOT / room).rglob("*.py"))
# the methods of libraries, by the file that calls or offers them
LIBRARIES: dict[str, set[str]] = {
    "engine/artifacts/files.py": {"tell"},
    "engine/protocol/json_lines.py": {"tell"},
    "engine/tuning/samplers/optuna.py": {"tell"},
}


def words_of(name: str) -> set[str]:
    """`wantedNow`, `_asked_for` -> its words, in small letters."""
    return set(re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower().split("_"))


def private_names(path: Path) -> set[str]:
    text = path.read_text(encoding="utf-8")
    tokens = tokenize.generate_tokens(io.StringIO(text).readline)
    names = {token.string for token in tokens if token.type == tokenize.NAME and not keyword.iskeyword(token.string)}
    # Python 3.11 hands out f-strings whole
    strings = [
        one.string for one in tokenize.generate_tokens(io.StringIO(text).readline) if one.type == tokenize.STRING
    ]
    holes = [hole for one in strings if "f" in one[:2].lower() for hole in re.findall(r"\{([^{}]+)", one)]
    names |= {name for hole in holes for name in re.findall(r"[A-Za-z_]\w*", re.sub(r"'[^']*'|\"[^\"]*\"", "", hole))}
    return {name for name in names if words_of(name) & PRIVATE}


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("path", SOURCES, ids=name_of)
def test_names_are_words_of_the_field(path: Path) -> None:
    found = private_names(path) - LIBRARIES.get(name_of(path), set())
    assert not found, f"call them what they are: {', '.join(sorted(found))}"


def test_a_private_name_is_found(tmp_path: Path) -> None:
    path = tmp_path / "one.py"
    path.write_text('def f(n_asked):\n    """What is told."""\n    return f"asked {lookAgain + 1} told"\n')
    assert private_names(path) == {"n_asked", "lookAgain"}
