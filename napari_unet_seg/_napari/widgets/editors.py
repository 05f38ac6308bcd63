"""Editors of single values, all with `value()`, `setValue()` and `valueChanged`."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Literal, get_args, get_origin

from qtpy.QtCore import Qt, Signal
from qtpy.QtGui import QValidator
from qtpy.QtWidgets import (
    QAbstractSpinBox,
    QCheckBox,
    QComboBox,
    QDoubleSpinBox,
    QLineEdit,
    QSizePolicy,
    QSpinBox,
    QWidget,
)

if TYPE_CHECKING:
    from pydantic.fields import FieldInfo
    from qtpy.QtGui import QWheelEvent

_WORDS = {
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
    "strip": "Strip skull",
}
_INT_MAX = 2**31 - 1


def words(name: str) -> str:
    """A name from the code in plain words: `learning_rate` is "Learning rate"."""
    return _WORDS.get(name) or name.replace("_", " ").capitalize()


class _NoStrayWheel:
    """Scrolling the form over an editor must not change its value."""

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Leave the wheel to the scroll area."""
        event.ignore()


class IntEdit(_NoStrayWheel, QSpinBox):
    """A whole number."""

    def __init__(self, low: float, high: float, step: int) -> None:
        super().__init__()
        self.setRange(int(max(low, -_INT_MAX)), int(min(high, _INT_MAX)))
        self.setSingleStep(step)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)


class FloatEdit(_NoStrayWheel, QDoubleSpinBox):
    """A number shown as short as it can be, as 0.1 or 1e-05; steps follow its magnitude."""

    def __init__(self, low: float, high: float, unit: str = "") -> None:
        super().__init__()
        self.setDecimals(12)
        self.setRange(max(low, -1e12), min(high, 1e12))
        self.setSuffix(unit)
        self.setStepType(QAbstractSpinBox.StepType.AdaptiveDecimalStepType)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        # Wide enough for 0.00025, not for every digit that it could hold.
        self.setMinimumWidth(80)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def value(self) -> float:
        """The number as it is shown, without the dust of rounding."""
        return float(f"{super().value():.10g}")

    def textFromValue(self, value: float) -> str:
        """Show as many digits as it has."""
        return f"{value:.10g}"

    def valueFromText(self, text: str) -> float:
        """Read any notation of Python's."""
        return _number(self._bare(text)) or 0.0

    def validate(self, text: str, position: int) -> tuple[QValidator.State, str, int]:
        """Accept what is a number in range, and let others be typed to their end."""
        number = _number(self._bare(text))
        within = number is not None and self.minimum() <= number <= self.maximum()
        state = QValidator.State.Acceptable if within else QValidator.State.Intermediate
        return state, text, position

    def _bare(self, text: str) -> str:
        return text.removesuffix(self.suffix()).strip().replace(",", ".")


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


class BoolEdit(QCheckBox):
    """A switch."""

    valueChanged = Signal(bool)

    def __init__(self, text: str = "") -> None:
        super().__init__(text)
        self.toggled.connect(self.valueChanged)

    def value(self) -> bool:
        """Whether it is on."""
        return bool(self.isChecked())

    def setValue(self, value: bool) -> None:
        """Switch it."""
        self.setChecked(value)


class ChoiceEdit(_NoStrayWheel, QComboBox):
    """One of a few words."""

    valueChanged = Signal(object)

    def __init__(self, choices: tuple[Any, ...]) -> None:
        super().__init__()
        for choice in choices:
            self.addItem(words(str(choice)), choice)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMinimumContentsLength(8)
        self.currentIndexChanged.connect(lambda _: self.valueChanged.emit(self.value()))

    def value(self) -> Any:
        """The chosen one."""
        return self.currentData()

    def setValue(self, value: Any) -> None:
        """Choose one."""
        self.setCurrentIndex(self.findData(value))


class TextEdit(QLineEdit):
    """A line of text."""

    valueChanged = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self.textChanged.connect(self.valueChanged)

    def value(self) -> str:
        """The text."""
        return str(self.text())

    def setValue(self, value: str) -> None:
        """Show a text."""
        if value != self.text():
            self.setText(value)


class NumbersEdit(QLineEdit):
    """Numbers with commas between them; other text is left for the configuration to refuse."""

    valueChanged = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self.setPlaceholderText("1, 1, …")
        self.textChanged.connect(lambda: self.valueChanged.emit(self.value()))

    def value(self) -> Any:
        """The numbers as a tuple."""
        parts = [part.strip() for part in self.text().split(",") if part.strip()]
        numbers = [_number(part) for part in parts]
        return self.text() if None in numbers else tuple(numbers)

    def setValue(self, value: tuple[float, ...]) -> None:
        """Show numbers."""
        if value != self.value():
            self.setText(", ".join(f"{number:g}" for number in value))


def make_editor(field: FieldInfo) -> QWidget:
    """An editor for a field of a configuration that is not itself a configuration."""
    kind = field.annotation
    if get_origin(kind) is Literal:
        return ChoiceEdit(get_args(kind))
    if kind is bool:
        return BoolEdit()
    low, high, step = _limits(field)
    if kind is int:
        return IntEdit(low, high, step)
    if kind is float:
        unit = " °" if "degrees" in (field.description or "") else ""
        return FloatEdit(low, high, unit)
    if kind is str:
        return TextEdit()
    if kind == tuple[float, ...]:
        return NumbersEdit()
    raise TypeError(f"no editor for a field of type {kind}")


def _limits(field: FieldInfo) -> tuple[float, float, int]:
    low, high, step = -math.inf, math.inf, 1
    nudge = 1e-9 if field.annotation is float else 1
    for limit in field.metadata:
        low = max(low, getattr(limit, "ge", low), getattr(limit, "gt", low - nudge) + nudge)
        high = min(high, getattr(limit, "le", high), getattr(limit, "lt", high + nudge) - nudge)
        step = getattr(limit, "multiple_of", step)
    return low, high, step
