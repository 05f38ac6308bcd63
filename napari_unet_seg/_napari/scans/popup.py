"""The list of a folder's scans, as a popup."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import QPoint, Qt, Signal
from qtpy.QtWidgets import QFrame, QVBoxLayout, QWidget

from napari_unet_seg._napari.widgets.queue_bar import QueueBar, QueueTexts
from napari_unet_seg._napari.widgets.queue_table import QueueTable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from qtpy.QtGui import QKeyEvent

    from napari_unet_seg._napari.widgets.lazy_icons import LazyIcons
    from napari_unet_seg.session.review_queue import Queue
    from napari_unet_seg.session.scan_review import ScanReview

_SCAN_TEXTS = QueueTexts(
    "scans/order",
    "%v of %m scans done",
    "Scans whose slices are all accepted, corrected or skipped, of all",
    "Which scans are listed; ◂ and ▸ go to these",
    "Worst first: by predicted Dice, the mean over a scan's slices; scans without a figure come "
    "last",
    "No scan has a session with a predicted Dice yet, so that worst first is the same as in order",
    "no scans",
)
_DICE_TIP = "Predicted Dice, the mean over the slices; known once a scan was segmented"
_WIDTH, _ROWS = 420, 7
"""Least width in pixels, and rows that are seen at once."""


class ScanTable(QueueTable):
    """The scans of a folder; a click or Enter goes to one."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent, "Scan", _DICE_TIP)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setToolTip("A click or Enter saves the session and opens the scan")

    @property
    def marked(self) -> int | None:
        """The scan whose row is marked."""
        rows = self.selectionModel().selectedRows()
        return self.slices.queue.rows[rows[0].row()] if rows else None

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Choose the marked row by Enter."""
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self.marked is not None:
            self.chosen.emit(self.marked)
        else:
            super().keyPressEvent(event)


class ScanList(QFrame):
    """Progress, order and filter over the scans, and a row for each."""

    chosen = Signal(int)
    """The scan to go to."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent, Qt.WindowType.Popup)
        # Seen on dark and on light; napari draws no frame around a popup.
        self.setObjectName("scans")
        self.setStyleSheet("#scans { border: 1px solid rgba(128, 128, 128, 60%); }")
        self.bar = QueueBar(texts=_SCAN_TEXTS)
        self.table = ScanTable()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(6, 6, 6, 6)
        layout.setSpacing(6)
        layout.addWidget(self.bar)
        layout.addWidget(self.table, 1)
        self.setFocusProxy(self.table)
        self.table.chosen.connect(self._on_chosen)

    def list_scans(self, names: Sequence[str], thumbnails: LazyIcons | None = None) -> None:
        """List the scans of another folder, none until `show_queue`."""
        self.bar.show_all()
        self.table.show_slices(names, thumbnails)

    def show_queue(self, queue: Queue, reviews: Sequence[ScanReview], current: int | None) -> None:
        """Show the scans in their order; the one that is open is written in bold."""
        figures = [review.dice for review in reviews]
        self.bar.show_scores(figures)
        self.bar.show_queue(queue)
        # Who goes through the rows with the arrows is not sent back when one of them changes.
        marked = self.table.marked if self.isVisible() else None
        self.table.slices.state_texts = [review.words for review in reviews]
        self.table.slices.bold_item = current
        place = current if marked is None else marked
        if place is not None:
            self.table.show_queue(queue, figures, place)

    def show_under(self, widget: QWidget) -> None:
        """Open under a widget, as wide as that at least, on the screen that it is on."""
        height = self.table.verticalHeader().defaultSectionSize()
        rows = min(max(len(self.table.slices.names), 3), _ROWS)
        chrome = self.sizeHint().height() - self.table.sizeHint().height()
        head = self.table.horizontalHeader().sizeHint().height()
        self.resize(max(_WIDTH, widget.width()), chrome + head + rows * height + 4)
        screen = widget.screen().availableGeometry()
        corner = widget.mapToGlobal(QPoint(0, widget.height()))
        left = min(corner.x(), screen.right() - self.width())
        top = min(corner.y(), screen.bottom() - self.height())
        self.move(max(left, screen.left()), max(top, screen.top()))
        self.show()
        self.table.setFocus()

    def set_busy(self, busy: bool) -> None:
        """Let no scan be chosen while one is being opened."""
        self.table.setEnabled(not busy)

    def _on_chosen(self, place: int) -> None:
        self.hide()
        self.chosen.emit(place)
