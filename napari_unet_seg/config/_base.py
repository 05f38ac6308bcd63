"""Base class of the configurations."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Literal, Self

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from napari_unet_seg.errors import ConfigError

IGNORE_INDEX = 255
"""Label value of pixels that nobody has reviewed; losses and metrics leave them out."""

Device = Literal["auto", "cpu", "cuda", "mps"]
Precision = Literal["auto", "float32", "bfloat16"]


class Config(BaseModel):
    """Base class of the configurations, which are frozen and refuse unknown keys."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    def replace(self, **changes: Any) -> Self:
        """Return a validated copy with some fields changed.

        Raises
        ------
        ConfigError
            If a changed value is not allowed.
        """
        return type(self).parse({**self.model_dump(), **changes}, "the settings")

    @classmethod
    def parse(cls, values: Any, source: str) -> Self:
        """Validate `values`; `source` names where they came from in the error message."""
        try:
            return cls.model_validate(values)
        except ValidationError as error:
            first = error.errors()[0]
            key = "".join(f"{part}." for part in first["loc"]).rstrip(".")
            unknown = first["type"] == "extra_forbidden"
            problem = (
                "there is no such setting; correct or remove it"
                if unknown
                else first["msg"].removeprefix("Value error, ")
            )
            raise ConfigError(f"{source}: {f'{key}: ' if key else ''}{problem}.") from error

    @classmethod
    def from_file(cls, path: Path | str) -> Self:
        """Read a YAML or JSON file.

        Raises
        ------
        ConfigError
            If the file cannot be read or holds an unknown or unusable value.
        """
        path = Path(path)
        try:
            values = yaml.safe_load(path.read_text(encoding="utf-8"))
        except OSError as error:
            raise ConfigError(
                f"{path} cannot be read ({error.strerror}); check its name and its permissions."
            ) from error
        except (ValueError, RecursionError, yaml.YAMLError) as error:
            reason = " ".join(str(error).split())[:200]
            raise ConfigError(
                f"{path} cannot be read as YAML or JSON ({reason}); correct "
                "it there or choose another file."
            ) from error
        return cls.parse(values or {}, str(path))

    def to_file(self, path: Path | str) -> None:
        """Write YAML, or JSON where the name ends with `.json`."""
        path = Path(path)
        values = self.model_dump(mode="json")
        if path.suffix == ".json":
            text = json.dumps(values, indent=2) + "\n"
        else:
            text = yaml.safe_dump(values, sort_keys=False)
        path.write_text(text, encoding="utf-8")
