"""Scroll areas that let dock widgets fit low screens."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import QEvent, QObject, QPoint, Qt, QTimer
from qtpy.QtWidgets import QFrame, QScrollArea, QStyle, QVBoxLayout, QWidget

from napari_unet_seg._napari.widgets.windows import ancestor

if TYPE_CHECKING:
    from collections.abc import Callable

_CHANGES_SIZE = (
    QEvent.Type.LayoutRequest,
    QEvent.Type.Polish,
    QEvent.Type.StyleChange,
    QEvent.Type.Show,
)
_LAYOUT_MS = 30
"""Time until all layouts, one within the other, know the height of a text that wraps."""
_LATEST_MS = 1000
"""Time in which a content that is resized is scrolled again, as that of a tab that just opened."""
_MARGIN = 4
"""Pixels that are seen above and below what is brought into view."""


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
        self._wanted: QWidget | None = None
        self._laid_out = self._timer(_LAYOUT_MS, self._show_wanted)
        self._forgotten = self._timer(_LATEST_MS, self._forget)
        self.verticalScrollBar().actionTriggered.connect(self._forget)  # the user scrolls
        self.setWidget(content)

    def bring_into_view(self, widget: QWidget) -> None:
        """Scroll so far that a widget of the content is seen, once the content is laid out."""
        self._wanted = widget
        self._laid_out.start()
        self._forgotten.start()

    def eventFilter(self, watched: QObject | None, event: QEvent | None) -> bool:
        content = self.widget()
        if content is not None and event is not None and event.type() in _CHANGES_SIZE:
            bar = self.style().pixelMetric(QStyle.PixelMetric.PM_ScrollBarExtent)
            self.setMinimumWidth(content.minimumSizeHint().width() + bar)
        resized = event is not None and event.type() == QEvent.Type.Resize
        if resized and watched is content and self._wanted is not None:
            self._laid_out.start()
        return bool(super().eventFilter(watched, event))

    def _show_wanted(self) -> None:
        wanted, content = self._wanted, self.widget()
        if wanted is not None and content is not None and wanted.isVisible():
            self.ensureWidgetVisible(wanted, 0, _MARGIN)
            bar, top = self.verticalScrollBar(), wanted.mapTo(content, QPoint()).y()
            bar.setValue(min(bar.value(), top - _MARGIN))  # of what is too high, its begin

    def _forget(self, _: int = 0) -> None:
        self._wanted = None

    def _timer(self, milliseconds: int, act: Callable[[], None]) -> QTimer:
        timer = QTimer(self)
        timer.setSingleShot(True)
        timer.setInterval(milliseconds)
        timer.timeout.connect(act)
        return timer


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


def bring_into_view(widget: QWidget) -> None:
    """Show what answers a press, or has appeared, to who has scrolled past its place."""
    column = ancestor(widget, ScrollColumn)
    if column is not None:
        column.bring_into_view(widget)


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
