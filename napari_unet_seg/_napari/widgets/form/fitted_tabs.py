"""Tabs without a gap below the lower pages."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtWidgets import QSizePolicy, QTabWidget, QWidget

if TYPE_CHECKING:
    from qtpy.QtCore import QSize


class FittedTabs(QTabWidget):
    """Tabs that ask for the height of the page that is shown, not of the highest page."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.currentChanged.connect(self._fit)

    def tabInserted(self, index: int) -> None:
        """Take the height of a new page into account only while the page is shown."""
        super().tabInserted(index)
        self._fit()

    def sizeHint(self) -> QSize:
        """Return the size that the page that is shown would like; Qt's own counts all pages."""
        hint, page = super().sizeHint(), self.currentWidget()
        if page is not None:
            more = page.sizeHint().height() - page.minimumSizeHint().height()
            hint.setHeight(self.minimumSizeHint().height() + max(more, 0))
        return hint

    def _fit(self, _: int = 0) -> None:
        policy = QSizePolicy.Policy
        for index in range(self.count()):
            shown = index == self.currentIndex()
            height = policy.Preferred if shown else policy.Ignored
            self.widget(index).setSizePolicy(policy.Preferred, height)
