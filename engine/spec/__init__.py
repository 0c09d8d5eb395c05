"""What a user asks for: frozen, checked at the door. A field's description feeds tooltip, docs and error message."""

from engine.spec.compute import Compute
from engine.spec.data import Data
from engine.spec.model import Freeze, Model
from engine.spec.optimisation import Optimisation
from engine.spec.run import RunSpec, settings
from engine.spec.setting import Part, Setting

__all__ = ["Compute", "Data", "Freeze", "Model", "Optimisation", "Part", "RunSpec", "Setting", "settings"]
