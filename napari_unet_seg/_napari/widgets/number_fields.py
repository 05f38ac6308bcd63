"""Number fields for magicgui that can be typed into, and that show a number as short as it is."""

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
"""How far the nearest number stays from a limit that does not itself belong to the range."""


class _NumberField(RangedWidget[Any]):
    """A ranged field that takes the nearest number that its box can hold."""

    def set_value(self, value: float) -> None:
        """Show a number, or the nearest one in range."""
        super().set_value(min(max(value, self.min), self.max))


class IntField(_NumberField):
    """A whole number in Qt's own box.

    magicgui's box corrects every digit as it is typed: where 16 is the least, "320" becomes 1620.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(**options | {"widget_type": _IntBackend})


class FloatField(_NumberField):
    """A number shown as 0.1 or 1e-05, and typed in any notation; its steps follow its magnitude.

    magicgui's box has a fixed number of decimals: it shows 0.0001 as 0.00, and takes no 1e-4.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(**options | {"widget_type": _FloatBackend})


class FloatBox(QDoubleSpinBox):
    """Qt's box for a number, without its fixed number of decimals."""

    def __init__(self, parent: Any = None) -> None:
        super().__init__(parent)
        self.setDecimals(12)
        # Wide enough for 0.00025, not for every digit that it could hold.
        self.setMinimumWidth(80)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def value(self) -> float:
        """Return the number as it is shown, without the dust of rounding."""
        return float(f"{super().value():.10g}")

    def textFromValue(self, value: float) -> str:
        """Show as many digits as the number has."""
        return f"{value:.10g}"

    def valueFromText(self, text: str) -> float:
        """Read any notation of Python's."""
        return parse_number(self._without_unit(text)) or 0.0

    def validate(self, text: str, position: int) -> tuple[QValidator.State, str, int]:
        """Accept a number in range, and let anything else be typed to its end."""
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
    """Return the number that a text stands for, None if it is none."""
    try:
        return float(text)
    except ValueError:
        return None


def number_options(field: FieldInfo) -> dict[str, Any]:
    """Return the limits and the step of a number field as magicgui's options.

    A field of floats has no step of its own: it follows the magnitude.
    """
    whole = field.annotation is int
    limit, nudge = (_INT_LIMIT, 1) if whole else (_FLOAT_LIMIT, _NUDGE)
    low, high, step = -limit, limit, 1
    for rule in field.metadata:
        low = max(low, getattr(rule, "ge", low), getattr(rule, "gt", low - nudge) + nudge)
        high = min(high, getattr(rule, "le", high), getattr(rule, "lt", high + nudge) - nudge)
        step = getattr(rule, "multiple_of", step)
    return {"min": low, "max": high, "step": step if whole else None}
