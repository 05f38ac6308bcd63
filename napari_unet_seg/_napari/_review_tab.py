"""The part of the widget where slices are gone through, one after another."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qtpy.QtWidgets import (
    QCheckBox,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from napari_unet_seg._napari._changes import in_words
from napari_unet_seg._napari._review_table import SliceTable
from napari_unet_seg.session import ReviewState

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari.viewer import ViewerModel

    from napari_unet_seg._napari._reviewing import Reviewing

_KEYS = {
    "accept": ("A", "Accept", "The mask of this slice is right; save it and go to the next to do"),
    "skip": ("S", "Skip", "Leave this slice out and go to the next to do"),
    "previous": ("Shift-N", "◂ Previous", "Go one slice back"),
    "next": ("N", "Next ▸", "Go one slice on"),
    "toggle": ("D", "Show changes", "Green: added to the prediction; magenta: removed"),
}
"""By action: key in napari's notation, free in its labels layers, text, and what it does."""


class ReviewTab(QWidget):
    """The list of slices, the decisions with their keys, and what changed."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._reviewing: Reviewing | None = None
        self._bound: dict[str, Any] = {}
        self.table = SliceTable()
        self.buttons = {name: _button(*words) for name, words in _KEYS.items() if name != "toggle"}
        self.show_changes = QCheckBox(_KEYS["toggle"][1])
        self.show_changes.setToolTip(f"{_KEYS['toggle'][2]} (key {_KEYS['toggle'][0]})")
        self.changes = QLabel()
        self.changes.setToolTip("Pixels of this slice added and removed since the prediction")
        self.revert_button = QPushButton("Revert slice")
        self.revert_button.setToolTip("Back to the prediction; Ctrl+Z brings the corrections back")
        self.status = QLabel()
        self.status.setWordWrap(True)
        self._lay_out()
        self._connect()
        self.show_review(None)

    def show_review(self, reviewing: Reviewing | None) -> None:
        """Go through an open session."""
        self._reviewing = reviewing
        self.setEnabled(reviewing is not None)
        self.show_changes.setChecked(False)
        self.changes.setText("")
        if reviewing is None:
            self.table.show_slices((), ())
            return
        session = reviewing.session
        names = [session.name_of(i) for i in range(len(session.states))]
        self.table.show_slices(names, session.states)
        self.table.go_to(reviewing.index)
        reviewing.moved.connect(self.table.go_to)
        reviewing.decided.connect(self._on_decided)
        reviewing.changed.connect(lambda changes: self.changes.setText(in_words(changes)))
        reviewing.autosave.saved.connect(self._on_saved)
        reviewing.autosave.failed.connect(lambda error: self.status.setText(str(error)))
        reviewing.look()

    def accept(self) -> None:
        """Accept the slice on screen and go on."""
        if self._reviewing is not None:
            self._reviewing.decide(ReviewState.ACCEPTED)

    def skip(self) -> None:
        """Skip the slice on screen and go on."""
        if self._reviewing is not None:
            self._reviewing.decide(ReviewState.SKIPPED)

    def next(self) -> None:
        """Go one slice on."""
        self.go_by(1)

    def previous(self) -> None:
        """Go one slice back."""
        self.go_by(-1)

    def go_by(self, step: int) -> None:
        """Go some slices on."""
        if self._reviewing is not None:
            self._reviewing.go_to(self._reviewing.index + step)

    def bind(self, viewer: ViewerModel) -> None:
        """Let the keys work in the viewer; keys that were taken are given back by `unbind`."""
        actions = self._actions()
        for name, (key, *_) in _KEYS.items():
            action = actions[name]
            self._bound[key] = viewer.bind_key(key, lambda _, f=action: f(), overwrite=True)

    def unbind(self, viewer: ViewerModel) -> None:
        """Give the keys back."""
        for key, before in self._bound.items():
            viewer.bind_key(key, before, overwrite=True)
        self._bound = {}

    def _actions(self) -> dict[str, Callable[[], None]]:
        return {
            "accept": self.accept,
            "skip": self.skip,
            "previous": self.previous,
            "next": self.next,
            "toggle": self.show_changes.toggle,
        }

    def _connect(self) -> None:
        actions = self._actions()
        for name, button in self.buttons.items():
            button.clicked.connect(actions[name])
        self.table.chosen.connect(self._on_chosen)
        self.show_changes.toggled.connect(self._on_toggled)
        self.revert_button.clicked.connect(self._on_revert)

    def _lay_out(self) -> None:
        grid = QGridLayout()
        grid.setSpacing(4)
        for place, name in enumerate(("accept", "skip", "previous", "next")):
            grid.addWidget(self.buttons[name], *divmod(place, 2))
        looks = QHBoxLayout()
        looks.addWidget(self.show_changes, 1)
        looks.addWidget(self.revert_button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(4, 6, 4, 4)
        layout.setSpacing(6)
        layout.addWidget(self.table, 1)
        layout.addLayout(grid)
        layout.addWidget(self.changes)
        layout.addLayout(looks)
        layout.addWidget(self.status)

    def _on_chosen(self, index: int) -> None:
        if self._reviewing is not None:
            self._reviewing.go_to(index)

    def _on_toggled(self, shown: bool) -> None:
        if self._reviewing is not None:
            self._reviewing.show_changes(shown)

    def _on_revert(self) -> None:
        if self._reviewing is not None:
            self._reviewing.revert()

    def _on_decided(self, index: int) -> None:
        if self._reviewing is not None:
            self.table.show_state(index, self._reviewing.session.states)

    def _on_saved(self, time: Any) -> None:
        self.status.setText(f"saved {time:%H:%M:%S}")


def _button(key: str, text: str, tip: str) -> QPushButton:
    button = QPushButton(f"{text}  [{key.replace('-', '+')}]")
    button.setToolTip(f"{tip} (key {key.replace('-', '+')})")
    return button
