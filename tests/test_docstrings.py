"""Docstrings of public functions say what a signature cannot: shapes, dtypes, what arguments mean, what is raised."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.test_names import SOURCES, name_of

MOST_PARAMETERS_UNDESCRIBED = 3
ARRAYS = {"Tensor", "ndarray", "NDArray"}
UNSHAPED = {"dict", "Mapping", "Callable"}  # a state dict's shapes are the model's; a function documents its own
SHAPE = re.compile(r"\(([\w. *+/-]+,( ?[\w. *+/-]+,?)*|any shape|)\)")  # (), (n,), (n, channels, size, size), (..., n)
DTYPE = re.compile(r"\b(u?int(8|16|32|64)?|b?float(16|32|64)?|bool|complex(64|128)|any dtype|object)\b")
# still to be described: this list only shrinks
NOT_YET = (
    "engine/protocol",
    "engine/supervisor",
    "engine/worker",
)

Function = ast.FunctionDef | ast.AsyncFunctionDef


def classes_of(tree: ast.Module) -> dict[str, ast.ClassDef]:
    return {node.name: node for node in tree.body if isinstance(node, ast.ClassDef)}


CLASSES = {name: node for path in SOURCES for name, node in classes_of(ast.parse(path.read_text("utf-8"))).items()}


def public_functions(tree: ast.Module) -> Iterator[tuple[str, Function, str]]:
    """(name, function, docstring) of what a module offers."""
    for node in tree.body:
        if isinstance(node, Function) and not node.name.startswith("_"):
            yield node.name, node, ast.get_docstring(node) or ""
    for name, made in classes_of(tree).items():
        methods = [node for node in made.body if isinstance(node, Function)] if not name.startswith("_") else []
        for method in methods:
            if method.name == "__init__" or not method.name.startswith("_"):
                yield f"{name}.{method.name}", method, docstring_of(method, made)


def docstring_of(method: Function, of: ast.ClassDef) -> str:
    """Its own or, as `help` has it, a base class's; for `__init__` the class's docstring counts too."""
    own = ast.get_docstring(method) or ""
    if method.name == "__init__":
        return f"{ast.get_docstring(of) or ''}\n{own}"
    bases = [CLASSES[last_name(base)] for base in of.bases if last_name(base) in CLASSES]
    above = [(one, base) for base in bases for one in base.body if isinstance(one, Function)]
    return own or next((docstring_of(one, base) for one, base in above if one.name == method.name), "")


def parameters(function: Function) -> list[ast.arg]:
    """Without self and cls, *args and **kwargs."""
    given = function.args
    return [one for one in [*given.posonlyargs, *given.args, *given.kwonlyargs] if one.arg not in ("self", "cls")]


def takes_arrays(annotation: ast.expr | None) -> bool:
    if isinstance(annotation, ast.Constant) and isinstance(annotation.value, str):
        return takes_arrays(ast.parse(annotation.value, mode="eval").body)
    if isinstance(annotation, ast.Subscript) and last_name(annotation.value) in UNSHAPED:
        return False
    if annotation is None or last_name(annotation) in ARRAYS:
        return annotation is not None
    return any(takes_arrays(child) for child in ast.iter_child_nodes(annotation) if isinstance(child, ast.expr))


def last_name(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def raised(node: ast.AST) -> Iterator[str]:
    """Names of the errors that a function's own body makes; what it only passes on (`raise`, `raise error`) is not."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, Function | ast.ClassDef | ast.Lambda):
            continue
        if isinstance(child, ast.Raise) and child.exc is not None:
            made = child.exc.func if isinstance(child.exc, ast.Call) else child.exc
            if last_name(made)[:1].isupper():
                yield last_name(made)
        yield from raised(child)


def missing(function: Function, docstring: str) -> list[str]:
    annotations = [*(one.annotation for one in parameters(function)), function.returns]
    arrays = any(takes_arrays(one) for one in annotations)
    errors = {name for name in raised(function) if name not in docstring.partition("Raises:")[2]}
    return [
        *(["a shape, as (n, size, size)"] if arrays and not SHAPE.search(docstring) else []),
        *(["a dtype, as float32"] if arrays and not DTYPE.search(docstring) else []),
        *(["Args:"] if len(parameters(function)) > MOST_PARAMETERS_UNDESCRIBED and "Args:" not in docstring else []),
        *([f"Raises: {', '.join(sorted(errors))}"] if errors else []),
    ]


def undescribed(text: str) -> dict[str, list[str]]:
    found = {name: missing(function, docstring) for name, function, docstring in public_functions(ast.parse(text))}
    return {name: lacks for name, lacks in found.items() if lacks}


@pytest.mark.parametrize("path", SOURCES, ids=name_of)
def test_public_functions_are_described(path: Path) -> None:
    if name_of(path).startswith(NOT_YET):
        return
    found = undescribed(path.read_text(encoding="utf-8"))
    assert not found, "; ".join(f"{name} says nothing of {', '.join(lacks)}" for name, lacks in found.items())


def test_what_is_missing_is_found() -> None:
    text = '''
def f(a: "torch.Tensor | None", b, c=1, *, d=2):
    """Nothing."""
    if a:
        raise ValueError("no")
    raise

def g(images: np.ndarray, weights: dict[str, Tensor]) -> Callable[[Tensor], Tensor]:
    """Turns images, (n, channels, size, size) uint8, round."""
    def inner():
        raise KeyError

class Some:
    """One.

    Args:
        a: What it is.
    """

    def __init__(self, a, b, c, d):
        pass

    def _private(self, a, b, c, d):
        raise ValueError

    def wrong(self) -> list[torch.Tensor]:
        """Raises: KeyError, or so."""
        raise errors.NotFound("x") from None
'''
    assert undescribed(text) == {
        "f": ["a shape, as (n, size, size)", "a dtype, as float32", "Args:", "Raises: ValueError"],
        "Some.wrong": ["a shape, as (n, size, size)", "a dtype, as float32", "Raises: NotFound"],
    }
