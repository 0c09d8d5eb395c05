"""What a user asks for: frozen, checked at the door. A field's description feeds tooltip, docs and error message."""

from engine.spec.compute import Compute
from engine.spec.data import Data
from engine.spec.model import Freeze, Model
from engine.spec.optimisation import Optimisation
from engine.spec.ranges import KINDS as RANGE_KINDS
from engine.spec.ranges import Range, in_words
from engine.spec.run import RunSpec, settings
from engine.spec.search import SearchSpec, search_settings
from engine.spec.setting import Part, Setting
from engine.spec.sharing import heads_alone, shared_by
from engine.spec.space import FIXED as SAME_IN_ALL_TRIALS
from engine.spec.space import searchable

__all__ = [
    "RANGE_KINDS",
    "SAME_IN_ALL_TRIALS",
    "Compute",
    "Data",
    "Freeze",
    "Model",
    "Optimisation",
    "Part",
    "Range",
    "RunSpec",
    "SearchSpec",
    "Setting",
    "heads_alone",
    "in_words",
    "search_settings",
    "searchable",
    "settings",
    "shared_by",
]
