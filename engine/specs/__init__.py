"""What a user asks for: frozen, checked at the door. A field's description feeds tooltip, docs and error message."""

from engine.specs.compute import Compute
from engine.specs.data import Data
from engine.specs.model import Freeze, Model
from engine.specs.optimisation import Optimisation
from engine.specs.ranges import KINDS as RANGE_KINDS
from engine.specs.ranges import Range, in_words
from engine.specs.run import RunSpec, settings
from engine.specs.search import SearchSpec, search_settings
from engine.specs.setting import Part, Setting
from engine.specs.sharing import heads_alone, shared_by
from engine.specs.space import FIXED as SAME_IN_ALL_TRIALS
from engine.specs.space import searchable

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
