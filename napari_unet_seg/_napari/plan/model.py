"""The rows of a plan: cases with their files, and what is left out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QAbstractItemModel, QModelIndex, QObject, Qt
from qtpy.QtGui import QColor, QFont
from qtpy.QtWidgets import QApplication

from napari_unet_seg.io.cases.corrections import BY_USER, Entry, entries_of, place_of
from napari_unet_seg.io.common.counting import counted

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from napari_unet_seg.io.cases.case import Plan

_HEADERS = ("Case and files", "Sequences", "Masks", "Visit", "Why")
_CASE, _SEQUENCES, _MASKS, _VISIT, _WHY = range(5)
_TIPS = (
    "An examination of a patient, and its files: click on the mark for them",
    "The images of a case by what their names tell",
    "The masks of a case; training and evaluation take the first",
    "The date or number of the examination",
    "What the case was recognised by, or why a file is left out",
)
_LISTED = 8
"""Number of files that a tip lists."""
_NOTE = "#d8813b"
"""Colour of what the user corrected and of what cannot be read, on dark and light ground."""
_TOP = 0
"""Internal id of the rows of cases; those of files have the number of their case, from 1."""


@dataclass(frozen=True, slots=True)
class _Group:
    """A case, or all that is left out."""

    texts: tuple[str, ...]
    entries: list[Entry]


class PlanModel(QAbstractItemModel):
    """A tree of cases and their files; a view asks only for the rows that it shows."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.plan: Plan | None = None
        self._groups: list[_Group] = []
        self._places: dict[str, tuple[int, int]] = {}
        """Case and row of each file by its key."""

    def show(self, plan: Plan) -> None:
        """Show another plan."""
        self.beginResetModel()
        self.plan, self._groups = plan, list(_groups(plan))
        self._places = {
            entry.key: (top, row)
            for top, group in enumerate(self._groups)
            for row, entry in enumerate(group.entries)
        }
        self.endResetModel()

    def entries_at(self, index: QModelIndex) -> list[Entry]:
        """Return the files of a row: of a case all."""
        top = index.internalId()
        if top == _TOP:
            return list(self._groups[index.row()].entries)
        return [self._groups[top - 1].entries[index.row()]]

    def place_of(self, key: str) -> QModelIndex:
        """Return the row of a file by its key; an invalid index if it has none."""
        top, row = self._places.get(key, (-1, -1))
        return QModelIndex() if row < 0 else self.createIndex(row, 0, top + 1)

    def index(self, row: int, column: int, parent: QModelIndex | None = None) -> QModelIndex:
        top = _TOP if parent is None or not parent.isValid() else parent.row() + 1
        return self.createIndex(row, column, top)

    def parent(self, child: QModelIndex | None = None) -> Any:
        if child is None:
            return super().parent()
        top = child.internalId() if child.isValid() else _TOP
        return QModelIndex() if top == _TOP else self.createIndex(top - 1, 0, _TOP)

    def rowCount(self, parent: QModelIndex | None = None) -> int:
        if parent is None or not parent.isValid():
            return len(self._groups)
        is_case = parent.internalId() == _TOP and parent.column() == 0
        return len(self._groups[parent.row()].entries) if is_case else 0

    def columnCount(self, parent: QModelIndex | None = None) -> int:
        return len(_HEADERS)

    def headerData(self, section: int, orientation: Any, role: int = 0) -> Any:
        if role == Qt.ItemDataRole.DisplayRole:
            return _HEADERS[section]
        return _TIPS[section] if role == Qt.ItemDataRole.ToolTipRole else None

    def data(self, index: QModelIndex, role: int = 0) -> Any:
        top, column = index.internalId(), index.column()
        if top == _TOP:
            return self._of_group(self._groups[index.row()], column, role)
        group = self._groups[top - 1]
        return self._of_entry(group, group.entries[index.row()], column, role)

    def _of_group(self, group: _Group, column: int, role: int) -> Any:
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.ToolTipRole):
            return group.texts[column]
        if role == Qt.ItemDataRole.FontRole and column == _CASE:
            return _bold()
        return None

    def _of_entry(self, group: _Group, entry: Entry, column: int, role: int) -> Any:
        if role == Qt.ItemDataRole.DisplayRole:
            return self._text(entry, column, group.texts[_WHY])
        if role == Qt.ItemDataRole.ToolTipRole:
            return _listed(entry.source.files)
        if role == Qt.ItemDataRole.ForegroundRole and (entry.why == BY_USER or entry.is_problem):
            return QColor(_NOTE)
        return None

    def _text(self, entry: Entry, column: int, case_why: str) -> str:
        count = len(entry.source.files)
        if column == _CASE and self.plan is not None:
            name = place_of(entry, self.plan.root)
            return name if count == 1 else f"{name} … ({counted(count, 'slice')})"
        if column == _SEQUENCES:
            return entry.name if entry.kind == "scan" else ""
        if column == _MASKS:
            return entry.name if entry.kind == "mask" else ""
        return entry.why if column == _WHY and entry.why != case_why else ""


def _groups(plan: Plan) -> Iterator[_Group]:
    entries: dict[str, list[Entry]] = {}
    for entry in entries_of(plan):
        entries.setdefault(entry.case, []).append(entry)
    for case in plan.cases:
        texts = (case.name, ", ".join(case.sequences), ", ".join(case.masks), case.visit, case.why)
        yield _Group(texts, entries[case.name])
    left_out = entries.get("", [])
    if left_out:
        yield _Group(("Left out", "", "", "", counted(len(left_out), "file")), left_out)


def _listed(files: Sequence[Path]) -> str:
    more = [f"… and {len(files) - _LISTED} more"] if len(files) > _LISTED else []
    return "\n".join([*map(str, files[:_LISTED]), *more])


def _bold() -> QFont:
    font = QFont(QApplication.font())
    font.setBold(True)
    return font
