"""The popup that lists the scans of a folder."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import QPoint, Qt, Signal
from qtpy.QtWidgets import QFrame, QPushButton, QVBoxLayout, QWidget

from napari_unet_seg._napari.widgets.queue.bar import QueueBar, QueueTexts
from napari_unet_seg._napari.widgets.queue.table import QueueTable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from qtpy.QtGui import QKeyEvent

    from napari_unet_seg._napari.widgets.queue.lazy_icons import LazyIcons
    from napari_unet_seg.session.review_queue import Queue
    from napari_unet_seg.session.scan_review import ScanReview

_SCAN_TEXTS = QueueTexts(
    "scans/order",
    "%v of %m scans done",
    "How many of all scans have only accepted, corrected or skipped slices",
    "Which scans are listed; ◂ and ▸ go through these",
    "Worst first: sorted by predicted Dice, the mean over a scan's slices; scans without a "
    "predicted Dice come last",
    "No scan has a session with a predicted Dice yet, so worst first is the same as in order",
    "no scans",
)
_DICE_TIP = "Predicted Dice, the mean over the slices of a segmented scan"
_WIDTH, _ROWS = 420, 7
"""Minimum width in pixels, and number of rows that are visible without scrolling."""


class ScanTable(QueueTable):
    """The scans of a folder; a click or Enter opens a scan."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent, "Scan", _DICE_TIP)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setToolTip("A click or Enter saves the session and opens the scan")

    @property
    def selected_scan(self) -> int | None:
        """The scan of the selected row."""
        rows = self.selectionModel().selectedRows()
        return self.slices.queue.rows[rows[0].row()] if rows else None

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Open the scan of the selected row with Enter."""
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self.selected_scan is not None:
            self.chosen.emit(self.selected_scan)
        else:
            super().keyPressEvent(event)


class ScanList(QFrame):
    """The scans of a folder in a table, with progress, order and filter above it."""

    chosen = Signal(int)
    """Emitted with the index of the scan to open."""
    export_wanted = Signal()
    """The user wants the scans' sessions as a data set for nnU-Net."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent, Qt.WindowType.Popup)
        # A border for dark and light themes; napari draws no frame around a popup.
        self.setObjectName("scans")
        self.setStyleSheet("#scans { border: 1px solid rgba(128, 128, 128, 60%); }")
        self.bar = QueueBar(texts=_SCAN_TEXTS)
        self.table = ScanTable()
        self.export_button = QPushButton("Data set for nnU-Net…")
        self.export_button.setToolTip(
            "Write the accepted slices of all scans as nnU-Net reads them"
        )
        layout = QVBoxLayout(self)
        layout.setContentsMargins(6, 6, 6, 6)
        layout.setSpacing(6)
        layout.addWidget(self.bar)
        layout.addWidget(self.table, 1)
        layout.addWidget(self.export_button)
        self.setFocusProxy(self.table)
        self.table.chosen.connect(self._on_chosen)
        self.export_button.clicked.connect(self._on_export)

    def list_scans(self, names: Sequence[str], thumbnails: LazyIcons | None = None) -> None:
        """Take the names of another folder's scans; their rows appear with `show_queue`."""
        self.bar.show_all()
        self.table.show_slices(names, thumbnails)

    def show_queue(self, queue: Queue, reviews: Sequence[ScanReview], current: int | None) -> None:
        """Show the scans in their order, the open scan in bold."""
        scores = [review.dice for review in reviews]
        self.bar.show_scores(scores)
        self.bar.show_queue(queue)
        # A user who moves through the rows with the arrow keys keeps the selected row.
        selected_scan = self.table.selected_scan if self.isVisible() else None
        self.table.slices.state_texts = [review.text for review in reviews]
        self.table.slices.bold_item = current
        index = current if selected_scan is None else selected_scan
        if index is not None:
            self.table.show_queue(queue, scores, index)

    def show_under(self, widget: QWidget) -> None:
        """Open below a widget, at least as wide as the widget, within its window and screen."""
        height = self.table.verticalHeader().defaultSectionSize()
        rows = min(max(len(self.table.slices.names), 3), _ROWS)
        chrome = self.sizeHint().height() - self.table.sizeHint().height()
        head = self.table.horizontalHeader().sizeHint().height()
        self.resize(max(_WIDTH, widget.width()), chrome + head + rows * height + 4)
        screen = widget.screen().availableGeometry()
        corner = widget.mapToGlobal(QPoint(0, widget.height()))
        right = min(screen.right(), widget.window().geometry().right())
        left = min(corner.x(), right - self.width())
        top = min(corner.y(), screen.bottom() - self.height())
        self.move(max(left, screen.left()), max(top, screen.top()))
        self.show()
        self.table.setFocus()

    def set_busy(self, busy: bool) -> None:
        """Disable the table while a scan is being opened."""
        self.table.setEnabled(not busy)
        self.export_button.setEnabled(not busy)

    def _on_export(self) -> None:
        self.hide()
        self.export_wanted.emit()

    def _on_chosen(self, index: int) -> None:
        self.hide()
        self.chosen.emit(index)
