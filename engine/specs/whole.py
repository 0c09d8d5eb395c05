"""A whole spec, as people write it down: parsed from plain values or YAML, and back."""

from typing import Any, ClassVar, Self

from pydantic import ValidationError

from engine.errors import Problem, Refused
from engine.specs.setting import Part


class Whole(Part):
    noun: ClassVar[str] = "spec"  # what a problem of all of it is said of

    @classmethod
    def parse(cls, values: object) -> Self:
        """A spec from plain values.

        Raises:
            Refused: With one `Problem` a bad field, naming the field, its value and what is allowed.
        """
        if not isinstance(values, dict):
            raise Refused([Problem(cls.noun, values, "must be a mapping of field to value")])
        try:
            return cls.model_validate(values)
        except ValidationError as error:
            raise Refused([one for line in error.errors() for one in cls._problems(dict(line))]) from None

    @classmethod
    def from_yaml(cls, text: str) -> Self:
        """
        Raises:
            Refused: The text is not YAML, or a field is bad.
        """
        import yaml  # a training process reads JSON, and may run where there is no YAML

        try:
            values = yaml.safe_load(text)
        except yaml.YAMLError as error:
            raise Refused([Problem(cls.noun, "...", f"is not YAML: {' '.join(str(error).split())}")]) from None
        return cls.parse(values or {})

    def to_yaml(self, *, all_fields: bool = False) -> str:
        """YAML that `from_yaml` reads back to an equal spec: what differs from the defaults, or all fields."""
        import yaml

        return yaml.safe_dump(self._written(all_fields=all_fields), sort_keys=False, allow_unicode=True)

    @classmethod
    def _problems(cls, line: dict[str, Any]) -> list[Problem]:
        """One line of a pydantic error in our words."""
        raise NotImplementedError

    def _written(self, *, all_fields: bool) -> dict[str, Any]:
        return self.model_dump(mode="json", exclude_defaults=not all_fields)
