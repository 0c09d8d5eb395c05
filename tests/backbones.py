"""Backbones for tests that take each in turn."""

import pytest
from _pytest.mark import ParameterSet

from engine.catalog import BACKBONES

LARGE_M = 100  # million weights: a step of one takes seconds
SMALLEST = {id(row.layout): name for name, row in sorted(BACKBONES.items(), key=lambda one: -one[1].parameters_m)}


def each(most_m: float = float("inf")) -> list[ParameterSet]:
    """Those of at most so many million weights: the smallest of each layout always, the others as slow tests.

    Backbones of one layout differ in depth and width alone.
    """
    return [
        pytest.param(name, marks=() if name in SMALLEST.values() and row.parameters_m <= LARGE_M else pytest.mark.slow)
        for name, row in BACKBONES.items()
        if row.parameters_m <= most_m
    ]
