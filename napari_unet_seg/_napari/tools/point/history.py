"""The prompts on a mask: they come and go with the steps of its history, and with its session."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QObject, Signal

from napari_unet_seg._napari.layers.undoable_edits import History

if TYPE_CHECKING:
    from collections.abc import Iterator

    from napari.layers import Labels

    from napari_unet_seg.config import Id
    from napari_unet_seg.correct.prompt_marks import Prompt
    from napari_unet_seg.io.common.places import Part
    from napari_unet_seg.session.session import Session
    from napari_unet_seg.session.stored.prompts import PromptRecord


@dataclass
class _Given:
    record: PromptRecord
    atom: Any = None
    """The first change of its step in the mask's history; None if it has left the history."""
    is_on: bool = True
    """Whether its step is not undone."""


class PromptHistory(QObject):
    """The prompts on one mask at a time; the history of the mask says which of them count.

    napari owns undo and redo. A prompt is on the mask as long as its step is: undone with the step,
    and back with it. A prompt whose step has left the history stays as it was.
    """

    changed = Signal()
    """Other prompts than before are on the mask."""

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self.mask: Labels | None = None
        """The mask that the prompts are on."""
        self._session: Session | None = None
        self._given: list[_Given] = []
        self.destroyed.connect(lambda: self._release())

    def show_mask(self, mask: Labels | None, session: Session | None) -> None:
        """Take over the prompts of a mask: of its session, or those that were given before it."""
        if mask is not self.mask:
            self._release()
            self.mask, self._given, self._session = mask, [], None
            if mask is not None:
                mask.events.paint.connect(self._follow)
                mask.events.set_data.connect(self._follow)
        if session is not self._session:
            self._session = session
            if session is not None and not self._given:
                self._given = [_Given(record) for record in session.prompts]
            self._tell()

    def on_plane(self, part: Part, category: Id) -> tuple[Prompt, ...]:
        """Return the prompts for a category on a plane, in the order in which they were given."""
        at = stored_part(part)
        return tuple(
            given.record.prompt
            for given in self._given
            if given.is_on and given.record.part == at and given.record.category == category
        )

    def clear(self, part: Part) -> None:
        """Forget the prompts on a plane; the mask stays as it is."""
        at = stored_part(part)
        self._given = [given for given in self._given if given.record.part != at]
        self._tell()

    @contextmanager
    def giving(self, record: PromptRecord) -> Iterator[None]:
        """Record a prompt with the step of the mask that is made meanwhile, if one is."""
        mask, steps = self.mask, []
        if mask is None:
            yield
            return
        collect = lambda event: steps.append(event.value)  # noqa: E731
        mask.events.paint.connect(collect)
        try:
            yield
        finally:
            mask.events.paint.disconnect(collect)
        if steps:
            self._given.append(_Given(record, steps[0][0]))
            self._tell()

    def _release(self) -> None:
        if self.mask is not None:
            self.mask.events.paint.disconnect(self._follow)
            self.mask.events.set_data.disconnect(self._follow)

    def _follow(self, _: Any = None) -> None:
        """Follow an undo, a redo or another edit of the mask."""
        before = [(id(given), given.is_on) for given in self._given]
        done, undone = History.of(self.mask)
        for given in [given for given in self._given if given.atom is not None]:
            if id(given.atom) in done:
                given.is_on = True
            elif id(given.atom) in undone:
                given.is_on = False
            elif given.is_on:
                given.atom = None
            else:
                self._given.remove(given)
        if before != [(id(given), given.is_on) for given in self._given]:
            self._tell()

    def _tell(self) -> None:
        if self._session is not None:
            self._session.set_prompts(tuple(each.record for each in self._given if each.is_on))
        self.changed.emit()


def stored_part(part: Part) -> tuple[int | None, ...]:
    """Return the index of a plane as a record has it."""
    return tuple(None if isinstance(index, slice) else int(index) for index in part)
