"""Base class of the configurations."""

from __future__ import annotations

import json
import warnings
from pathlib import Path
from typing import Any, Literal, Self

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from napari_unet_seg.config._version import is_newer
from napari_unet_seg.errors import ConfigError, NewerVersionWarning

IGNORE_INDEX = 255
"""Label value of pixels that nobody has reviewed; losses and metrics leave them out."""

Device = Literal["auto", "cpu", "cuda", "mps"]
Precision = Literal["auto", "float32", "bfloat16"]

_VERSION = 1
"""Of the layout of files of settings."""
_LARGEST = 2**16
"""Size of a file of settings in bytes, fifty times that of all settings."""


def _text(path: Path) -> str:
    # A parser of YAML takes seconds for thousands of nested lists.
    size = path.stat().st_size
    if size > _LARGEST:
        raise ValueError(f"it has {size} bytes, and settings have at most {_LARGEST}")
    return path.read_text(encoding="utf-8")


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
        return cls.validated(values, source)

    @classmethod
    def validated(
        cls, values: Any, source: str, extra: Literal["forbid", "allow"] = "forbid"
    ) -> Self:
        """Validate `values`, in which unknown keys are a mistake or kept aside."""
        try:
            return cls.model_validate(values, extra=extra)
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

        Unknown settings of a file of a newer minor version are left out, with a warning.

        Raises
        ------
        ConfigError
            If the file cannot be read or holds an unknown or unusable value; as
            `NewerVersionError` if it is of a newer major version.
        """
        path = Path(path)
        if path.exists() and not (path.is_file() or path.is_dir()):
            raise ConfigError(f"{path} is a pipe or a device; choose a YAML or JSON file.")
        try:
            values = yaml.safe_load(_text(path))
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
        values = values or {}
        if not isinstance(values, dict) or "format" not in values:
            return cls.parse(values, str(path))
        newer = is_newer(values.pop("format"), _VERSION, str(path))
        read = cls.validated(values, str(path), "allow" if newer else "forbid")
        if left_out := _unknown(read):
            warnings.warn(
                f"{path} was written by a newer version; its settings {', '.join(left_out)} are "
                "left out, update napari-unet-seg to use them.",
                NewerVersionWarning,
                stacklevel=2,
            )
        return read

    def content(self) -> dict[str, Any]:
        """Return what to write into a file."""
        return {"format": _VERSION, **self.model_dump(mode="json")}

    def to_file(self, path: Path | str) -> None:
        """Write YAML, or JSON where the name ends with `.json`."""
        path = Path(path)
        values = self.content()
        if path.suffix == ".json":
            text = json.dumps(values, indent=2) + "\n"
        else:
            text = yaml.safe_dump(values, sort_keys=False)
        path.write_text(text, encoding="utf-8")


def _unknown(config: Config, place: str = "") -> list[str]:
    """Name the unknown keys of a configuration and of the parts of it."""
    parts = [(name, value) for name, value in config if isinstance(value, Config)]
    inner = [key for name, value in parts for key in _unknown(value, f"{place}{name}.")]
    return [f"{place}{key}" for key in config.model_extra or ()] + inner
