"""What a row of a table names as "module:function", found when it is needed: tables are light, functions may not be."""

from collections.abc import Callable
from importlib import import_module
from typing import Any


def named(function: str) -> Callable[..., Any]:
    module, _, name = function.partition(":")
    found: Callable[..., Any] = getattr(import_module(module), name)
    return found
