"""Editors of single settings: magicgui widgets chosen by a setting's annotation and limits."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args, get_origin

from magicgui.widgets import FileEdit, LineEdit, create_widget
from qtpy.QtWidgets import QComboBox

from napari_unet_seg._napari.widgets.form.number_fields import FloatField, IntField, number_options
from napari_unet_seg._napari.widgets.scroll import pass_wheel_to_parent

if TYPE_CHECKING:
    from magicgui.widgets.bases import BaseValueWidget
    from pydantic.fields import FieldInfo

_NAMES = {
    "augment": "Augmentation",
    "model": "Network",
    "normalise": "Intensities",
    "dice_bce": "Dice + BCE with logits",
    "dice_ce": "Dice + cross-entropy",
    "cuda": "GPU (CUDA)",
    "mps": "GPU (Apple)",
    "cpu": "CPU",
    "relu": "ReLU",
    "leaky_relu": "Leaky ReLU",
    "bfloat16": "bfloat16",
    "float32": "float32",
    "rle": "RLE",
    "unet": "U-Net",
    "vnet": "V-Net",
    "prelu": "PReLU",
    "terms": "Further terms of the loss",
    "ema": "Weight average",
    "clip": "Gradient limit",
    "twins": "Keep near-copies together",
    "freeze": "Frozen levels",
    "keep_statistics": "Keep batch statistics",
    "invert": "Invert grey",
    "leave_out": "Leave out sequences",
    "strip": "Strip skull",
}


def display_name(name: str) -> str:
    """Return the text on screen of a setting or a choice: "Batch size" for `batch_size`."""
    return _NAMES.get(name) or name.replace("_", " ").capitalize()


class NamesField(LineEdit):
    """Names with commas between them."""

    def get_value(self) -> Any:
        """Return the names."""
        return tuple(part.strip() for part in super().get_value().split(",") if part.strip())

    def set_value(self, value: Any) -> None:
        """Show names."""
        super().set_value(", ".join(value))


class NumbersField(NamesField):
    """Numbers with commas between them; the configuration parses their texts."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.native.setPlaceholderText("1, 1, …")

    def set_value(self, value: Any) -> None:
        """Show numbers."""
        super().set_value([f"{number:g}" for number in value])


class PathField(FileEdit):
    """The path of a file as typed, relative or absolute; None while the line is empty."""

    def __init__(self, *, tooltip: str = "", **options: Any) -> None:
        super().__init__(**options)
        self.line_edit.tooltip = tooltip
        self.choose_btn.text = "…"
        self.choose_btn.tooltip = "Choose the file"

    def set_value(self, value: Any) -> None:
        """Show a path unchanged; magicgui's own method makes the path absolute."""
        self.line_edit.value = "" if value is None else str(value)


_WIDGETS: dict[Any, type[BaseValueWidget[Any]]] = {
    int: IntField,
    float: FloatField,
    tuple[str, ...]: NamesField,
    tuple[float, ...]: NumbersField,
    Path | None: PathField,
}
"""Widgets for annotations whose default widget in magicgui does not fit."""


def make_field(name: str, field: FieldInfo) -> BaseValueWidget[Any]:
    """Return an editor for a setting that is not itself a configuration.

    Parameters
    ----------
    name : str
        Name of the setting; also the object name of the Qt widget.
    field : FieldInfo
        Field of the configuration: its annotation decides the kind of editor, its limits the
        range, its docstring the tooltip.
    """
    kind: Any = field.annotation
    options: dict[str, Any] = {"tooltip": field.description or ""}
    if kind in _WIDGETS:
        options["widget_type"] = _WIDGETS[kind]
    if kind in (int, float):
        options |= number_options(field)
    if get_origin(kind) is Literal:
        options["choices"] = [(display_name(str(each)), each) for each in get_args(kind)]
    editor: Any = create_widget(annotation=kind, name=name, options=options)
    _prepare(editor.native, name)
    if kind is float and "degrees" in options["tooltip"]:
        editor.native.setSuffix(" °")
    return editor


def _prepare(native: Any, name: str) -> None:
    native.setObjectName(name)
    pass_wheel_to_parent(native)
    if isinstance(native, QComboBox):
        native.setMinimumContentsLength(8)
