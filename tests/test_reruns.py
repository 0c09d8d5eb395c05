"""The list of second tries names tests that are there, and none of the engine's or the store's."""

import ast

from tests.conftest import ROOT
from tests.reruns import RERUNS


def test_what_is_tried_twice_is_a_test_that_is_there() -> None:
    for path, (reason, names) in RERUNS.items():
        assert reason and not path.startswith(("tests/engine", "tests/storage", "tests/pages")), path
        tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
        there = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
        assert not set(names) - there, path
