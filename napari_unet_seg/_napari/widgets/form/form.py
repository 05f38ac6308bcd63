"""Forms generated from configurations, so that no option is written twice."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from magicgui.widgets import CheckBox
from pydantic import BaseModel
from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QFormLayout, QGridLayout, QLabel, QVBoxLayout, QWidget
from superqt import QCollapsible

from napari_unet_seg._napari.widgets.form.fields import display_name, make_field
from napari_unet_seg.config import Config
from napari_unet_seg.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pydantic.fields import FieldInfo

C = TypeVar("C", bound=Config)

_SWITCHES = 3
"""Check boxes in a row."""


class Form(QWidget, Generic[C]):
    """An editor of one configuration.

    Parameters
    ----------
    model_class
        The configuration; its docstrings are the tooltips.
    include
        Names of the fields to show, in this order; all by default.
    more
        Names of fields to show in a section that is collapsed at first.
    """

    valueChanged = Signal(object)
    """The new configuration, after each edit that makes a valid one."""

    def __init__(
        self,
        model_class: type[C],
        *,
        include: Sequence[str] | None = None,
        more: Sequence[str] = (),
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._class = model_class
        self._value = model_class()
        self._editors: dict[str, Any] = {}
        # Forms of nested configurations, and magicgui's widgets of single values.
        self._showing = False
        names = include if include is not None else list(model_class.model_fields)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addLayout(self._rows([name for name in names if name not in more]))
        if more:
            layout.addWidget(self._folded(more))
        self._problem = QLabel()
        self._problem.setWordWrap(True)
        self._problem.setObjectName("problem")
        self._problem.setStyleSheet("color: #d9534f; font-weight: bold")
        self._problem.hide()
        layout.addWidget(self._problem)
        self.setValue(self._value)

    def value(self) -> C:
        """The configuration as edited.

        Raises
        ------
        ConfigError
            If two values contradict each other.
        """
        return self._value.replace(**self.changes())

    def changes(self) -> dict[str, Any]:
        """The values in the editors by field name, valid or not."""
        return {
            name: editor.changes() if isinstance(editor, Form) else editor.value
            for name, editor in self._editors.items()
        }

    def setValue(self, value: C) -> None:
        """Show a configuration."""
        changed = value != self._value
        self._value = value
        self._showing = True
        try:
            for name, editor in self._editors.items():
                if isinstance(editor, Form):
                    editor.setValue(getattr(value, name))
                else:
                    editor.value = getattr(value, name)
        finally:
            self._showing = False
        self._follow_switches()
        self._problem.hide()
        if changed:
            self.valueChanged.emit(value)

    def editor(self, name: str) -> Any:
        """The magicgui widget of a field; a nested field has a dotted name."""
        first, _, rest = name.partition(".")
        editor = self._editors[first]
        return editor.editor(rest) if rest else editor

    def _rows(self, names: Sequence[str]) -> QFormLayout:
        layout = QFormLayout()
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setVerticalSpacing(4)
        layout.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        layout.setLabelAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        switches: QGridLayout | None = None
        waiting = list(names)
        while waiting:
            name = waiting.pop(0)
            field = self._class.model_fields[name]
            editor = self._make(name, field)
            if isinstance(editor, Form):
                layout.addRow(_heading(name, field))
                layout.addRow(editor)
            elif not isinstance(editor, CheckBox):
                layout.addRow(_label(display_name(name), field), editor.native)
            elif waiting and _is_amount(name, waiting[0]):
                amount = waiting.pop(0)
                editor.text = f"{display_name(name)} up to"
                amount_editor = self._make(amount, self._class.model_fields[amount])
                layout.addRow(editor.native, amount_editor.native)
            else:
                editor.text = display_name(name)
                if switches is None:
                    switches = QGridLayout()
                    layout.addRow(switches)
                count = switches.count()
                switches.addWidget(editor.native, count // _SWITCHES, count % _SWITCHES)
                continue
            switches = None
        return layout

    def _make(self, name: str, field: FieldInfo) -> Any:
        kind = field.annotation
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            editor: Any = Form(kind)
            editor.setObjectName(name)
            editor.valueChanged.connect(self._on_edited)
        else:
            editor = make_field(name, field)
            editor.changed.connect(self._on_edited)
        self._editors[name] = editor
        return editor

    def _folded(self, names: Sequence[str]) -> QCollapsible:
        inside = QWidget()
        inside.setLayout(self._rows(names))
        fold = QCollapsible("More settings", expandedIcon="▾", collapsedIcon="▸")
        fold.setDuration(0)
        fold.toggleButton().setToolTip("Show or hide settings that rarely need a change")
        fold.addWidget(inside)
        return fold

    def _on_edited(self) -> None:
        if self._showing:
            return
        self._follow_switches()
        try:
            value = self.value()
        except ConfigError as error:
            self._problem.setText(str(error))
            self._problem.show()
            return
        self._problem.hide()
        self._value = value
        self.valueChanged.emit(value)

    def _follow_switches(self) -> None:
        names = list(self._editors)
        for switch, amount in pairwise(names):
            editor = self._editors[switch]
            if isinstance(editor, CheckBox) and _is_amount(switch, amount):
                self._editors[amount].enabled = editor.value


def _is_amount(switch: str, name: str) -> bool:
    """Whether a field is the amount of what a switch turns on: translation of translate."""
    return name.startswith(switch[:-1]) and name != switch


def _label(text: str, field: FieldInfo) -> QLabel:
    label = QLabel(text)
    label.setToolTip(field.description or "")
    return label


def _heading(name: str, field: FieldInfo) -> QLabel:
    label = _label(f"<b>{display_name(name)}</b>", field)
    label.setContentsMargins(0, 6, 0, 0)
    return label
