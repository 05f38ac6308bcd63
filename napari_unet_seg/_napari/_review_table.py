"""The list of slices with what the reviewer decided about each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QAbstractTableModel, QModelIndex, Qt, Signal
from qtpy.QtGui import QColor
from qtpy.QtWidgets import (
    QAbstractItemView,
    QHeaderView,
    QProgressBar,
    QTableView,
    QVBoxLayout,
    QWidget,
)

from napari_unet_seg.session import ReviewState

if TYPE_CHECKING:
    from collections.abc import Sequence

_MARKS = {ReviewState.TODO: "○", ReviewState.ACCEPTED: "✓", ReviewState.SKIPPED: "–"}
_COLOURS = {ReviewState.ACCEPTED: "#3aa76d", ReviewState.SKIPPED: "#b58b2a"}
_HEADERS = ("", "Slice", "State")


class _SliceModel(QAbstractTableModel):
    """Rows of a session's slices; a view asks only for those it shows."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.names: Sequence[str] = ()
        self.states: Sequence[ReviewState] = ()

    def rowCount(self, parent: QModelIndex | None = None) -> int:
        return 0 if parent is not None and parent.isValid() else len(self.states)

    def columnCount(self, parent: QModelIndex | None = None) -> int:
        return len(_HEADERS)

    def headerData(self, section: int, orientation: Any, role: int = 0) -> Any:
        if role != Qt.ItemDataRole.DisplayRole or orientation != Qt.Orientation.Horizontal:
            return None
        return _HEADERS[section]

    def data(self, index: QModelIndex, role: int = 0) -> Any:
        state = self.states[index.row()]
        if role == Qt.ItemDataRole.DisplayRole:
            return (_MARKS[state], self.names[index.row()], state.value)[index.column()]
        if role == Qt.ItemDataRole.ToolTipRole:
            return self.names[index.row()]
        if role == Qt.ItemDataRole.ForegroundRole and state in _COLOURS:
            return QColor(_COLOURS[state])
        return None

    def show(self, names: Sequence[str], states: Sequence[ReviewState]) -> None:
        """Show a session's slices."""
        self.beginResetModel()
        self.names, self.states = names, states
        self.endResetModel()

    def change(self, index: int, states: Sequence[ReviewState]) -> None:
        """Show the new state of one slice."""
        self.states = states
        self.dataChanged.emit(self.index(index, 0), self.index(index, len(_HEADERS) - 1))


class SliceTable(QWidget):
    """Progress over the slices and their list; a click goes to a slice."""

    chosen = Signal(int)
    """The slice that the user clicked on."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.progress = QProgressBar()
        self.progress.setFormat("%v / %m reviewed")
        self.progress.setToolTip("Slices accepted or skipped, of all")
        self.model = _SliceModel(self)
        self.view = QTableView()
        self.view.setModel(self.model)
        self.view.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.view.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.view.setShowGrid(False)
        self.view.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        self.view.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.view.setMinimumHeight(96)
        self.view.verticalHeader().hide()
        self.view.verticalHeader().setDefaultSectionSize(22)
        header = self.view.horizontalHeader()
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.Fixed)
        header.setSectionResizeMode(1, QHeaderView.ResizeMode.Stretch)
        header.setSectionResizeMode(2, QHeaderView.ResizeMode.Fixed)
        header.resizeSection(0, 28)
        header.resizeSection(2, 84)
        self.view.clicked.connect(lambda index: self.chosen.emit(index.row()))
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addWidget(self.progress)
        layout.addWidget(self.view, 1)
        self.show_slices((), ())

    def show_slices(self, names: Sequence[str], states: Sequence[ReviewState]) -> None:
        """List the slices of a session."""
        self.model.show(names, states)
        self._count()

    def show_state(self, index: int, states: Sequence[ReviewState]) -> None:
        """Show the new state of one slice."""
        self.model.change(index, states)
        self._count()

    def go_to(self, index: int) -> None:
        """Mark the slice that is on screen."""
        self.view.selectRow(index)
        self.view.scrollTo(self.model.index(index, 0))

    def _count(self) -> None:
        states = self.model.states
        self.progress.setRange(0, max(1, len(states)))
        self.progress.setValue(sum(state is not ReviewState.TODO for state in states))
        self.progress.setFormat("%v / %m reviewed" if states else "no session")
