"""The table of a comparison, with a row for each category."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QAbstractItemView, QHeaderView, QTableWidget, QTableWidgetItem, QWidget

from napari_unet_seg._napari.categories.swatches import swatch

if TYPE_CHECKING:
    from collections.abc import Collection

    from napari_unet_seg.evaluation.compare import MaskComparison, Row

_TIPS = (
    "Pixels that are unreviewed in A or B count in no score",
    "Dice: 1 if A and B are equal, 0 if they do not overlap; – if both are empty",
    "Intersection over union (Jaccard); – if both are empty",
    "95th percentile of the distance between the surfaces; – if one mask is empty; in px of the "
    "finest axis if the voxel size has no unit",
    "Size of A",
    "Size of B",
)
_MEANS = (3, 4, 5)
"""Columns that each volume or independent slice has its own value of."""


class CompareTable(QTableWidget):
    """Dice, IoU, HD95 and sizes of each category, and in the last row of all categories."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(0, len(_TIPS), parent)
        self.setToolTip("Dice, IoU, HD95 and sizes by category")
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setShowGrid(False)
        self.setMinimumHeight(96)
        self.verticalHeader().hide()
        self.verticalHeader().setDefaultSectionSize(22)
        header = self.horizontalHeader()
        header.setMinimumSectionSize(30)
        header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        self._show_heads("", "", 1)

    def show_comparison(
        self, comparison: MaskComparison | None, named: Collection[str] = ()
    ) -> None:
        """Show the scores of a comparison; None empties the table.

        Parameters
        ----------
        comparison : MaskComparison
            The scores of each category.
        named : collection of str
            Names of the categories that have a colour.
        """
        self.setRowCount(0)
        if comparison is None:
            return
        self._show_heads(comparison.unit, comparison.size_unit, comparison.mean_of)
        self.setRowCount(len(comparison.rows))
        for index, row in enumerate(comparison.rows):
            for column, text in enumerate(_texts(row)):
                self.setItem(index, column, _item(text, column))
            if row.category in named:
                self.item(index, 0).setIcon(swatch(row.category))

    def texts(self) -> list[list[str]]:
        """Return the texts of the cells, row by row."""
        columns = range(self.columnCount())
        return [[self.item(r, c).text() for c in columns] for r in range(self.rowCount())]

    def _show_heads(self, unit: str, size_unit: str, count: int) -> None:
        short = {"pixel": "px", "pixels": "px"}
        unit, size_unit = short.get(unit, unit), short.get(size_unit, size_unit)
        mean, of = ("", "") if count == 1 else (" mean", f"; mean of {count} volumes or images")
        heads = ("Category", "Dice", "IoU", f"HD95\n{unit}", f"A\n{size_unit}", f"B\n{size_unit}")
        for column, (head, tip) in enumerate(zip(heads, _TIPS, strict=True)):
            # Two lines also without a unit: the header would stay as low as it was at first.
            item = QTableWidgetItem(head + mean * (column in _MEANS))
            item.setToolTip(tip + of * (column in _MEANS))
            self.setHorizontalHeaderItem(column, item)


def _texts(row: Row) -> tuple[str, ...]:
    shares = (f"{value:.3f}" for value in (row.counts.dice, row.counts.iou))
    rest = (_in_digits(value) for value in (row.hd95, row.size_a, row.size_b))
    texts = (row.category or "all", *shares, *rest)
    return tuple("–" if text == "nan" else text for text in texts)


def _in_digits(value: float) -> str:
    """Return a number with three digits; a large number with all its integer digits."""
    return f"{value:,.0f}" if math.isfinite(value) and value >= 100 else f"{value:.3g}"


def _item(text: str, column: int) -> QTableWidgetItem:
    item = QTableWidgetItem(text)
    if not column:
        item.setToolTip(text)
    side = Qt.AlignmentFlag.AlignRight if column else Qt.AlignmentFlag.AlignLeft
    item.setTextAlignment(side | Qt.AlignmentFlag.AlignVCenter)
    return item
