"""The public face: everything is there when asked for, and a training process asks for no store."""

import ast
import subprocess
import sys

import pytest

from engine import api
from tests.conftest import ROOT

FACE = ROOT / "engine" / "api" / "__init__.py"
IMPORTS = [node for node in ast.parse(FACE.read_text(encoding="utf-8")).body if isinstance(node, ast.ImportFrom)]
NAMES = [alias.asname or alias.name for node in IMPORTS for alias in node.names]

# a GPU machine that has torch, torchvision and pydantic alone
BARE = """
import sys
for name in ("sqlite3", "sqlite_utils", "storage", "streamlit", "pandas", "plotly", "sklearn", "rich", "starlette"):
    sys.modules[name] = None
import engine.worker.run
import engine.training.retention, engine.training.loop, engine.training.preparation
from engine.specs import RunSpec
spec = RunSpec.parse({"epochs": 3})
assert spec.epochs == 3
try:
    import engine.api
except ImportError:
    sys.exit(7)
"""


def test_a_training_process_imports_no_store() -> None:
    done = subprocess.run([sys.executable, "-c", BARE], cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 7, done.stderr


@pytest.mark.parametrize("name", NAMES)
def test_every_name_of_the_face_is_there(name: str) -> None:
    assert getattr(api, name) is not None


def test_no_name_of_the_face_is_a_modules_too() -> None:
    """Importing the module would put it in the name's place."""
    modules = {path.stem for path in FACE.parent.iterdir()}
    assert not modules & set(NAMES)


@pytest.mark.parametrize(
    ("modules", "heavy"),
    [
        (
            "engine.api, engine.cli.main, engine.supervisor.loop",
            ("torch", "ray", "sklearn", "scipy", "pandas", "pyarrow"),
        ),
        ("engine.training.loop, engine.training.preparation", ("torchvision", "torch._dynamo", "sympy", "sklearn")),
        ("engine.tuning.driver", ("torch", "ray", "optuna", "hyperopt")),
    ],
)
def test_a_process_loads_only_what_it_needs(modules: str, heavy: tuple[str, ...]) -> None:
    """Each of these takes up to two seconds, of every start."""
    code = f"import sys, {modules}; print([one for one in {heavy} if one in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.stdout.strip() == "[]", done.stderr
