"""Every control of every dock widget says what it does."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from npe2 import PluginManifest
from qtpy.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QAbstractSpinBox,
    QComboBox,
    QLineEdit,
    QSlider,
    QTabBar,
    QWidget,
)

import napari_unet_seg

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

CONTROLS = (QAbstractButton, QComboBox, QAbstractSpinBox, QLineEdit, QSlider)
OF_PARTS = (QAbstractSpinBox, QComboBox, QTabBar, QAbstractItemView)
"""Widgets of Qt that are made of others: a line to type in, buttons to scroll, a corner."""


def dock_widgets() -> dict[str, str]:
    """Return where the classes of the manifest's dock widgets are, by what they are called."""
    manifest = PluginManifest.from_file(Path(napari_unet_seg.__file__).with_name("napari.yaml"))
    python_names = {c.id: c.python_name for c in manifest.contributions.commands or ()}
    widgets = manifest.contributions.widgets or ()
    return {widget.display_name: str(python_names[widget.command]) for widget in widgets}


def controls(widget: QWidget) -> Iterator[QWidget]:
    """Yield all that a user can press, choose or type into, whether it is shown now or not."""
    for control in widget.findChildren(QWidget):
        if isinstance(control, CONTROLS) and not isinstance(control.parent(), OF_PARTS):
            yield control


def called(control: Any) -> str:
    """Name a control, so that one finds it."""
    text = control.text() if hasattr(control, "text") else control.objectName()
    around = type(control.parent()).__name__
    return f"{type(control).__name__} “{text or control.objectName()}” in {around}"


@pytest.mark.parametrize("title", dock_widgets())
def test_every_control_has_a_tooltip(dock: Callable[[type], QWidget], title: str) -> None:
    module, _, name = dock_widgets()[title].partition(":")
    widget = dock(getattr(import_module(module), name))
    found = [*controls(widget)]
    assert len(found) > (1 if title == "Report" else 5)
    silent = [called(control) for control in found if not control.toolTip()]
    assert not silent, "\n".join(silent)
