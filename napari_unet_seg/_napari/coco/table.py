"""The table of a COCO file's content, shown before anything is loaded."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QHeaderView, QTreeWidget, QTreeWidgetItem, QWidget

from napari_unet_seg._napari.categories.swatches import swatch

if TYPE_CHECKING:
    from collections.abc import Iterable

    from napari_unet_seg.io.coco.read import CocoDataset
    from napari_unet_seg.io.coco.report import CocoReport

_MOST_ROWS = 500


class CocoTable(QTreeWidget):
    """Images, annotations by category, image sizes, and skipped entries with the reason."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setColumnCount(2)
        self.setHeaderHidden(True)
        self.setRootIsDecorated(True)
        self.setIndentation(14)
        self.setUniformRowHeights(True)
        self.setMinimumHeight(190)
        header: Any = self.header()
        header.setStretchLastSection(False)
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        header.setSectionResizeMode(1, QHeaderView.ResizeMode.ResizeToContents)

    def show_report(self, dataset: CocoDataset, report: CocoReport) -> None:
        """Show the report on a data set."""
        self.clear()
        self._images(dataset, report)
        self._categories(dataset, report)
        sizes = [
            (f"{width} × {height} pixels", str(count))
            for (height, width), count in report.sizes.most_common()
        ]
        self._section("Sizes", str(len(sizes)), sizes)
        self._skipped(report)

    def texts(self) -> list[tuple[str, str]]:
        """The two texts of every row, from top to bottom."""
        rows: list[tuple[str, str]] = []
        waiting: list[Any] = [self.topLevelItem(i) for i in range(self.topLevelItemCount())]
        while waiting:
            item = waiting.pop(0)
            rows.append((item.text(0), item.text(1)))
            waiting = [item.child(i) for i in range(item.childCount())] + waiting
        return rows

    def _images(self, dataset: CocoDataset, report: CocoReport) -> None:
        rows = [("found", str(report.found)), ("missing", str(len(report.missing)))]
        unusable = report.found - len(report.usable)
        if unusable:
            rows.append(("found, but not usable", str(unusable)))
        section = self._section("Images", str(len(dataset.images)), rows)
        section.setToolTip(0, f"Folder of the images: {dataset.folder}")

    def _categories(self, dataset: CocoDataset, report: CocoReport) -> None:
        total = sum(report.annotations.values())
        section = self._section("Annotations by category", str(total), [])
        for category, count in report.annotations.items():
            item = _row(category.name, str(count))
            item.setIcon(0, swatch(category.name))
            section.addChild(item)
        for category in dataset.hidden:
            section.addChild(_row(f"{category.name} (unused parent, hidden)", "0"))
        section.setExpanded(True)

    def _skipped(self, report: CocoReport) -> None:
        by_reason: dict[str, list[str]] = {}
        for what, why in report.skipped:
            by_reason.setdefault(why, []).append(what)
        section = self._section("Will be skipped", str(len(report.skipped)), [])
        reasons = sorted(by_reason.items(), key=lambda item: -len(item[1]))
        for why, names in reasons[:_MOST_ROWS]:
            group = _row(why, str(len(names)))
            _fill(group, ((name, "") for name in names[:_MOST_ROWS]))
            if len(names) > _MOST_ROWS:
                group.addChild(_row(f"… and {len(names) - _MOST_ROWS} more", ""))
            section.addChild(group)
        if len(reasons) > _MOST_ROWS:
            section.addChild(_row(f"… and {len(reasons) - _MOST_ROWS} more reasons", ""))
        section.setExpanded(True)

    def _section(self, title: str, amount: str, rows: Iterable[tuple[str, str]]) -> QTreeWidgetItem:
        section = _row(title, amount)
        font = section.font(0)
        font.setBold(True)
        section.setFont(0, font)
        _fill(section, rows)
        self.addTopLevelItem(section)
        section.setExpanded(True)
        return section


def _fill(parent: QTreeWidgetItem, rows: Iterable[tuple[str, str]]) -> None:
    parent.addChildren([_row(*texts) for texts in rows])


def _row(text: str, amount: str) -> QTreeWidgetItem:
    item = QTreeWidgetItem([text, amount])
    item.setToolTip(0, text)
    item.setTextAlignment(1, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
    return item
