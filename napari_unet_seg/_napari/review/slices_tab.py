"""The tab in which the slices of a session are reviewed, one after another."""

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

from napari_unet_seg._napari.categories.new_label_bar import NewLabelBar
from napari_unet_seg._napari.layers.position import shows_slice
from napari_unet_seg._napari.review.accepting import Accepting
from napari_unet_seg._napari.review.clear_menu import ClearMenu
from napari_unet_seg._napari.review.rows import notes_of, row_names
from napari_unet_seg._napari.review.stored_slice import StoredSliceNote
from napari_unet_seg._napari.session.slices.changes_overlay import correction_summary
from napari_unet_seg._napari.session.thumbnails import SliceThumbnails
from napari_unet_seg._napari.widgets.keys import KeyBindings, key_of, label_of
from napari_unet_seg._napari.widgets.queue.bar import QueueBar
from napari_unet_seg._napari.widgets.queue.table import QueueTable
from napari_unet_seg._napari.widgets.status_label import StatusLabel
from napari_unet_seg.session.review_queue import Order, Queue, ReviewState

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari.viewer import ViewerModel
    from qtpy.QtWidgets import QMenu

    from napari_unet_seg._napari.session.open_session import OpenSession
    from napari_unet_seg.session.slice_labels import SliceChanges

_CONTROLS = {
    "accept": ("Accept", "Save the mask of this slice as right, and go to the next to do"),
    "skip": ("Skip", "Exclude this slice from training, and go to the next to do"),
    "flag": ("Flag", "Mark this slice for a second review, and go to the next to do"),
    "previous": ("◂ Previous", "Go to the previous slice of the list"),
    "next": ("Next ▸", "Go to the next slice of the list"),
    "mask": ("Show mask", "Show or hide the mask, whichever layer is selected"),
    "toggle": ("Show changes", "Green: added to the prediction; magenta: removed"),
}
"""By the name of the action, of which `KEYS` has the key: text; tooltip."""

_DECISIONS = ("accept", "skip", "flag")
_ARROW_WIDTH = 30
"""Width in pixels of the button beside *Accept*."""
_BUTTONS = (*_DECISIONS, "previous", "next")


class SlicesTab(QWidget):
    """The list of slices, a button and a key for each decision, and the changes of a slice."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._open_session: OpenSession | None = None
        self._thumbnails: SliceThumbnails | None = None
        self._keys: KeyBindings | None = None
        self.bar = QueueBar()
        self.table = QueueTable(several=True)
        self.table.setToolTip("A click shows a slice; with Ctrl or Shift it selects several")
        self.accepting = Accepting(self.table, self)
        self.clear_menu = ClearMenu(lambda: self.table.selected, self)
        self.buttons = {name: _button(name, *_CONTROLS[name]) for name in _BUTTONS}
        self.many_button = _menu_button(
            "▾", self.accepting.menu, "Accept many slices at once, and take that back"
        )
        self.clear_button = _menu_button(
            "Clear category ▾",
            self.clear_menu,
            "Remove a category from this slice or the selected slices",
        )
        self.show_mask = _check_box("mask", *_CONTROLS["mask"])
        self.show_changes = _check_box("toggle", *_CONTROLS["toggle"])
        self.changes = QLabel()
        self.changes.setToolTip("Pixels added to and removed from the prediction of this slice")
        self.revert_button = QPushButton("Revert slice")
        self.revert_button.setToolTip("Restore the prediction; Ctrl+Z restores the corrections")
        self.status = StatusLabel(parent=self)
        """Messages on the session, shown below all tabs: the keys work on each of them."""
        self._refusal = "", 0
        """The message that a slice holds a label of no category, and the slice."""
        self.new_label = NewLabelBar()
        self.note = QLabel()
        self.note.setWordWrap(True)
        decisions = [*(self.buttons[name] for name in _DECISIONS), self.revert_button]
        self.stored_slice = StoredSliceNote({button.text(): button for button in decisions})
        self._lay_out()
        self._connect()
        self.show_session(None)

    def show_session(self, open_session: OpenSession | None) -> None:
        """Review the slices of an open session; None for no session."""
        self._open_session = open_session
        self.report("")
        self._refusal = "", 0
        self.setEnabled(open_session is not None)
        self.stored_slice.show_session(open_session)
        self.show_changes.setChecked(False)
        self.changes.setText("")
        self.bar.show_all()
        self.show_note("")
        self.accepting.show_session(open_session)
        self.clear_menu.show_session(open_session)
        if self._thumbnails is not None:
            self._thumbnails.close()
            self._thumbnails = None
        if open_session is None:
            self.new_label.show_mask(None)
            self.bar.show_queue(Queue())
            self.table.show_slices(())
            return
        session = open_session.session
        self.show_mask.setChecked(open_session.mask.visible)
        self.new_label.show_mask(open_session.mask, open_session.viewer.layers)
        self._thumbnails = SliceThumbnails(open_session, self.devicePixelRatioF())
        names = row_names([session.name_of(i) for i in range(len(session.states))])
        self.table.show_slices(names, self._thumbnails)
        self.table.slices.note_of = notes_of(open_session.contents)
        self._follow(open_session)
        self._on_order()
        open_session.changes.update()

    def _follow(self, open_session: OpenSession) -> None:
        shown, decisions, autosave = (
            open_session.shown,
            open_session.decisions,
            open_session.autosave,
        )
        shown.moved.connect(self.table.go_to)
        shown.moved.connect(lambda _: self._report_on_slice(""))
        shown.refused.connect(self._report_on_slice)
        decisions.queue_changed.connect(self._on_queue)
        decisions.refused.connect(self._report_on_slice)
        decisions.stray_found.connect(self._on_stray)
        open_session.changes.changed.connect(self._on_changed)
        open_session.mask_shown.connect(self.show_mask.setChecked)
        autosave.saved.connect(self._on_saved)
        autosave.failed.connect(lambda error: self.report(str(error)))

    def report(self, text: str) -> None:
        """Show a message on the session, until the next message."""
        self.status.setText(text)
        self._is_about_slice = False

    def _report_on_slice(self, text: str) -> None:
        """Show a message on the slice on screen; an empty text removes only such a message."""
        if text or self._is_about_slice:
            self.status.setText(text)
            self._is_about_slice = bool(text)

    def show_note(self, text: str) -> None:
        """Show a note that later messages do not replace; an empty text removes it."""
        self.note.setText(text)
        self.note.setVisible(bool(text))

    def accept(self) -> None:
        """Accept the slice on screen and go to the next to do."""
        self.accepting.accept()

    def skip(self) -> None:
        """Skip the slice on screen and go to the next to do."""
        if self._open_session is not None:
            self._open_session.decisions.decide(ReviewState.SKIPPED)

    def flag(self) -> None:
        """Flag the slice on screen and go to the next to do."""
        if self._open_session is not None:
            self._open_session.decisions.decide(ReviewState.FLAGGED)

    def next(self) -> None:
        """Go to the next slice of the list."""
        if self._open_session is not None:
            self._open_session.decisions.step(1)

    def previous(self) -> None:
        """Go to the previous slice of the list."""
        if self._open_session is not None:
            self._open_session.decisions.step(-1)

    def bind(self, viewer: ViewerModel) -> None:
        """Bind the keys of the tab in a viewer, until `unbind`."""
        actions = self._actions()
        self._keys = KeyBindings(viewer)
        self._keys.bind({key_of(name): actions[name] for name in _CONTROLS})

    def unbind(self) -> None:
        """Restore the viewer's own keys."""
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
        self.accepting.reported.connect(self._report_on_slice)
        self.clear_menu.reported.connect(self._report_on_slice)

    def _lay_out(self) -> None:
        grid = QGridLayout()
        grid.setSpacing(4)
        accept = QHBoxLayout()
        accept.setSpacing(1)
        accept.addWidget(self.buttons["accept"], 1)
        self.many_button.setMaximumWidth(_ARROW_WIDTH)
        accept.addWidget(self.many_button)
        grid.addLayout(accept, 0, 0, 1, 2)
        for index, name in enumerate(_BUTTONS[1:], 1):
            row, column, span = (0, 2 * index, 2) if index < 3 else (1, 3 * (index - 3), 3)
            grid.addWidget(self.buttons[name], row, column, 1, span)
        display = QHBoxLayout()
        display.addWidget(self.show_mask)
        display.addWidget(self.show_changes, 1)
        display.addWidget(self.clear_button)
        changes = QHBoxLayout()
        changes.addWidget(self.changes, 1)
        changes.addWidget(self.revert_button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(4, 6, 4, 4)
        layout.setSpacing(6)
        layout.addWidget(self.bar)
        layout.addWidget(self.table, 1)
        layout.addWidget(self.stored_slice)
        layout.addLayout(grid)
        layout.addLayout(changes)
        layout.addLayout(display)
        layout.addWidget(self.new_label)
        layout.addWidget(self.note)

    def _on_chosen(self, index: int) -> None:
        if self._open_session is not None:
            self._open_session.shown.go_to(index)

    def _on_toggled(self, shown: bool) -> None:
        if self._open_session is not None:
            self._open_session.changes.show(shown)

    def _on_revert(self) -> None:
        if self._open_session is not None:
            self._open_session.changes.revert()

    def _on_order(self) -> None:
        self._on_filter()
        open_session = self._open_session
        if open_session is None or self.bar.order is Order.AS_STORED:
            return
        if any(score is not None for score in open_session.session.predicted_dice):
            open_session.decisions.go_to_first()

    def _on_filter(self) -> None:
        if self._open_session is not None:
            self._open_session.decisions.arrange(self.bar.order, self.bar.shown)

    def _on_queue(self) -> None:
        open_session = self._open_session
        if open_session is not None:
            scores = open_session.session.predicted_dice
            self.bar.show_scores(scores)
            queue = open_session.decisions.queue
            self.bar.show_queue(queue)
            self.table.show_queue(queue, scores, open_session.shown.index)

    def _on_stray(self, label: int, index: int) -> None:
        self._refusal = self.status.text(), index
        self.new_label.offer(label)

    def _on_changed(self, changes: SliceChanges) -> None:
        current, (refusal, index) = self._open_session, self._refusal
        if current is not None and self.status.text() == refusal:
            if not current.decisions.stray_on(index):
                self._report_on_slice("")  # the label got a category, or was painted over
        is_hidden = current is not None and not shows_slice(current.viewer, current.mask)
        slice_ = f"Slice {current.shown.index}: " if current is not None and is_hidden else ""
        self.changes.setText(slice_ + correction_summary(changes))
        if self._thumbnails is not None:
            self._thumbnails.check_again()
            self.table.viewport().update()

    def _on_mask(self, shown: bool) -> None:
        if self._open_session is not None:
            self._open_session.show_mask(shown)

    def _on_saved(self, time: Any) -> None:
        # The last save happens after the session was closed.
        if self._open_session is not None and not self._is_about_slice:
            self.report(f"saved {time:%H:%M:%S}")


def _button(name: str, text: str, tip: str) -> QPushButton:
    key = label_of(name)
    button = QPushButton(f"{text}  [{key}]")
    button.setToolTip(f"{tip} (key {key})")
    return button


def _menu_button(text: str, menu: QMenu, tip: str) -> QPushButton:
    button = QPushButton(text)
    button.setToolTip(tip)
    button.setMenu(menu)
    # The text has an arrow.
    button.setStyleSheet("QPushButton::menu-indicator { image: none; width: 0px; }")
    return button


def _check_box(name: str, text: str, tip: str) -> QCheckBox:
    box = QCheckBox(text)
    box.setToolTip(f"{tip} (key {label_of(name)})")
    return box
