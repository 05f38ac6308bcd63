"""Settings of the program, derived from the configuration classes."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING, Any, TypeVar

import yaml

from napari_unet_seg.config import PRESETS, Config, TrainConfig
from napari_unet_seg.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

C = TypeVar("C", bound=Config)


def preset(name: str) -> TrainConfig:
    """Return the training configuration of a preset.

    Raises
    ------
    ConfigError
        If there is no preset of this name.
    """
    if name not in PRESETS:
        raise ConfigError(f"There is no preset {name}; choose one of {', '.join(PRESETS)}.")
    return PRESETS[name]


def settings(
    base: C, file: Path | None, changes: Sequence[str], named: Mapping[str, Any] | None = None
) -> C:
    """Change a configuration by a file, then by `key=value`, then by options with own names.

    Parameters
    ----------
    base : Config
        The configuration to change.
    file : Path, optional
        YAML or JSON; keys that are not in the file keep their value.
    changes : sequence of str
        `key=value`, with dots between nested keys: `model.width=32`.
    named : mapping, optional
        Values by key; None leaves the value as it is.

    Raises
    ------
    ConfigError
        If a key does not exist or a value is not allowed.
    """
    kind = type(base)
    values: dict[str, Any] = base.model_dump()
    if file is not None:
        # Read through the model first, so that an error names the file.
        given = kind.from_file(file).model_dump(exclude_unset=True)
        values = _merged(values, given)
    for change in changes:
        key, value = _split(kind, change)
        values = _merged(values, _nested(key, value))
    source = f"{file} with the options given" if file else "The options given"
    values |= {key: value for key, value in (named or {}).items() if value is not None}
    return kind.parse(values, source)


def _split(kind: type[Config], change: str) -> tuple[str, Any]:
    key, equals, text = change.partition("=")
    keys = dict(_keys(kind))
    if key not in keys:
        close = difflib.get_close_matches(key, keys, 1)
        remedy = f"did you mean {close[0]}?" if close else "see --help for the keys."
        raise ConfigError(f"--set {change}: there is no setting {key}; {remedy}")
    if not equals:
        raise ConfigError(f"--set {change}: the value is missing; write --set {key}=VALUE.")
    try:
        return key, yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ConfigError(f"--set {change}: the value cannot be read; put it in quotes.") from error


def _nested(key: str, value: Any) -> dict[str, Any]:
    for part in reversed(key.split(".")):
        value = {part: value}
    return dict(value)


def _merged(base: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(base)
    for key, value in changes.items():
        old = merged.get(key)
        both = isinstance(old, dict) and isinstance(value, dict)
        merged[key] = _merged(old, value) if both else value  # type: ignore[arg-type]
    return merged


def _keys(kind: type[Config], before: str = "") -> list[tuple[str, str]]:
    """List every key with its description and default."""
    keys: list[tuple[str, str]] = []
    for name, info in kind.model_fields.items():
        if isinstance(info.annotation, type) and issubclass(info.annotation, Config):
            keys += _keys(info.annotation, f"{before}{name}.")
        else:
            keys.append((before + name, f"{info.description} [{info.default!r}]"))
    return keys


def settings_help(kind: type[Config]) -> str:
    """Return the list of the keys of `--set`, for the end of `--help`."""
    keys = _keys(kind)
    lines = "\n".join(f"  {key}: {text}" for key, text in keys)
    return f"\b\nKeys of --set and of the file for --config, with their defaults:\n{lines}"
