"""Number fields for magicgui that can be typed into and show only the digits that count."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from magicgui.backends._qtpy.widgets import QBaseRangedWidget
from magicgui.widgets.bases import RangedWidget
from qtpy.QtGui import QValidator
from qtpy.QtWidgets import QDoubleSpinBox, QSizePolicy, QSpinBox

if TYPE_CHECKING:
    from pydantic.fields import FieldInfo

_INT_LIMIT = 2**31 - 1
_FLOAT_LIMIT = 1e12
_NUDGE = 1e-9
"""Distance of the nearest allowed number from a limit that is not itself allowed."""


class _NumberField(RangedWidget[Any]):
    """A field with a range, which replaces a number outside by the nearest limit."""

    def set_value(self, value: float) -> None:
        """Show a number, or the nearest number in range."""
        super().set_value(min(max(value, self.min), self.max))


class IntField(_NumberField):
    """A whole number in Qt's own spin box.

    magicgui's spin box corrects every digit as it is typed: with a minimum of 16, "320" becomes
    1620.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(**options | {"widget_type": _IntBackend})


class FloatField(_NumberField):
    """A number shown as 0.1 or 1e-05 and typed in any notation, with steps of its magnitude.

    magicgui's spin box has a fixed number of decimals: it shows 0.0001 as 0.00 and refuses 1e-4.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(**options | {"widget_type": _FloatBackend})


class FloatBox(QDoubleSpinBox):
    """Qt's spin box for a number, without its fixed number of decimals."""

    def __init__(self, parent: Any = None) -> None:
        super().__init__(parent)
        self.setDecimals(12)
        # Wide enough for 0.00025, not for all twelve decimals.
        self.setMinimumWidth(80)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def value(self) -> float:
        """Return the number as shown, without rounding errors."""
        return float(f"{super().value():.10g}")

    def textFromValue(self, value: float) -> str:
        """Return a number with as many digits as it has, at most ten."""
        return f"{value:.10g}"

    def valueFromText(self, text: str) -> float:
        """Return the number of a text in any notation of Python."""
        return parse_number(self._without_unit(text)) or 0.0

    def validate(self, text: str, position: int) -> tuple[QValidator.State, str, int]:
        """Accept a number in range, and let any other text be typed on."""
        number = parse_number(self._without_unit(text))
        within = number is not None and self.minimum() <= number <= self.maximum()
        state = QValidator.State.Acceptable if within else QValidator.State.Intermediate
        return state, text, position

    def _without_unit(self, text: str) -> str:
        return text.removesuffix(self.suffix()).strip().replace(",", ".")


class _IntBackend(QBaseRangedWidget):
    def __init__(self, **options: Any) -> None:
        super().__init__(QSpinBox, **options)


class _FloatBackend(QBaseRangedWidget):
    def __init__(self, **options: Any) -> None:
        super().__init__(FloatBox, **options)


def parse_number(text: str) -> float | None:
    """Return the number in a text; None if the text is not a number."""
    try:
        return float(text)
    except ValueError:
        return None


def number_options(field: FieldInfo) -> dict[str, Any]:
    """Return the limits and the step of a number field as magicgui's options.

    A float field has no fixed step: its step follows the magnitude of the number.
    """
    whole = field.annotation is int
    limit, nudge = (_INT_LIMIT, 1) if whole else (_FLOAT_LIMIT, _NUDGE)
    low, high, step = -limit, limit, 1
    for rule in field.metadata:
        low = max(low, getattr(rule, "ge", low), getattr(rule, "gt", low - nudge) + nudge)
        high = min(high, getattr(rule, "le", high), getattr(rule, "lt", high + nudge) - nudge)
        step = getattr(rule, "multiple_of", step)
    return {"min": low, "max": high, "step": step if whole else None}
