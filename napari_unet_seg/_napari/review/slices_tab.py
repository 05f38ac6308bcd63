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

from napari_unet_seg._napari.session.changes_overlay import in_words
from napari_unet_seg._napari.session.thumbnails import Thumbnails
from napari_unet_seg._napari.widgets.keys import Keys, shown_key
from napari_unet_seg._napari.widgets.queue_bar import QueueBar
from napari_unet_seg._napari.widgets.queue_table import SliceTable
from napari_unet_seg.session.review_queue import Order, Queue, ReviewState

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari.viewer import ViewerModel

    from napari_unet_seg._napari.session.open_session import OpenSession
    from napari_unet_seg.session.session import Changes

_KEYS = {
    "accept": ("A", "Accept", "The mask of this slice is right; save it and go to the next to do"),
    "skip": ("S", "Skip", "Leave this slice out and go to the next to do"),
    "flag": ("Q", "Flag", "In question: to be looked at again; go to the next to do"),
    "previous": ("Shift-N", "◂ Previous", "Go one slice back in the list"),
    "next": ("N", "Next ▸", "Go one slice on in the list"),
    "mask": ("H", "Show mask", "Show or hide the mask, whichever layer is selected"),
    "toggle": ("D", "Show changes", "Green: added to the prediction; magenta: removed"),
}
"""By action: key in napari's notation, free in its labels layers, text, and what it does."""

_BUTTONS = ("accept", "skip", "flag", "previous", "next")


class ReviewTab(QWidget):
    """The list of slices, the decisions with their keys, and what changed."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._reviewing: OpenSession | None = None
        self._thumbnails: Thumbnails | None = None
        self._keys: Keys | None = None
        self.bar = QueueBar()
        self.table = SliceTable()
        self.buttons = {name: _button(*_KEYS[name]) for name in _BUTTONS}
        self.show_mask = _check_box(*_KEYS["mask"])
        self.show_changes = _check_box(*_KEYS["toggle"])
        self.changes = QLabel()
        self.changes.setToolTip("Pixels of this slice added and removed since the prediction")
        self.revert_button = QPushButton("Revert slice")
        self.revert_button.setToolTip("Back to the prediction; Ctrl+Z brings the corrections back")
        self.status = QLabel()
        self.status.setWordWrap(True)
        self.note = QLabel()
        self.note.setWordWrap(True)
        self._lay_out()
        self._connect()
        self.show_session(None)

    def show_session(self, reviewing: OpenSession | None) -> None:
        """Go through an open session."""
        self._reviewing = reviewing
        self.report("")
        self.setEnabled(reviewing is not None)
        self.show_changes.setChecked(False)
        self.changes.setText("")
        self.bar.show_all()
        self.show_note("")
        if self._thumbnails is not None:
            self._thumbnails.close()
            self._thumbnails = None
        if reviewing is None:
            self.bar.show_queue(Queue())
            self.table.show_slices(())
            return
        session = reviewing.session
        self.show_mask.setChecked(reviewing.mask.visible)
        self._thumbnails = Thumbnails(reviewing, self.devicePixelRatioF())
        names = [session.name_of(i) for i in range(len(session.states))]
        self.table.show_slices(names, self._thumbnails)
        reviewing.moved.connect(self.table.go_to)
        reviewing.queue_changed.connect(self._on_queue)
        reviewing.changed.connect(self._on_changed)
        reviewing.mask_shown.connect(self.show_mask.setChecked)
        reviewing.told.connect(self._tell)
        reviewing.moved.connect(lambda _: self._tell(""))
        reviewing.autosave.saved.connect(self._on_saved)
        reviewing.autosave.failed.connect(lambda error: self.report(str(error)))
        self._on_order()
        reviewing.look()

    def report(self, text: str) -> None:
        """Show what happened to the session, until something else happens."""
        self.status.setText(text)
        self._is_about_slice = False

    def _tell(self, text: str) -> None:
        """Show what concerns the slice on screen, or take it away."""
        if text or self._is_about_slice:
            self.status.setText(text)
            self._is_about_slice = bool(text)

    def show_note(self, text: str) -> None:
        """Show a sentence that stays when others come, or none."""
        self.note.setText(text)
        self.note.setVisible(bool(text))

    def accept(self) -> None:
        """Accept the slice on screen and go on."""
        if self._reviewing is not None:
            self._reviewing.accept()

    def skip(self) -> None:
        """Skip the slice on screen and go on."""
        if self._reviewing is not None:
            self._reviewing.decide(ReviewState.SKIPPED)

    def flag(self) -> None:
        """Keep the slice on screen for a second look and go on."""
        if self._reviewing is not None:
            self._reviewing.decide(ReviewState.FLAGGED)

    def next(self) -> None:
        """Go one slice of the list on."""
        if self._reviewing is not None:
            self._reviewing.step(1)

    def previous(self) -> None:
        """Go one slice of the list back."""
        if self._reviewing is not None:
            self._reviewing.step(-1)

    def bind(self, viewer: ViewerModel) -> None:
        """Let the keys work in the viewer; keys that were taken are given back by `unbind`."""
        actions = self._actions()
        self._keys = Keys(viewer)
        self._keys.bind({key: actions[name] for name, (key, *_) in _KEYS.items()})

    def unbind(self) -> None:
        """Give the keys back."""
        if self._keys is not None:
            self._keys.unbind()

    def _actions(self) -> dict[str, Callable[[], None]]:
        return {
            "accept": self.accept,
            "skip": self.skip,
            "flag": self.flag,
            "previous": self.previous,
            "next": self.next,
            "mask": self.show_mask.toggle,
            "toggle": self.show_changes.toggle,
        }

    def _connect(self) -> None:
        actions = self._actions()
        for name, button in self.buttons.items():
            button.clicked.connect(actions[name])
        self.table.chosen.connect(self._on_chosen)
        self.bar.order_changed.connect(self._on_order)
        self.bar.filter_changed.connect(self._on_filter)
        self.show_mask.toggled.connect(self._on_mask)
        self.show_changes.toggled.connect(self._on_toggled)
        self.revert_button.clicked.connect(self._on_revert)

    def _lay_out(self) -> None:
        grid = QGridLayout()
        grid.setSpacing(4)
        for place, name in enumerate(_BUTTONS):
            row, column, span = (0, 2 * place, 2) if place < 3 else (1, 3 * (place - 3), 3)
            grid.addWidget(self.buttons[name], row, column, 1, span)
        looks = QHBoxLayout()
        looks.addWidget(self.show_mask)
        looks.addWidget(self.show_changes, 1)
        looks.addWidget(self.revert_button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(4, 6, 4, 4)
        layout.setSpacing(6)
        layout.addWidget(self.bar)
        layout.addWidget(self.table, 1)
        layout.addLayout(grid)
        layout.addWidget(self.changes)
        layout.addLayout(looks)
        layout.addWidget(self.status)
        layout.addWidget(self.note)

    def _on_chosen(self, index: int) -> None:
        if self._reviewing is not None:
            self._reviewing.go_to(index)

    def _on_toggled(self, shown: bool) -> None:
        if self._reviewing is not None:
            self._reviewing.show_changes(shown)

    def _on_revert(self) -> None:
        if self._reviewing is not None:
            self._reviewing.revert()

    def _on_order(self) -> None:
        self._on_filter()
        reviewing = self._reviewing
        if reviewing is None or self.bar.order is Order.AS_STORED:
            return
        if any(figure is not None for figure in reviewing.session.predicted_dice):
            reviewing.go_to_first()

    def _on_filter(self) -> None:
        if self._reviewing is not None:
            self._reviewing.arrange(self.bar.order, self.bar.shown)

    def _on_queue(self) -> None:
        reviewing = self._reviewing
        if reviewing is not None:
            figures = reviewing.session.predicted_dice
            self.bar.show_figures(figures)
            self.bar.show_queue(reviewing.queue)
            self.table.show_queue(reviewing.queue, figures, reviewing.index)

    def _on_changed(self, changes: Changes) -> None:
        self.changes.setText(in_words(changes))
        if self._thumbnails is not None:
            self._thumbnails.check_again()
            self.table.viewport().update()

    def _on_mask(self, shown: bool) -> None:
        if self._reviewing is not None:
            self._reviewing.show_mask(shown)

    def _on_saved(self, time: Any) -> None:
        if self._reviewing is not None:  # the last save of all tells when its session is closed
            self.report(f"saved {time:%H:%M:%S}")


def _button(key: str, text: str, tip: str) -> QPushButton:
    button = QPushButton(f"{text}  [{shown_key(key)}]")
    button.setToolTip(f"{tip} (key {shown_key(key)})")
    return button


def _check_box(key: str, text: str, tip: str) -> QCheckBox:
    box = QCheckBox(text)
    box.setToolTip(f"{tip} (key {shown_key(key)})")
    return box
