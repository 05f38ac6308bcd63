"""Scroll areas that let dock widgets fit low screens."""

from __future__ import annotations

from qtpy.QtCore import QEvent, QObject, Qt
from qtpy.QtWidgets import QFrame, QScrollArea, QStyle, QVBoxLayout, QWidget

_CHANGES_SIZE = (
    QEvent.Type.LayoutRequest,
    QEvent.Type.Polish,
    QEvent.Type.StyleChange,
    QEvent.Type.Show,
)


class ScrollColumn(QScrollArea):
    """A vertical scroll area that is never narrower than its content.

    The content may get its style, and with it another width, after the area was made.
    """

    def __init__(self, content: QWidget, minimum_height: int = 0) -> None:
        super().__init__()
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setMinimumHeight(minimum_height)
        self.setWidgetResizable(True)
        self.setWidget(content)

    def eventFilter(self, watched: QObject | None, event: QEvent | None) -> bool:
        content = self.widget()
        if content is not None and event is not None and event.type() in _CHANGES_SIZE:
            bar = self.style().pixelMetric(QStyle.PixelMetric.PM_ScrollBarExtent)
            self.setMinimumWidth(content.minimumSizeHint().width() + bar)
        return bool(super().eventFilter(watched, event))


def fill_with_scroll_column(widget: QWidget, content: QWidget, minimum_height: int) -> None:
    """Put all of a widget's content into a scroll area.

    Parameters
    ----------
    widget, content
        The dock widget, and the content that it shows.
    minimum_height
        Height in pixels below which the dock widget does not shrink.
    """
    layout = QVBoxLayout(widget)
    layout.setContentsMargins(0, 0, 0, 0)
    layout.addWidget(ScrollColumn(content, minimum_height))


class _WheelGuard(QObject):
    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Refuse a wheel event, so that Qt passes it to the parent."""
        if event.type() != QEvent.Type.Wheel:
            return False
        event.ignore()
        return True


def pass_wheel_to_parent(editor: QWidget) -> None:
    """Make the wheel scroll the area around an editor; the editor's value and focus stay."""
    editor.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
    editor.installEventFilter(_WheelGuard(editor))
