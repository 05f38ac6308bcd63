"""A table of slices or scans with their review states."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from qtpy.QtCore import QAbstractTableModel, QModelIndex, QSize, Qt, Signal
from qtpy.QtGui import QColor, QFont
from qtpy.QtWidgets import (
    QAbstractItemView,
    QApplication,
    QHeaderView,
    QTableView,
    QWidget,
)

from napari_unet_seg._napari.widgets.queue.lazy_icons import SIZE
from napari_unet_seg.session.review_queue import Queue, ReviewState

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from qtpy.QtGui import QResizeEvent

    from napari_unet_seg._napari.widgets.queue.lazy_icons import LazyIcons

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
"""Columns; column 0 holds the thumbnail."""
_DICE_TIP = (
    "Predicted Dice: the network's estimate of how well its mask fits, calibrated on validation "
    "data, and in a volume how well it agrees with the slices beside; – where it is not known"
)


_ROW = SIZE + 4
"""Height of a row with its thumbnail, in pixels."""
_MIN_HEIGHT = 28 + _ROW
"""Height of the header and a row: a higher one makes low windows grow, and they stay so."""


class RowNote(NamedTuple):
    """What a row that is to do shows as its state."""

    mark: str
    text: str
    tip: str
    italic: bool = False
    """Whether the row is told from others by its letters; no grey is readable in each theme."""


def _no_note(_: int) -> RowNote | None:
    return None


class _QueueModel(QAbstractTableModel):
    """The rows of a queue; a view requests only the rows that it shows."""

    def __init__(self, noun: str, dice_tip: str, parent: QWidget) -> None:
        super().__init__(parent)
        self.queue = Queue()
        self.names: Sequence[str] = ()
        self.scores: Sequence[float | None] = ()
        self.state_texts: Sequence[str] = ()
        """Texts of the states column by slice or scan; the names of the states if empty."""
        self.note_of: Callable[[int], RowNote | None] = _no_note
        """Returns the note of a slice or scan that is to do, None for none."""
        self.bold_item: int | None = None
        """The slice or scan that is written in bold."""
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
        item = self.queue.rows[index.row()]
        state, column = self.queue.states[item], index.column()
        if role == Qt.ItemDataRole.DisplayRole:
            return self._text(item, column)
        if role == Qt.ItemDataRole.DecorationRole and not column:
            return self.thumbnails.icon(item) if self.thumbnails else None
        if role == Qt.ItemDataRole.ToolTipRole:
            return self._tip(item, column)
        if role == Qt.ItemDataRole.FontRole:
            return self._font(item)
        if role == Qt.ItemDataRole.ForegroundRole and (colour := _COLOURS.get(state)):
            return QColor(colour)
        return None

    def show(self, queue: Queue, scores: Sequence[float | None]) -> None:
        """Show another state or order of the same slices or scans."""
        same = queue.rows == self.queue.rows
        if not same:
            self.beginResetModel()
        self.queue, self.scores = queue, scores
        if not same:
            self.endResetModel()
        elif queue.rows:
            last = self.index(len(queue.rows) - 1, len(self._headers) - 1)
            self.dataChanged.emit(self.index(0, 0), last)

    def draw(self, item: int) -> None:
        """Show the new thumbnail of a slice or scan."""
        row = self.queue.row_of(item)
        if row is not None:
            self.dataChanged.emit(self.index(row, 0), self.index(row, 0))

    def _note(self, item: int) -> RowNote | None:
        return self.note_of(item) if self.queue.states[item] is ReviewState.TODO else None

    def _font(self, item: int) -> QFont:
        note, font = self._note(item), QFont(self.parent().font())
        font.setBold(item == self.bold_item)
        font.setItalic(note is not None and note.italic)
        return font

    def _tip(self, item: int, column: int) -> str:
        note = self._note(item) if column == _STATE else None
        if note:
            return note.tip
        return self._dice_tip if column == _DICE else self.names[item]

    def _text(self, item: int, column: int) -> str:
        if column == _NAME:
            return self.names[item]
        if column == _DICE:
            score = self.scores[item]
            return "–" if score is None else f"{score:.2f}"
        if column != _STATE:
            return ""
        state, note = self.queue.states[item], self._note(item)
        if note:
            return f"{note.mark} {note.text}"
        return f"{_MARKS[state]} {self.state_texts[item] if self.state_texts else state}"


class QueueTable(QTableView):
    """The slices or scans of a review queue; a click chooses a row.

    If several rows can be selected, a click with Ctrl or Shift, or a drag, selects more of them
    and chooses none.

    Parameters
    ----------
    noun : str
        Header of the column of names.
    dice_tip : str
        Tooltip of the column of scores.
    several : bool
        Whether several rows can be selected.
    """

    chosen = Signal(int)
    """The index of the slice or scan that the user clicked on."""

    def __init__(
        self,
        parent: QWidget | None = None,
        noun: str = "Slice",
        dice_tip: str = _DICE_TIP,
        *,
        several: bool = False,
    ) -> None:
        super().__init__(parent)
        self.slices = _QueueModel(noun, dice_tip, self)
        self.setModel(self.slices)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        modes = QAbstractItemView.SelectionMode
        self.setSelectionMode(modes.ExtendedSelection if several else modes.SingleSelection)
        self.setShowGrid(False)
        self.setIconSize(QSize(SIZE, SIZE))
        self.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        self.setWordWrap(False)  # otherwise the end of a long name is cut, where slices differ
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setMinimumHeight(_MIN_HEIGHT)
        self.verticalHeader().hide()
        self.verticalHeader().setDefaultSectionSize(_ROW)
        header = self.horizontalHeader()
        header.setHighlightSections(False)
        for column, width in enumerate((_ROW + 4, None, 44, 126)):
            stretch = QHeaderView.ResizeMode.Stretch
            header.setSectionResizeMode(column, QHeaderView.ResizeMode.Fixed if width else stretch)
            if width:
                header.resizeSection(column, width)
        self.clicked.connect(self._on_clicked)

    @property
    def selected(self) -> list[int]:
        """The slices or scans of the selected rows, in the order of the rows."""
        rows = sorted(index.row() for index in self.selectionModel().selectedRows())
        return [self.slices.queue.rows[row] for row in rows]

    def show_slices(self, names: Sequence[str], thumbnails: LazyIcons | None = None) -> None:
        """Take the names of other slices or scans; their rows appear with `show_queue`."""
        self.slices.show(Queue(), ())
        self.slices.names, self.slices.thumbnails = names, thumbnails
        if thumbnails is not None:
            thumbnails.drawn.connect(self.slices.draw)

    def show_queue(self, queue: Queue, scores: Sequence[float | None], current: int) -> None:
        """Show slices in their order with states and predicted Dice, the current one selected.

        A selection of several rows with the current one stays, unless the rows have changed.
        """
        self.slices.show(queue, scores)
        if current not in self.selected:
            self.go_to(current)

    def go_to(self, index: int) -> None:
        """Select the row of the slice on screen, if it is listed."""
        row = self.slices.queue.row_of(index)
        if row is None:
            self.clearSelection()
        else:
            self.selectRow(row)
            self.scrollTo(self.slices.index(row, 0))

    def _on_clicked(self, index: QModelIndex) -> None:
        several = self.selectionMode() == QAbstractItemView.SelectionMode.ExtendedSelection
        if not several or QApplication.keyboardModifiers() == Qt.KeyboardModifier.NoModifier:
            self.chosen.emit(self.slices.queue.rows[index.row()])

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Keep the selected row in view when the table gets smaller."""
        super().resizeEvent(event)
        for selected in self.selectionModel().selectedRows():
            self.scrollTo(selected)
