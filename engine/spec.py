"""What a user asks for: frozen, checked at the door. A field's description feeds tooltip, docs and error message."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Any, Literal, Self

import yaml
from annotated_types import Ge, Gt, Le, Lt, MaxLen, MinLen
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator
from pydantic.fields import FieldInfo

from engine.catalog.backbones import BACKBONES
from engine.catalog.optimizers import OPTIMIZERS
from engine.catalog.strategies import STRATEGIES
from engine.errors import Problem, Refused


class Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


def setting(
    default: Any,
    label: str,
    description: str,
    *,
    unit: str = "",
    choices: str | None = None,
    advanced: bool = False,
    scale: Literal["linear", "log"] = "linear",
) -> Any:
    """A spec field. `choices` names the catalog table whose keys are allowed ("datasets" is looked up in the store)."""
    return Field(
        default,
        title=label,
        description=description,
        json_schema_extra={"unit": unit, "choices": choices, "advanced": advanced, "scale": scale},
    )


class Data(Part):
    dataset: Annotated[str, MinLen(1), MaxLen(100)] = setting(
        "digits", "Data set", "The images to learn from. Add your own on the Data sets page.", choices="datasets"
    )
    image_size: Annotated[int, Ge(8), Le(1024)] = setting(
        64,
        "Image size",
        "Images are resized to a square of this side. Larger shows finer detail; time and memory grow with the square.",
        unit="px",
    )
    channels: Literal["auto", "grey", "colour"] = setting(
        "auto",
        "Colour",
        "auto keeps what the data set has. Choose grey when colour carries no meaning for your classes.",
        advanced=True,
    )
    validation_fraction: Annotated[float, Ge(0.05), Le(0.5)] = setting(
        0.2,
        "Validation share",
        "Share of each class held back to judge the model, when the data set has no validation part of its own.",
        advanced=True,
    )
    split_seed: Annotated[int, Ge(0), Lt(2**31)] = setting(
        0,
        "Split seed",
        "Decides which images are held back. Keep it equal over runs that you want to compare.",
        advanced=True,
    )


class Model(Part):
    backbone: str = setting("resnet18", "Backbone", "The network that turns images into features.", choices="backbones")

    @field_validator("backbone")
    @classmethod
    def _known(cls, value: str) -> str:
        return _one_of(value, BACKBONES)


class Optimisation(Part):
    optimizer: str = setting(
        "adamw", "Optimiser", "How weights follow the gradient. AdamW needs least tuning.", choices="optimizers"
    )
    learning_rate: Annotated[float, Gt(0), Le(10)] = setting(
        1e-3,
        "Learning rate",
        "Size of each step. Loss jumps about or becomes NaN: divide by 10. Loss falls very slowly: multiply by 3.",
        scale="log",
    )
    batch_size: Annotated[int, Ge(1), Le(8192)] = setting(
        64, "Batch size", "Images per step. Larger is faster and smoother but takes more memory.", unit="images"
    )
    weight_decay: Annotated[float, Ge(0), Le(1)] = setting(
        1e-4,
        "Weight decay",
        "Pulls weights towards zero. Raise it when training accuracy is far above validation accuracy.",
        advanced=True,
        scale="log",
    )
    momentum: Annotated[float, Ge(0), Lt(1)] = setting(
        0.9, "Momentum", "How much of the last step is kept. Used by SGD; 0.9 suits most runs.", advanced=True
    )

    @field_validator("optimizer")
    @classmethod
    def _known(cls, value: str) -> str:
        return _one_of(value, OPTIMIZERS)


class RunSpec(Part):
    """What to train."""

    name: Annotated[str, MaxLen(200)] = setting(
        "", "Name", "How the run is listed. Left empty, one is made from the backbone and the data set."
    )
    data: Data = Data()
    model: Model = Model()
    optimisation: Optimisation = Optimisation()
    epochs: Annotated[int, Ge(1), Le(10_000)] = setting(
        10, "Epochs", "How often every training image is seen. More helps until validation accuracy stops rising."
    )
    seed: Annotated[int, Ge(0), Lt(2**31)] = setting(
        0,
        "Seed",
        "Start of all random choices. Train with 3 seeds to see how much of a difference is luck.",
        advanced=True,
    )
    device: Literal["auto", "cpu", "cuda", "mps"] = setting(
        "auto", "Device", "auto takes a free GPU when there is one, else the CPU.", advanced=True
    )
    strategy: str = setting(
        "single", "Strategy", "How the run is spread over processes and devices.", choices="strategies", advanced=True
    )
    keep_checkpoints: Annotated[int, Ge(1), Le(100)] = setting(
        2, "Checkpoints kept", "The newest ones kept beside the best; older ones are deleted.", advanced=True
    )

    @field_validator("strategy")
    @classmethod
    def _known(cls, value: str) -> str:
        return _one_of(value, STRATEGIES)

    @model_validator(mode="after")
    def _image_fits_backbone(self) -> Self:
        smallest = BACKBONES[self.model.backbone].smallest_px
        if self.data.image_size < smallest:
            raise ValueError(
                f"data.image_size = {self.data.image_size}: {self.model.backbone} needs images of {smallest} px or more"
            )
        return self

    @classmethod
    def parse(cls, values: object) -> "RunSpec":
        """A spec from plain values.

        Raises:
            Refused: With one `Problem` a bad field, naming the field, its value and what is allowed.
        """
        if not isinstance(values, dict):
            raise Refused([Problem("spec", values, "must be a mapping of field to value")])
        try:
            return cls.model_validate(values)
        except ValidationError as error:
            raise Refused([_problem(dict(line), values) for line in error.errors()]) from None

    @classmethod
    def from_yaml(cls, text: str) -> "RunSpec":
        """
        Raises:
            Refused: The text is not YAML, or a field is bad.
        """
        try:
            values = yaml.safe_load(text)
        except yaml.YAMLError as error:
            raise Refused([Problem("spec", "...", f"is not YAML: {' '.join(str(error).split())}")]) from None
        return cls.parse(values or {})

    def to_yaml(self, *, all_fields: bool = False) -> str:
        """YAML that `from_yaml` reads back to an equal spec: what differs from the defaults, or all fields."""
        values = self.model_dump(exclude_defaults=not all_fields)
        return yaml.safe_dump(values or {"epochs": self.epochs}, sort_keys=False, allow_unicode=True)


@dataclass(frozen=True, slots=True)
class Setting:
    """One leaf of a spec, as a form or the docs need it."""

    path: str  # "optimisation.learning_rate"
    label: str
    description: str
    type: type | None  # int, float, str
    default: Any
    unit: str
    choices: tuple[str, ...] | str | None  # allowed values; a str names a catalog table
    advanced: bool
    scale: str
    low: float | None
    high: float | None
    low_open: bool  # True: greater than `low`, not equal
    high_open: bool

    @property
    def allowed(self) -> str:
        """What is allowed, in words: "a number above 0 and at most 10"."""
        if isinstance(self.choices, tuple):
            return "one of " + ", ".join(self.choices)
        kind = {int: "a whole number", float: "a number"}.get(self.type or str, "text")
        bounds = []
        if self.low is not None:
            bounds.append(f"{'above' if self.low_open else 'at least'} {self.low:g}")
        if self.high is not None:
            bounds.append(f"{'below' if self.high_open else 'at most'} {_plain(self.high)}")
        if kind == "text":
            return "text" + (f" of at most {_plain(self.high)} characters" if self.high is not None else "")
        return " ".join([kind, " and ".join(bounds)]).strip()


def settings(part: type[Part] = RunSpec, prefix: str = "") -> Iterator[Setting]:
    """Every leaf field of a spec, in order, from the spec's own metadata."""
    for name, info in part.model_fields.items():
        if isinstance(info.annotation, type) and issubclass(info.annotation, Part):
            yield from settings(info.annotation, f"{prefix}{name}.")
        else:
            yield _setting(f"{prefix}{name}", info)


def _setting(path: str, info: FieldInfo) -> Setting:
    extra: dict[str, Any] = info.json_schema_extra if isinstance(info.json_schema_extra, dict) else {}
    literal = getattr(info.annotation, "__args__", None)
    low: Any = None
    high: Any = None
    low_open = high_open = False
    for rule in info.metadata:
        match rule:
            case Ge():
                low = rule.ge
            case Gt():
                low, low_open = rule.gt, True
            case Le():
                high = rule.le
            case Lt():
                high, high_open = rule.lt, True
            case MaxLen():
                high = rule.max_length
    return Setting(
        path=path,
        label=info.title or path,
        description=info.description or "",
        type=info.annotation if isinstance(info.annotation, type) else None,
        default=info.default,
        unit=extra.get("unit", ""),
        choices=tuple(map(str, literal)) if literal else extra.get("choices"),
        advanced=extra.get("advanced", False),
        scale=extra.get("scale", "linear"),
        low=low,
        high=high,
        low_open=low_open,
        high_open=high_open,
    )


def _one_of(value: str, table: dict[str, Any]) -> str:
    if value not in table:
        raise ValueError(f"must be one of {', '.join(table)}")
    return value


def _plain(number: object) -> str:
    return f"{number:,}" if isinstance(number, int) else f"{number:g}" if isinstance(number, float) else str(number)


def _problem(line: dict[str, Any], values: dict[str, Any]) -> Problem:
    path = ".".join(map(str, line["loc"]))
    known = {one.path: one for one in settings()}
    if line["type"] == "extra_forbidden":
        parent = path.rpartition(".")[0]
        names = [one.path for one in known.values() if one.path.rpartition(".")[0] == parent]
        tops = sorted({one.path.split(".")[0] for one in known.values()})
        return Problem(path, line["input"], f"no such field; allowed here: {', '.join(names if parent else tops)}")
    if not path:  # a rule over several fields names its own
        field, _, rest = str(line["ctx"]["error"]).partition(" = ")
        value, _, message = rest.partition(": ")
        return Problem(field, yaml.safe_load(value), message)
    if line["type"] in ("model_type", "model_attributes_type"):
        inside = [one.path for one in known.values() if one.path.startswith(f"{path}.")]
        return Problem(path, line["input"], f"must be a mapping with the fields {', '.join(inside)}")
    if path in known and line["type"] != "value_error":
        return Problem(path, line["input"], f"must be {known[path].allowed}")
    return Problem(path, line["input"], line["msg"].removeprefix("Value error, "))
