"""The public face: everything is there when asked for, and a training process asks for no store."""

import ast
import subprocess
import sys

import pytest

import engine
from tests.conftest import ROOT

# a GPU machine that has torch, torchvision and pydantic alone
BARE = """
import sys
for name in ("sqlite3", "sqlite_utils", "storage", "streamlit", "pandas", "plotly", "sklearn", "rich", "starlette"):
    sys.modules[name] = None
import engine, engine.worker
import engine.training.checkpoints, engine.training.loop, engine.training.preparation
spec = engine.RunSpec.parse({"epochs": 3})
assert spec.epochs == 3
try:
    engine.start_run
except ImportError:
    sys.exit(7)
"""


def test_a_training_process_imports_no_store() -> None:
    done = subprocess.run([sys.executable, "-c", BARE], cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 7, done.stderr


@pytest.mark.parametrize("name", engine.__all__)
def test_every_name_of_the_face_is_there(name: str) -> None:
    assert getattr(engine, name) is not None


def test_what_is_found_late_is_what_type_checkers_read() -> None:
    tree = ast.parse((ROOT / "engine" / "__init__.py").read_text(encoding="utf-8"))
    told = next(node for node in tree.body if isinstance(node, ast.If))
    read = {(node.module, alias.name) for node in told.body if isinstance(node, ast.ImportFrom) for alias in node.names}
    assert read == {(module, name) for module, names in engine._STORED.items() for name in names}


def test_a_name_that_is_not_there_says_so() -> None:
    with pytest.raises(AttributeError, match="nothing_of_the_kind"):
        _ = engine.nothing_of_the_kind


def test_no_name_of_the_face_is_a_modules_too() -> None:
    """Importing the module would put it in the name's place."""
    modules = {path.stem for path in (ROOT / "engine").iterdir()}
    assert not modules & set(engine.__all__)
