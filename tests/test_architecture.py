"""The house's rules as tests: who may import whom, how large a file may grow, where things stand."""

import ast
import graphlib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
ROOMS = ("storage", "engine", "pages", "web")
PAGES = ("data", "system", "train", "use", "watch")
SOURCES = sorted(path for room in (*ROOMS, "benchmarks", "docs") for path in (ROOT / room).rglob("*.py"))
MOST_LINES, MOST_FUNCTION_LINES, MOST_FILES = 450, 40, 15

# room (the longest prefix of a file's path counts) -> libraries it may not import, and why
FORBIDDEN: dict[str, tuple[set[str], str]] = {
    "storage": ({"streamlit", "plotly", "torch", "ray"}, "usable from a notebook"),
    "engine": ({"streamlit", "plotly", "ray"}, "trains with no pages present, and without Ray"),
    "engine/tuning": (
        {"streamlit", "plotly", "sqlite3", "sqlite_utils"},
        "a search's driver writes lines, never rows, and may stand on another machine",
    ),
    "engine/training": (
        {"streamlit", "plotly", "sqlite3", "sqlite_utils", "ray"},
        "a training process needs torch only",
    ),
    "engine/worker": ({"streamlit", "plotly", "sqlite3", "sqlite_utils", "ray"}, "a training process needs torch only"),
    "engine/protocol": (
        {"streamlit", "plotly", "sqlite3", "sqlite_utils", "ray", "torch", "numpy", "pandas", "pydantic"},
        "what processes say to each other needs the standard library alone",
    ),
    "pages": ({"torch", "torchvision", "ray", "sqlite3", "sqlite_utils", "sklearn"}, "thin pages"),
    "pages/parts/figures": (
        {"torch", "torchvision", "ray", "sqlite3", "sqlite_utils", "streamlit"},
        "charts are plain functions",
    ),
    "pages/parts/analysis": (
        {"torch", "torchvision", "ray", "sqlite3", "sqlite_utils", "streamlit"},
        "records become facts, tables and sentences: plain functions",
    ),
    "web": ({"torch", "torchvision", "ray", "sqlite3", "sqlite_utils"}, "routes take ids and stream files"),
}
# package -> the packages it may import, type-only imports included. What is not named here stands below all of them.
SPECS = {"engine/catalog", "engine/errors"}
BELOW_TRAINING = {*SPECS, "engine/specs", "engine/faults", "engine/protocol", "engine/machine", "engine/caches"}
TRAINING = {*BELOW_TRAINING, "engine/data", "engine/artifacts"}
WORKER = {*TRAINING, "engine/training", "storage"}
PARTS = {"pages/parts/formatting", "pages/parts/palette", "pages/parts/states", "storage"}
ANALYSIS = {*PARTS, "engine/api"}
WIDGETS = {*ANALYSIS, "pages/parts/analysis", "pages/parts/figures", "pages/parts/session", "pages/parts/live"}
RUNS = {*WIDGETS, "pages/parts/address", "pages/parts/widgets"}
DATASETS = {*RUNS, "pages/parts/runs"}
RESULTS = {*DATASETS, "pages/parts/datasets"}
COMPARE = {*RESULTS, "pages/parts/results"}
SEARCHES = {*DATASETS}
FORMS = {*SEARCHES, "pages/parts/searches"}
ALLOWED: dict[str, set[str]] = {
    "storage": set(),
    "engine/errors": set(),
    "engine/extras": set(),
    "engine/catalog": set(),
    "engine/protocol": set(),
    "engine/specs": SPECS,
    "engine/faults": {*SPECS, "engine/specs", "engine/protocol"},
    "engine/machine": {"storage"},
    "engine/caches": {"storage"},
    "engine/artifacts": {*SPECS, "engine/specs", "engine/protocol", "storage"},
    "engine/data": {*BELOW_TRAINING, "engine/artifacts", "storage"},
    "engine/training": TRAINING,
    "engine/worker": WORKER,
    "engine/previews": {*WORKER, "engine/worker"},
    "engine/tuning": {*WORKER, "engine/worker"} - {"storage"},
    "engine/tracking": {*SPECS, "engine/extras", "engine/protocol", "engine/artifacts", "storage"},
    "engine/exports": {"storage"},
    "engine/api": {*WORKER, "engine/extras", "engine/worker", "engine/previews", "engine/tracking", "engine/exports"}
    - {"engine/training"},
    "engine/supervisor": {*WORKER, "engine/worker", "engine/previews", "engine/tracking", "engine/api"},
    "engine/cli": {"engine/api", "engine/artifacts", "engine/errors", "engine/specs", "engine/supervisor", "storage"},
    "engine/__main__": {"engine/cli"},
    "engine/previewer": set(),  # these two start modules by name
    "engine/ranks": set(),
    "pages/parts/palette": set(),
    "pages/parts/address": set(),
    "pages/parts/formatting": {"storage"},
    "pages/parts/states": {"pages/parts/palette", "storage"},
    "pages/parts/session": ANALYSIS,
    "pages/parts/live": {*ANALYSIS, "pages/parts/session"},
    "pages/parts/analysis": ANALYSIS,
    "pages/parts/figures": {*PARTS, "pages/parts/analysis"},
    "pages/parts/widgets": WIDGETS,
    "pages/parts/runs": RUNS,
    "pages/parts/datasets": DATASETS,
    "pages/parts/results": RESULTS,
    "pages/parts/compare": COMPARE,
    "pages/parts/searches": SEARCHES,
    "pages/parts/forms": FORMS,
    **{f"pages/{room}": {*COMPARE, *FORMS, "pages/parts/compare", "pages/parts/forms"} for room in PAGES},
    "app": {"engine/api", "pages/parts/session", "pages/parts/widgets", "storage"},
    "web": {"engine/api", "storage", "app"},
}
# What the face (and so the pages) must be able to import without waiting seconds for torch.
LIGHT = ("engine/__init__.py", "engine/spec", "engine/api/runs.py", "engine/artifacts/files.py", "engine/catalog")
HEAVY = {"torch", "torchvision", "ray", "sklearn"}

LONG_FILES: dict[str, str] = {}  # path -> why it may be longer
LARGE_FOLDERS = {
    "engine/catalog": 20,
    "engine/training": 20,
    "storage": 25,
}  # tables, a file each; the loop and what it is made of
LONG_FUNCTIONS: dict[str, str] = {}  # path and name -> why it may be longer


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


def module_of(path: Path) -> str:
    return name_of(path).removesuffix(".py").replace("/", ".").removesuffix(".__init__")


MODULES = {module_of(path): path for path in SOURCES} | {"app": ROOT / "app.py"}


def ours(path: Path) -> set[str]:
    """Modules of ours that a file imports anywhere in it, for types too; of `from package import module` the module."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= {name if name in MODULES else node.module for name in names}
    return found & set(MODULES)


def package_of(module: str) -> str:
    """The longest entry of ALLOWED that the module lies in."""
    parts = module.split(".")
    ways = ["/".join(parts[:count]) for count in range(len(parts), 0, -1)]
    return next((way for way in ways if way in ALLOWED), "/".join(parts))


@pytest.mark.parametrize("path", SOURCES, ids=name_of)
def test_rooms_import_what_they_may(path: Path) -> None:
    room = max((room for room in FORBIDDEN if name_of(path).startswith(room)), key=len, default=None)
    if room is not None:
        banned, why = FORBIDDEN[room]
        found = {module for module, _ in imports(path) if module.split(".")[0] in banned}
        assert not found, f"{room} may not import {', '.join(found)}: {why}"


@pytest.mark.parametrize("path", [path for path in MODULES.values() if name_of(path).startswith(ROOMS)], ids=name_of)
def test_packages_import_downwards(path: Path) -> None:
    package = package_of(module_of(path))
    if package in ("engine", "pages", "pages/parts"):
        assert not ours(path), "an empty file"
        return
    up = {module for module in ours(path) if package_of(module) not in {package, *ALLOWED[package]}}
    assert not up, f"{package} may not import {', '.join(sorted(up))}"


def test_the_packages_themselves_stand_one_above_another() -> None:
    graphlib.TopologicalSorter({package: below - {package} for package, below in ALLOWED.items()}).prepare()


def test_no_two_files_import_each_other() -> None:
    """Not over a third one either, and not for types alone."""
    graphlib.TopologicalSorter({module: ours(path) - {module} for module, path in MODULES.items()}).prepare()


@pytest.mark.parametrize("room", ["engine", "pages", "storage", "web"])
def test_folders_are_seen_at_a_glance(room: str) -> None:
    counts = Counter(name_of(path.parent) for path in SOURCES if name_of(path).startswith(f"{room}/"))
    large = {folder: count for folder, count in counts.items() if count > LARGE_FOLDERS.get(folder, MOST_FILES)}
    assert not large


@pytest.mark.parametrize(
    "path", [path for path in SOURCES if name_of(path).startswith(("pages/", "web/"))], ids=name_of
)
def test_pages_and_routes_use_the_engines_face_alone(path: Path) -> None:
    deep = {
        module
        for module, _ in imports(path)
        if module == "engine"
        or module.startswith("storage.")
        or (module.startswith("engine.") and module != "engine.api")
    }
    assert not deep - {"engine"}, f"import names from engine.api or storage, not from {', '.join(deep)}"


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


def test_files_between_processes_are_named_by_the_protocol_alone() -> None:
    """Whoever writes or reads one does so through its type."""
    names = ("run.json", "search.json", "events.jsonl", "control.jsonl", "leave.json", "manifest.json")
    rooms = ("engine/", "pages/", "storage/", "web/")
    for path in SOURCES:
        if name_of(path).startswith(rooms) and not name_of(path).startswith("engine/protocol/"):
            strings = {node.value for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Constant)}
            assert not strings & set(names), f"{name_of(path)}: {', '.join(strings & set(names))}"
