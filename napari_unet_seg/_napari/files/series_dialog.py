"""The dialog that lists the series of a DICOM folder."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import Qt
from qtpy.QtWidgets import (
    QAbstractItemView,
    QDialog,
    QDialogButtonBox,
    QHeaderView,
    QLabel,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari_unet_seg.io.dicom.frames import Series

_HEADERS = ("Description", "Number", "Modality", "Slices", "Size")


class SeriesDialog(QDialog):
    """Chooses one or more series; the one with most slices is chosen at first.

    Parameters
    ----------
    series : sequence of Series
        The series to list, from `list_series`.
    name : str
        Name of the folder.
    parent : QWidget
        The window below the dialog.
    """

    def __init__(self, series: Sequence[Series], name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Open DICOM series")
        self._series = tuple(series)
        self.table = self._make_table()
        standard = QDialogButtonBox.StandardButton
        self.buttons = QDialogButtonBox(standard.Open | standard.Cancel)
        self.open_button = self.buttons.button(standard.Open)
        layout = QVBoxLayout(self)
        layout.addWidget(QLabel(f"{name} holds {len(series)} series. Choose what to open:"))
        layout.addWidget(self.table)
        layout.addWidget(self.buttons)
        self._connect()
        counts = [len(each.frames) for each in self._series]
        self.table.selectRow(counts.index(max(counts)))
        self.table.setFocus()
        self._show_state()
        self.resize(560, 280)

    def value(self) -> tuple[Series, ...]:
        """Return the chosen series, in the order of the list."""
        rows = sorted(index.row() for index in self.table.selectionModel().selectedRows())
        return tuple(self._series[row] for row in rows)

    def _connect(self) -> None:
        self.buttons.accepted.connect(self.accept)
        self.buttons.rejected.connect(self.reject)
        self.table.itemSelectionChanged.connect(self._show_state)
        self.table.itemDoubleClicked.connect(lambda _: self.accept())

    def _make_table(self) -> QTableWidget:
        table = QTableWidget(len(self._series), len(_HEADERS), self)
        table.setHorizontalHeaderLabels(_HEADERS)
        table.verticalHeader().hide()
        table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        table.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        table.horizontalHeader().setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        for row, series in enumerate(self._series):
            for column, text in enumerate(_cells(series)):
                item = QTableWidgetItem(text)
                item.setToolTip(series.key)
                if column in (1, 3):
                    item.setTextAlignment(
                        Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
                    )
                table.setItem(row, column, item)
        return table

    def _show_state(self) -> None:
        self.open_button.setEnabled(bool(self.value()))


def _cells(series: Series) -> tuple[str, ...]:
    rows, columns = series.size
    size = f"{columns} × {rows}"
    name = series.description or "(no description)"
    return name, series.number, series.modality, str(len(series.frames)), size


def ask_for_series(
    series: Sequence[Series], name: str, parent: QWidget | None = None
) -> tuple[Series, ...]:
    """Let the user choose among the series of a folder; return none after Cancel."""
    dialog = SeriesDialog(series, name, parent)
    try:
        accepted = dialog.exec() == int(getattr(_ACCEPTED, "value", _ACCEPTED))
        return dialog.value() if accepted else ()
    finally:
        dialog.deleteLater()


_ACCEPTED = QDialog.DialogCode.Accepted
"""An int on Qt 5, an enum on Qt 6."""
