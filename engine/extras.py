"""Packages of requirements-extra.txt, which a home may do without."""

import sys
from types import ModuleType

EXTRA = "pip install -r requirements-extra.txt"


def without_tensorflow() -> None:
    """To be called before the first import of `tensorboard`.

    TensorFlow, where somebody has it, costs seconds and a gigabyte: TensorBoard takes this for its absence.
    """
    sys.modules.setdefault("tensorboard.compat.notf", ModuleType("tensorboard.compat.notf"))
