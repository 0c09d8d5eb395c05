"""Private names of libraries that Thaw uses: each is listed, is still there, and its library has an upper bound."""

import ast
import inspect
import re
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parent.parent
ROOMS = ("engine", "pages", "storage", "web", "benchmarks", "docs", "tests")
SOURCES = [ROOT / "app.py", *(path for room in ROOMS for path in sorted((ROOT / room).rglob("*.py")))]

PROTO = "tensorboard.compat.proto"
FILE_LOADER = "tensorboard.backend.event_processing.event_file_loader"
BATCH_NORM = {"_BatchNorm": "torch.nn.modules.batchnorm"}
# file -> name as it is used there -> the module or class of the library that has it
USES: dict[str, dict[str, str]] = {
    "benchmarks/viewer.py": {
        "streamlit.proto.BackMsg_pb2": "streamlit",
        "streamlit.proto.ForwardMsg_pb2": "streamlit",
    },
    "docs/reference.py": {"_SubParsersAction": "argparse", "_actions": "argparse.ArgumentParser"},
    "engine/api/event_files.py": {FILE_LOADER: "tensorboard"},
    "engine/data/sources/fetched.py": {
        "_check_integrity": "torchvision.datasets.CIFAR10",
        "_codecs": "codecs",
        "_image_files": "torchvision.datasets.Flowers102",
        "_images": "torchvision.datasets.OxfordIIITPet",
        "_reconstruct": "numpy._core.multiarray",
        "_samples": "torchvision.datasets.FER2013",
    },
    "engine/extras.py": {"tensorboard.compat.notf": "tensorboard"},
    "engine/tracking/tensorboard_log.py": {f"{PROTO}.event_pb2": "tensorboard", f"{PROTO}.summary_pb2": "tensorboard"},
    "engine/training/network/cut.py": {"_tensor_constant": "torch.fx.Tracer"},
    "engine/training/network/model.py": {"_metadata": "torch.nn.Module"},
    "engine/training/network/recompute.py": BATCH_NORM,
    "engine/training/network/weights.py": {"_file_size": "torchvision.models.resnet"},
    "engine/training/step.py": BATCH_NORM,
    "engine/tuning/ray_schedulers.py": {
        "_all_trials": "ray.tune.schedulers.hyperband._Bracket",
        "_get_new_config": "ray.tune.schedulers.PopulationBasedTraining",
        "_halves": "ray.tune.schedulers.hyperband._Bracket",
        "_n": "ray.tune.schedulers.hyperband._Bracket",
        "_n0": "ray.tune.schedulers.hyperband._Bracket",
        "_state": "ray.tune.schedulers.HyperBandScheduler",
        "_trial_info": "ray.tune.schedulers.HyperBandScheduler",
    },
    "engine/tuning/ray_settings.py": {
        "_global_node": "ray._private.worker",
        "_private": "ray",
        "_temp_dir": "ray._private.worker",
    },
    "tests/backbones.py": {"_pytest": "pytest"},
    "tests/engine/api/test_event_import.py": {
        FILE_LOADER: "tensorboard",
        f"{PROTO}.event_pb2": "tensorboard",
        f"{PROTO}.summary_pb2": "tensorboard",
    },
    "tests/engine/data/sources/test_fetched.py": {"_MD5": "torchvision.datasets.Food101", "_opener": "urllib.request"},
    "tests/engine/tuning/test_ray_schedulers.py": {
        "_brackets": "ray.tune.schedulers.ASHAScheduler",
        "_rungs": "ray.tune.schedulers.async_hyperband",
    },
    "tests/storage/make_old.py": {"_migrations": "sqlite_utils.Migrations"},
    "tests/storage/test_store.py": {"_migrations": "sqlite_utils.Migrations"},
    "web/asgi.py": {"streamlit.runtime.pages_manager": "streamlit"},
}
ROWS = [(path, name, owner) for path, rows in USES.items() for name, owner in rows.items()]

DOCUMENTED = {"_exit", "_replace"}  # of os and of named tuples: public
NO_NAMES = {"_mb", "_accuracy", "_sqlite_migrations"}  # ends of names of ours, a table
INTERNAL = ("streamlit.runtime", "streamlit.proto", "streamlit.web", "tensorboard.backend", "tensorboard.compat")
STANDARD = {"argparse", "codecs", "urllib"}  # these come with Python
PACKAGES = {"sqlite_utils": "sqlite-utils"}  # where a module is not called as its package
BY_NAME = {"getattr", "hasattr", "setattr", "delattr"}


def is_private(name: str) -> bool:
    return re.fullmatch(r"_[A-Za-z]\w*", name) is not None and name not in DOCUMENTED | NO_NAMES


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@cache
def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


@cache
def made(tree: ast.AST) -> frozenset[str]:
    """Private names that the code under `tree` makes: functions, classes, variables, fields."""
    found = set()
    for node in ast.walk(tree):
        match node:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                found.add(name)
            case ast.Name(id=name, ctx=ast.Store()) | ast.arg(arg=name) | ast.alias(asname=str(name)):
                found.add(name)
            case ast.Attribute(value=ast.Name(id="self" | "cls"), attr=name, ctx=ast.Store()):
                found.add(name)
            case ast.Call(func=ast.Attribute(attr="register_buffer"), args=[ast.Constant(value=str(name)), *_]):
                found.add(name)
    return frozenset(filter(is_private, found))


@cache
def classes() -> dict[str, ast.ClassDef]:
    return {node.name: node for path in SOURCES for node in ast.walk(tree_of(path)) if isinstance(node, ast.ClassDef)}


def inherited(one: ast.ClassDef) -> set[str]:
    """Private names that classes of ours hand down to it."""
    names = (ast.unparse(base).split("[")[0].split(".")[-1] for base in one.bases)
    above = [classes()[name] for name in names if name in classes() and classes()[name] is not one]
    return set().union(*(made(base) | inherited(base) for base in above))


def of_bases(one: ast.ClassDef) -> Iterator[str]:
    """Private names that a class takes from a base of a library's."""
    for node in ast.walk(one):
        match node:
            case ast.Attribute(value=ast.Name(id="self" | "cls"), attr=name) if name not in made(one):
                yield name
            case ast.Attribute(value=ast.Call(func=ast.Name(id="super")), attr=name):
                yield name


def of_others(path: Path) -> Iterator[str]:
    """Private names of whatever is no `self`: attributes, arguments, modules, names in strings."""
    for node in ast.walk(tree_of(path)):
        match node:
            case ast.Attribute(value=ast.Name(id="self" | "cls") | ast.Call(func=ast.Name(id="super"))):
                pass
            case ast.Attribute(attr=name) | ast.keyword(arg=str(name)):
                yield name
            case ast.Constant(value=str(name)) if not name_of(path).startswith("pages/"):  # keys of widgets there
                yield name
            case ast.ImportFrom(module=str(module), names=names) if module.split(".")[0] not in ROOMS:
                yield from (module, *module.split("."), *(alias.name for alias in names))


@cache
def made_anywhere() -> frozenset[str]:
    return frozenset().union(*(made(tree_of(path)) for path in SOURCES))


def used(path: Path) -> set[str]:
    """Private names, and internal modules, of libraries that a file uses."""
    rooms_own = name_of(path).startswith(("engine", "pages", "storage", "web"))  # others may poke into these
    found = set(of_others(path)) - (made(tree_of(path)) if rooms_own else made_anywhere())
    for one in ast.walk(tree_of(path)):
        if isinstance(one, ast.ClassDef):
            found |= set(of_bases(one)) - inherited(one)
    return {name for name in found if is_private(name) or name.startswith(INTERNAL)}


def resolved(path: str) -> object:
    """The module, or the class in a module, of that name."""
    try:
        return import_module(path)
    except ModuleNotFoundError:
        module, _, name = path.rpartition(".")
        return getattr(import_module(module), name)


def test_every_private_use_is_listed() -> None:
    found = {name_of(path): used(path) for path in SOURCES if path != Path(__file__).resolve()}
    assert {path: names for path, names in found.items() if names} == {path: set(rows) for path, rows in USES.items()}


@pytest.mark.parametrize(("path", "name", "owner"), ROWS, ids=lambda value: value)
def test_the_library_still_has_it(path: str, name: str, owner: str) -> None:
    if name.startswith(INTERNAL):
        assert name == "tensorboard.compat.notf" or import_module(name)  # that one is there by being absent
    elif not name.startswith("_pytest"):
        home = resolved(owner)
        assert hasattr(home, name) or re.search(rf"\b{name}", inspect.getsource(home))  # type: ignore[arg-type]


def test_libraries_whose_private_names_are_used_have_an_upper_bound() -> None:
    lines = [line for path in ROOT.glob("requirements*.txt") for line in path.read_text(encoding="utf-8").splitlines()]
    requirements = [Requirement(line.partition(" #")[0]) for line in lines if line and line[0] not in "#-"]
    bounded = {one.name for one in requirements if "<" in str(one.specifier)}
    modules = {owner.split(".")[0] for _, _, owner in ROWS} - STANDARD
    assert not {PACKAGES.get(name, name) for name in modules} - bounded
