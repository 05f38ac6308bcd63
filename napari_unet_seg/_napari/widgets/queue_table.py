"""The list of slices, or of scans, with what the reviewer decided about each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QAbstractTableModel, QModelIndex, QSize, Qt, Signal
from qtpy.QtGui import QColor, QFont
from qtpy.QtWidgets import QAbstractItemView, QHeaderView, QTableView, QWidget

from napari_unet_seg._napari.widgets.lazy_icons import SIZE
from napari_unet_seg.session.review_queue import Queue, ReviewState

if TYPE_CHECKING:
    from collections.abc import Sequence

    from qtpy.QtGui import QResizeEvent

    from napari_unet_seg._napari.widgets.lazy_icons import LazyIcons

_MARKS = {
    ReviewState.TODO: "○",
    ReviewState.ACCEPTED: "✓",
    ReviewState.CORRECTED: "✎",
    ReviewState.SKIPPED: "–",
    ReviewState.FLAGGED: "⚑",
}
_COLOURS = {
    ReviewState.ACCEPTED: "#2f9a62",
    ReviewState.CORRECTED: "#3585c9",
    ReviewState.SKIPPED: "#a9801f",
    ReviewState.FLAGGED: "#d8593b",
}
_NAME, _DICE, _STATE = 1, 2, 3
"""Columns; the first holds the thumbnail."""
_DICE_TIP = (
    "Predicted Dice: how well the network thinks its mask fits; calibrated on validation data"
)


_ROW = SIZE + 4
"""Height of a row, with its thumbnail."""


class _QueueModel(QAbstractTableModel):
    """Rows of a queue; a view asks only for those it shows."""

    def __init__(self, noun: str, dice_tip: str, parent: QWidget) -> None:
        super().__init__(parent)
        self.queue = Queue()
        self.names: Sequence[str] = ()
        self.figures: Sequence[float | None] = ()
        self.words: Sequence[str] = ()
        """Of the states, where they say more than these."""
        self.strong: int | None = None
        """What is written in bold."""
        self.thumbnails: LazyIcons | None = None
        self._headers = ("", noun, "Dice", "State")
        self._dice_tip = dice_tip

    def rowCount(self, parent: QModelIndex | None = None) -> int:
        return 0 if parent is not None and parent.isValid() else len(self.queue.rows)

    def columnCount(self, parent: QModelIndex | None = None) -> int:
        return len(self._headers)

    def headerData(self, section: int, orientation: Any, role: int = 0) -> Any:
        if orientation != Qt.Orientation.Horizontal:
            return None
        if role == Qt.ItemDataRole.ToolTipRole and section == _DICE:
            return self._dice_tip
        return self._headers[section] if role == Qt.ItemDataRole.DisplayRole else None

    def data(self, index: QModelIndex, role: int = 0) -> Any:
        place = self.queue.rows[index.row()]
        state, column = self.queue.states[place], index.column()
        if role == Qt.ItemDataRole.DisplayRole:
            return self._text(place, column)
        if role == Qt.ItemDataRole.DecorationRole and not column:
            return self.thumbnails.icon(place) if self.thumbnails else None
        if role == Qt.ItemDataRole.ToolTipRole:
            return self._dice_tip if column == _DICE else self.names[place]
        if role == Qt.ItemDataRole.FontRole and place == self.strong:
            return _bold(self.parent().font())
        if role == Qt.ItemDataRole.ForegroundRole and state in _COLOURS:
            return QColor(_COLOURS[state])
        return None

    def show(self, queue: Queue, figures: Sequence[float | None]) -> None:
        """Show a queue of the same slices or scans."""
        same = queue.rows == self.queue.rows
        if not same:
            self.beginResetModel()
        self.queue, self.figures = queue, figures
        if not same:
            self.endResetModel()
        elif queue.rows:
            last = self.index(len(queue.rows) - 1, len(self._headers) - 1)
            self.dataChanged.emit(self.index(0, 0), last)

    def draw(self, place: int) -> None:
        """Show a new thumbnail."""
        row = self.queue.row_of(place)
        if row is not None:
            self.dataChanged.emit(self.index(row, 0), self.index(row, 0))

    def _text(self, place: int, column: int) -> str:
        if column == _NAME:
            return self.names[place]
        if column == _DICE:
            figure = self.figures[place]
            return "–" if figure is None else f"{figure:.2f}"
        if column != _STATE:
            return ""
        state = self.queue.states[place]
        return f"{_MARKS[state]} {self.words[place] if self.words else state}"


class SliceTable(QTableView):
    """The slices of a queue; a click goes to one.

    Parameters
    ----------
    noun : str
        What it lists, if not slices.
    dice_tip : str
        What the figures are.
    """

    chosen = Signal(int)
    """The slice that the user clicked on."""

    def __init__(
        self, parent: QWidget | None = None, noun: str = "Slice", dice_tip: str = _DICE_TIP
    ) -> None:
        super().__init__(parent)
        self.slices = _QueueModel(noun, dice_tip, self)
        self.setModel(self.slices)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setShowGrid(False)
        self.setIconSize(QSize(SIZE, SIZE))
        self.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        self.setWordWrap(False)  # else the end of a long name is cut, where slices differ
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setMinimumHeight(136)
        self.verticalHeader().hide()
        self.verticalHeader().setDefaultSectionSize(_ROW)
        header = self.horizontalHeader()
        header.setHighlightSections(False)
        for column, width in enumerate((_ROW + 4, None, 44, 96)):
            stretch = QHeaderView.ResizeMode.Stretch
            header.setSectionResizeMode(column, QHeaderView.ResizeMode.Fixed if width else stretch)
            if width:
                header.resizeSection(column, width)
        self.clicked.connect(lambda index: self.chosen.emit(self.slices.queue.rows[index.row()]))

    def show_slices(self, names: Sequence[str], thumbnails: LazyIcons | None = None) -> None:
        """List the slices of another session, none until `show_queue`."""
        self.slices.show(Queue(), ())
        self.slices.names, self.slices.thumbnails = names, thumbnails
        if thumbnails is not None:
            thumbnails.drawn.connect(self.slices.draw)

    def show_queue(self, queue: Queue, figures: Sequence[float | None], current: int) -> None:
        """Show slices in their order with their states and predicted Dice, one of them marked."""
        self.slices.show(queue, figures)
        self.go_to(current)

    def go_to(self, index: int) -> None:
        """Mark the slice that is on screen, if it is listed."""
        row = self.slices.queue.row_of(index)
        if row is None:
            self.clearSelection()
        else:
            self.selectRow(row)
            self.scrollTo(self.slices.index(row, 0))

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Keep the marked row in view where a note takes some of the room."""
        super().resizeEvent(event)
        for marked in self.selectionModel().selectedRows():
            self.scrollTo(marked)


def _bold(font: QFont) -> QFont:
    font = QFont(font)
    font.setBold(True)
    return font
