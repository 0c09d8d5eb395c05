"""The house's rules as tests: who may import whom, how large a file may grow, where things stand."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
ROOMS = ("storage", "engine", "pages", "web")
SOURCES = sorted(path for room in (*ROOMS, "benchmarks", "docs") for path in (ROOT / room).rglob("*.py"))
MOST_LINES, MOST_FUNCTION_LINES = 300, 40

# room (the longest prefix of a file's path counts) -> what it may not import, and why
FORBIDDEN: dict[str, tuple[set[str], str]] = {
    "storage": ({"engine", "pages", "web", "app", "streamlit", "plotly", "torch", "ray"}, "usable from a notebook"),
    "engine": ({"pages", "web", "app", "streamlit", "plotly", "ray"}, "trains with no pages present, and without Ray"),
    "engine/tuning": (
        {"pages", "web", "app", "streamlit", "plotly", "storage", "sqlite3", "sqlite_utils"},
        "a search's driver writes lines, never rows, and may stand on another machine",
    ),
    "engine/training": (
        {"pages", "web", "app", "streamlit", "plotly", "storage", "sqlite3", "sqlite_utils", "ray"},
        "a training process needs torch only",
    ),
    "engine/worker.py": (
        {"pages", "web", "app", "streamlit", "plotly", "storage", "sqlite3", "sqlite_utils", "ray"},
        "a training process needs torch only",
    ),
    "pages": ({"torch", "torchvision", "ray", "sqlite3", "sqlite_utils", "sklearn", "web"}, "thin pages"),
    "pages/parts/figures": (
        {"torch", "torchvision", "ray", "sqlite3", "sqlite_utils", "engine", "streamlit", "web"},
        "charts are plain functions",
    ),
    "pages/parts/tables.py": ({"torch", "sqlite3", "sqlite_utils", "streamlit", "web"}, "tables are plain functions"),
    "web": ({"pages", "torch", "torchvision", "ray", "sqlite3", "sqlite_utils"}, "routes take ids and stream files"),
}
# What the face (and so the pages) must be able to import without waiting seconds for torch.
LIGHT = ("engine/__init__.py", "engine/spec", "engine/commands.py", "engine/files.py", "engine/catalog")
HEAVY = {"torch", "torchvision", "ray", "sklearn"}

LONG_FILES: dict[str, str] = {}  # path -> why it may be longer
LONG_FUNCTIONS = {
    "engine/__main__.py parser": "a table of commands, one after the other",
}


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def imports(path: Path) -> Iterator[tuple[str, bool]]:
    """(module, whether it is imported when the file is)."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    late = {
        inner
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        for inner in ast.walk(node)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node not in late) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module, node not in late


@pytest.mark.parametrize("path", SOURCES, ids=name_of)
def test_rooms_import_one_way(path: Path) -> None:
    room = max((room for room in FORBIDDEN if name_of(path).startswith(room)), key=len, default=None)
    if room is None:
        return
    banned, why = FORBIDDEN[room]
    found = {module for module, _ in imports(path) if module.split(".")[0] in banned}
    assert not found, f"{room} may not import {', '.join(found)}: {why}"


@pytest.mark.parametrize(
    "path", [path for path in SOURCES if name_of(path).startswith(("pages/", "web/"))], ids=name_of
)
def test_pages_and_routes_use_the_engines_face_alone(path: Path) -> None:
    deep = {module for module, _ in imports(path) if module.startswith(("engine.", "storage."))}
    assert not deep, f"import names from engine or storage themselves, not from {', '.join(deep)}"


def test_figures_reach_no_engine_through_what_they_import() -> None:
    """Straight or over other parts of pages; what is imported within a function is not followed."""
    by_module = {name_of(path).removesuffix(".py").replace("/", "."): path for path in SOURCES}
    waiting = [module for module in by_module if module.startswith("pages.parts.figures.")]
    way = dict.fromkeys(waiting, "")
    while waiting:
        module = waiting.pop()
        tree = ast.parse(by_module[module].read_text(encoding="utf-8"))
        froms = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
        named = {f"{node.module}.{alias.name}" for node in froms for alias in node.names}
        found = named | {name for name, at_once in imports(by_module[module]) if at_once}
        reached = {name for name in found if name.split(".")[0] in ("engine", "streamlit")}
        assert not reached, f"{way[module]}{module} imports {', '.join(sorted(reached))}"
        new = [name for name in found if name in by_module and name.startswith("pages.") and name not in way]
        way |= dict.fromkeys(new, f"{way[module]}{module} -> ")
        waiting += new


def test_the_face_is_light() -> None:
    for path in SOURCES:
        if name_of(path).startswith(LIGHT):
            heavy = {module for module, at_once in imports(path) if at_once and module.split(".")[0] in HEAVY}
            assert not heavy, f"{name_of(path)} imports {', '.join(heavy)} at once"


@pytest.mark.parametrize("path", SOURCES, ids=name_of)
def test_files_and_functions_stay_small(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    lines = len(text.splitlines())
    assert lines <= MOST_LINES or name_of(path) in LONG_FILES, f"{lines} lines"
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            of_docstring = node.body[0].end_lineno - node.body[0].lineno + 1 if ast.get_docstring(node) else 0
            length = node.end_lineno - node.lineno + 1 - of_docstring
            allowed = f"{name_of(path)} {node.name}" in LONG_FUNCTIONS
            assert length <= MOST_FUNCTION_LINES or allowed, f"{node.name} has {length} lines"


def test_no_room_for_odds_and_ends() -> None:
    vague = {"utils", "util", "helpers", "helper", "common", "manager", "misc"}
    assert not [name_of(path) for path in SOURCES if vague & set(path.stem.split("_"))]


def test_page_files_stand_in_sub_folders() -> None:
    """A file directly in pages/ would be found by Streamlit itself and run without app.py."""
    assert [path.name for path in (ROOT / "pages").glob("*.py")] == ["__init__.py"]


def test_pickles_are_loaded_in_one_place() -> None:
    users = [name_of(path) for path in SOURCES if "torch.load(" in path.read_text(encoding="utf-8")]
    assert users == ["engine/training/checkpoint.py"]
    assert "weights_only=True" in (ROOT / users[0]).read_text(encoding="utf-8")
