"""A line for the sequences that a network takes together, with a button that lists them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QPoint, Signal
from qtpy.QtWidgets import QHBoxLayout, QLineEdit, QMenu, QToolButton, QWidget

from napari_unet_seg._napari.widgets import jobs

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Sequence

TIP = (
    "The sequences that the network takes together as channels, with commas between them; empty if "
    "the data have one"
)


class SequenceEdit(QWidget):
    """An editor of names of sequences.

    Parameters
    ----------
    find : callable
        Returns the function that lists the names of the present source; that function runs in a
        thread.
    """

    valueChanged = Signal()

    def __init__(self, find: Callable[[], Callable[[], Sequence[str]]]) -> None:
        super().__init__()
        self._find = find
        self.line = QLineEdit()
        self.line.setPlaceholderText("T1c, FLAIR")
        self.line.setToolTip(TIP)
        self.button = QToolButton()
        self.button.setText("…")
        self.button.setToolTip("List the sequences of the data, to choose several")
        self.menu = QMenu(self)
        self.menu.setToolTipsVisible(True)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addWidget(self.line, 1)
        layout.addWidget(self.button)
        self.line.editingFinished.connect(self.valueChanged)
        self.button.clicked.connect(self.list_names)

    def value(self) -> tuple[str, ...]:
        """The names in their order, each once."""
        names = (name.strip() for name in self.line.text().split(","))
        return tuple(dict.fromkeys(filter(None, names)))

    def setValue(self, names: Sequence[str]) -> None:
        """Show names."""
        if tuple(names) != self.value():
            self.line.setText(", ".join(names))
            self.valueChanged.emit()

    def list_names(self) -> None:
        """Find the sequences of the data in a thread, and list them to be checked."""
        self.button.setEnabled(False)
        jobs.run(
            _found(self._find()),
            on_event=self._show,
            on_done=lambda: self.button.setEnabled(True),
            name="Finding the sequences",
        )

    def _show(self, names: Sequence[str]) -> None:
        self.menu.clear()
        for name in names:
            action: Any = self.menu.addAction(name)
            action.setCheckable(True)
            action.setChecked(name in self.value())
            action.toggled.connect(self._on_toggled)
        if not names:
            none: Any = self.menu.addAction("The data name no sequences")
            none.setEnabled(False)
        self.menu.popup(self.button.mapToGlobal(QPoint(0, self.button.height())))

    def _on_toggled(self, _: bool) -> None:
        actions = self.menu.actions()
        listed = {action.text() for action in actions}
        checked = [action.text() for action in actions if action.isChecked()]
        self.setValue([*(name for name in self.value() if name not in listed), *checked])


def _found(find: Callable[[], Sequence[str]]) -> Generator[Sequence[str], Any, None]:
    yield find()
