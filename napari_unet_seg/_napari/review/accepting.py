"""Accepting one slice or many, with a question where nothing was segmented yet."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import QObject, Signal

from napari_unet_seg._napari.layers.position import off_screen_problem
from napari_unet_seg._napari.review.accept_menu import AcceptMenu
from napari_unet_seg._napari.review.unsegmented_question import ask_unsegmented
from napari_unet_seg._napari.session.many_decisions import ManyDecisions
from napari_unet_seg._napari.widgets.keys import KeyBindings
from napari_unet_seg.io.common.counting import counted

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from qtpy.QtWidgets import QMessageBox, QWidget

    from napari_unet_seg._napari.session.open_session import OpenSession
    from napari_unet_seg._napari.widgets.queue.table import QueueTable


class Accepting(QObject):
    """Accepts the slice on screen, or many slices at once as one step that can be taken back.

    Until the mask is edited or a slice decided on, Ctrl+Z takes the step back; the menu does so
    until the next step.

    Parameters
    ----------
    table : QueueTable
        The list whose selected slices can be accepted.
    parent : QWidget
        The widget that questions belong to.
    """

    reported = Signal(str)
    """Emitted with a message on what was accepted or taken back."""

    def __init__(self, table: QueueTable, parent: QWidget) -> None:
        super().__init__(parent)
        self._parent = parent
        self._open_session: OpenSession | None = None
        self._many: ManyDecisions | None = None
        self._undo_keys: list[KeyBindings] = []
        self._is_confirmed = False
        """Whether the user has accepted slices of this session that were not segmented."""
        self.question: QMessageBox | None = None
        """The question that is open."""
        self.menu = AcceptMenu(lambda: table.selected, parent)
        self.menu.accept_wanted.connect(self.accept_many)
        self.menu.take_back_wanted.connect(self.take_back)

    def show_session(self, open_session: OpenSession | None) -> None:
        """Accept slices of another session; None for no session."""
        self._release_undo()
        if self.question is not None:
            self.question.reject()
        self._open_session, self._is_confirmed = open_session, False
        self._many = ManyDecisions(open_session) if open_session else None
        self.menu.show_session(self._many)
        if open_session is not None:
            open_session.decisions.decided.connect(self._release_undo)

    def accept(self) -> None:
        """Accept the slice on screen and go to the next to do."""
        current = self._open_session
        if current is not None:
            problem = off_screen_problem(current.viewer, current.mask)
            self._when_confirmed([] if problem else [current.shown.index], current.decisions.accept)

    def accept_many(self, slices: Sequence[int]) -> None:
        """Accept slices at once."""
        self._when_confirmed(slices, lambda: self._accept(slices))

    def take_back(self) -> None:
        """Restore the states before the last slices that were accepted at once."""
        self._release_undo()
        if self._many is not None:
            number = self._many.take_back()
            self.reported.emit(f"{counted(number, 'slice')} back at the state before.")

    def _accept(self, slices: Sequence[int]) -> None:
        current, many = self._open_session, self._many
        if current is None or many is None:
            return
        number = many.accept(slices)
        if number:
            self._bind_undo(current)
            text = f"{counted(number, 'slice')} accepted; Ctrl+Z takes that back."
            if left := len(slices) - number:
                text += f" {left} with labels of no category stayed to do."
            self.reported.emit(text)

    def _when_confirmed(self, slices: Sequence[int], act: Callable[[], object]) -> None:
        """Act at once, or after a yes if some slices were never segmented."""
        current = self._open_session
        unsegmented = [i for i in slices if current and current.contents.is_unsegmented(i)]
        if not unsegmented or self._is_confirmed:
            act()
            return

        def confirm() -> None:
            self._is_confirmed = True
            act()

        self.question = ask_unsegmented(self._parent, len(unsegmented), on_yes=confirm)
        self.question.finished.connect(self._forget_question)

    def _forget_question(self, _: int) -> None:
        self.question = None

    def _bind_undo(self, current: OpenSession) -> None:
        # The active layer has the first say, and else the viewer.
        self._undo_keys = [KeyBindings(current.mask), KeyBindings(current.viewer)]
        for keys in self._undo_keys:
            keys.bind({"Control-Z": self.take_back})
        current.mask.events.paint.connect(self._release_undo)

    def _release_undo(self, _: object = None) -> None:
        for keys in self._undo_keys:
            keys.unbind()
        if self._undo_keys and self._open_session is not None:
            self._open_session.mask.events.paint.disconnect(self._release_undo)
        self._undo_keys = []
