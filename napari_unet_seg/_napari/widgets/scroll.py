"""Dock widgets that fit low screens."""

from __future__ import annotations

from qtpy.QtCore import QEvent, QObject, Qt
from qtpy.QtWidgets import QFrame, QScrollArea, QStyle, QVBoxLayout, QWidget

_CHANGES_SIZE = (
    QEvent.Type.LayoutRequest,
    QEvent.Type.Polish,
    QEvent.Type.StyleChange,
    QEvent.Type.Show,
)


class Column(QScrollArea):
    """Scrolls up and down; never narrower than what it holds, whose style may come later."""

    def __init__(self, content: QWidget, lowest: int = 0) -> None:
        super().__init__()
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setMinimumHeight(lowest)
        self.setWidgetResizable(True)
        self.setWidget(content)

    def eventFilter(self, watched: QObject | None, event: QEvent | None) -> bool:
        content = self.widget()
        if content is not None and event is not None and event.type() in _CHANGES_SIZE:
            bar = self.style().pixelMetric(QStyle.PixelMetric.PM_ScrollBarExtent)
            self.setMinimumWidth(content.minimumSizeHint().width() + bar)
        return bool(super().eventFilter(watched, event))


def fill_scrolling(widget: QWidget, content: QWidget, lowest: int) -> None:
    """Put all of a widget's content into a scroll area.

    Parameters
    ----------
    widget, content
        The dock widget, and what it shows.
    lowest
        Height in pixels below which it does not shrink.
    """
    layout = QVBoxLayout(widget)
    layout.setContentsMargins(0, 0, 0, 0)
    layout.addWidget(Column(content, lowest))


class _WheelGuard(QObject):
    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Refuse the wheel, so that Qt offers it to the parent."""
        if event.type() != QEvent.Type.Wheel:
            return False
        event.ignore()
        return True


def leave_wheel_to_parent(editor: QWidget) -> None:
    """Let the wheel scroll what is around an editor, which neither changes nor takes the focus."""
    editor.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
    editor.installEventFilter(_WheelGuard(editor))
