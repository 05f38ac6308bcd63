"""Settings that the widgets keep between two starts of napari."""

from __future__ import annotations

import json
from typing import Any

from qtpy.QtCore import QSettings

_NAME = "napari-unet-seg"

DATASET = "train/folder"
"""Key for the folder of the data set last written or trained on."""

COCO_OPTIONS = "coco/options"
"""Key for the options with which masks are written as COCO."""


def recall(key: str, default: Any = None) -> Any:
    """Return the value of a key; the default if it has none."""
    return _value(_settings(), key, default)


def recall_all(group: str) -> dict[str, Any]:
    """Return the values of all keys that start with a group's name and a slash."""
    settings = _settings()
    settings.beginGroup(group)
    return {key: _value(settings, key, None) for key in settings.childKeys()}


def _value(settings: QSettings, key: str, default: Any) -> Any:
    text = settings.value(key)
    if not isinstance(text, str):
        return default
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        # Written by another version or by hand; a lost setting is no more than an inconvenience.
        return default


def remember(key: str, value: Any) -> None:
    """Keep a value that JSON can hold under a key."""
    _settings().setValue(key, json.dumps(value))


def forget(key: str) -> None:
    """Remove the value of a key."""
    _settings().remove(key)


def _settings() -> QSettings:
    return QSettings(QSettings.Format.IniFormat, QSettings.Scope.UserScope, _NAME, _NAME)
