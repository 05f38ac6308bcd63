"""The list of categories: swatch, name, label, volume, voxels and lock of each, edited in place."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QSignalBlocker, QSize, Qt, Signal
from qtpy.QtWidgets import QAbstractItemView, QHeaderView, QTreeWidget, QTreeWidgetItem, QWidget

from napari_unet_seg._napari.categories.swatches import SWATCH, colour_swatch, lock_icon
from napari_unet_seg._napari.layers.geometry import ml_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from qtpy.QtCore import QPoint
    from qtpy.QtGui import QColor, QKeyEvent

SWATCH_COLUMN, NAME_COLUMN, VOXEL_COLUMN, LOCK_COLUMN = range(4)
_MOST_ROWS = 6
"""Rows that are shown without a scroll bar."""
_LABEL = Qt.ItemDataRole.UserRole
_TIPS = (
    "Click to choose another colour",
    "Click to paint this category; double-click or F2 to rename it",
    "Volume and voxels of the category in the whole mask; objects in a mask of objects",
    "",
)
_LOCK_TIPS = (
    "Open: click to protect the category from tools and brush",
    "Locked: tools and brush do not change the category; click to unlock it",
)


class CategoryTree(QTreeWidget):
    """Shows categories in rows; changes of them are asked for by signals."""

    chosen = Signal(int)
    """Emitted with the label of the row that was reached by a click or with the arrow keys."""
    clicked = Signal(int)
    """Emitted with the label of the row whose name was clicked."""
    renamed = Signal(int, str)
    """Emitted with the label and the name that was typed."""
    colour_wanted = Signal(int)
    """Emitted with the label of the row whose swatch was clicked."""
    lock_wanted = Signal(int)
    """Emitted with the label of the row whose lock was clicked."""
    move_wanted = Signal(int, int)
    """Emitted with a label and the number of rows down, from Alt+↑ and Alt+↓."""
    remove_wanted = Signal(int)
    """Emitted with the label of the chosen row, from Delete."""
    menu_wanted = Signal(int)
    """Emitted with the label of the row that was clicked with the right button."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setColumnCount(len(_TIPS))
        self.setHeaderHidden(True)
        self.setRootIsDecorated(False)
        self.setUniformRowHeights(True)
        self.setIndentation(0)
        self.setIconSize(QSize(SWATCH, SWATCH))
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setToolTip("The categories of the mask; the brush paints the chosen one")
        header = self.header()
        header.setStretchLastSection(False)
        header.setMinimumSectionSize(22)
        header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        header.setSectionResizeMode(NAME_COLUMN, QHeaderView.ResizeMode.Stretch)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.customContextMenuRequested.connect(self._on_menu)
        self.itemClicked.connect(self._on_clicked)
        self.itemDoubleClicked.connect(self._on_double_clicked)
        self.itemChanged.connect(self._on_changed)
        self.currentItemChanged.connect(self._on_current)

    def show_rows(self, rows: Sequence[tuple[int, str]], *, numbered: bool) -> None:
        """Show the label and the name of each category, the labels only if they are `numbered`."""
        blocker, chosen = QSignalBlocker(self), self.value()
        if [label for label, _ in rows] != [item.data(0, _LABEL) for item in self._items()]:
            self.clear()
            self.addTopLevelItems([_new_item(label) for label, _ in rows])
        for item, (label, name) in zip(self._items(), rows, strict=True):
            item.setText(SWATCH_COLUMN, str(label) if numbered else "")
            item.setText(NAME_COLUMN, name)
        self.choose(chosen or rows[0][0] if rows else 0)
        blocker.unblock()
        shown = min(max(len(rows), 1), _MOST_ROWS)
        height = self.sizeHintForRow(0) if rows else 20
        self.setFixedHeight(shown * max(height, 20) + 2 * self.frameWidth() + 2)

    def show_colours(self, colours: dict[int, QColor]) -> None:
        """Show the colour of each label."""
        blocker = QSignalBlocker(self)
        for item in self._items():
            item.setIcon(SWATCH_COLUMN, colour_swatch(colours[item.data(0, _LABEL)]))
        blocker.unblock()

    def show_counts(self, counts: dict[int, int] | None, ml: float | None = None) -> None:
        """Show how much there is of each label.

        Parameters
        ----------
        counts : dict of int to int, optional
            The number of voxels of each label; None while they are counted.
        ml : float, optional
            The volume of a voxel in millilitres; None to show no volumes.
        """
        blocker = QSignalBlocker(self)
        for item in self._items():
            item.setText(VOXEL_COLUMN, _amount(counts, item.data(0, _LABEL), ml))
        blocker.unblock()

    def show_locks(self, locked: frozenset[int]) -> None:
        """Show which labels are locked."""
        blocker = QSignalBlocker(self)
        for item in self._items():
            is_locked = item.data(0, _LABEL) in locked
            item.setIcon(LOCK_COLUMN, lock_icon(locked=is_locked))
            item.setToolTip(LOCK_COLUMN, _LOCK_TIPS[is_locked])
        blocker.unblock()

    def rename(self) -> None:
        """Open the name of the chosen row for typing."""
        if (item := self.currentItem()) is not None:
            self.editItem(item, NAME_COLUMN)

    def value(self) -> int:
        """The label of the chosen row, 0 if there is none."""
        item = self.currentItem()
        return 0 if item is None else int(item.data(0, _LABEL))

    def choose(self, label: int) -> None:
        """Choose the row of a label, without a signal; no row for a label of no category."""
        blocker = QSignalBlocker(self)
        self.setCurrentItem(next((i for i in self._items() if i.data(0, _LABEL) == label), None))
        blocker.unblock()

    def names(self) -> list[str]:
        """The names in their order."""
        return [item.text(NAME_COLUMN) for item in self._items()]

    def labels(self) -> list[int]:
        """The labels in the order of the rows."""
        return [item.data(0, _LABEL) for item in self._items()]

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Alt+↑ and Alt+↓ move the row, F2 renames, Delete removes; letters are napari's."""
        steps = {Qt.Key.Key_Up: -1, Qt.Key.Key_Down: 1}
        alt = event.modifiers() & Qt.KeyboardModifier.AltModifier
        if alt and event.key() in steps:
            self.move_wanted.emit(self.value(), steps[Qt.Key(event.key())])
        elif event.key() == Qt.Key.Key_Delete:
            self.remove_wanted.emit(self.value())
        elif event.key() == Qt.Key.Key_F2:
            self.rename()
        elif event.text().isprintable() and event.text():
            event.ignore()  # napari's keys of the brush, not a search by the first letter
        else:
            super().keyPressEvent(event)

    def _items(self) -> Iterator[QTreeWidgetItem]:
        return (self.topLevelItem(row) for row in range(self.topLevelItemCount()))

    def _on_clicked(self, item: QTreeWidgetItem, column: int) -> None:
        label = int(item.data(0, _LABEL))
        if column == SWATCH_COLUMN:
            self.colour_wanted.emit(label)
        elif column == LOCK_COLUMN:
            self.lock_wanted.emit(label)
        else:
            self.clicked.emit(label)

    def _on_double_clicked(self, _: QTreeWidgetItem, column: int) -> None:
        if column == NAME_COLUMN:
            self.rename()

    def _on_current(self, item: QTreeWidgetItem | None, _: Any) -> None:
        if item is not None:
            self.chosen.emit(int(item.data(0, _LABEL)))

    def _on_changed(self, item: QTreeWidgetItem, column: int) -> None:
        if column == NAME_COLUMN:
            self.renamed.emit(int(item.data(0, _LABEL)), item.text(NAME_COLUMN))

    def _on_menu(self, position: QPoint) -> None:
        item = self.itemAt(position) or self.currentItem()
        if item is not None:
            self.menu_wanted.emit(int(item.data(0, _LABEL)))


def _amount(counts: dict[int, int] | None, label: int, ml: float | None) -> str:
    if counts is None:
        return ""
    count = counts.get(label, 0)
    return f"{count:,}" if ml is None else f"{ml_text(count * ml)} · {count:,}"


def _new_item(label: int) -> QTreeWidgetItem:
    item = QTreeWidgetItem()
    item.setData(0, _LABEL, label)
    item.setFlags(item.flags() | Qt.ItemFlag.ItemIsEditable)
    item.setTextAlignment(VOXEL_COLUMN, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
    for column, tip in enumerate(_TIPS):
        item.setToolTip(column, tip)
    return item
