"""Locked categories: neither tools nor brush change them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from qtpy.QtCore import QObject, QTimer, Signal

from napari_unet_seg._napari.layers.layer_record import record_of, update_record
from napari_unet_seg._napari.layers.undoable_edits import take_back

if TYPE_CHECKING:
    from napari.layers import Labels

    from napari_unet_seg.arrays import Array


def locked_of(mask: Labels) -> frozenset[int]:
    """Return the locked labels of a mask."""
    return record_of(mask).locked


def set_locked(mask: Labels, value: int, locked: bool) -> None:
    """Lock or unlock a label of a mask; who listens to `layer.events.features` is told."""
    others = locked_of(mask) - {value}
    update_record(mask, locked=others | {value} if locked else others)
    mask.events.features()


class LockGuard(QObject):
    """Restores locked pixels after an edit, within the edit's own step of undo.

    napari has no such lock: its `preserve_labels` protects all labels, not some. The event of an
    edit may come before its pixels are written, so the pixels are restored when the event loop is
    idle.
    """

    kept = Signal(int)
    """Emitted with the number of restored pixels."""

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._mask: Labels | None = None
        self._steps: list[list[Any]] = []
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self._put_back)
        self.destroyed.connect(lambda: self.watch(None))

    def watch(self, mask: Labels | None) -> None:
        """Guard a mask, in place of the previous mask; None for no mask."""
        if self._mask is not None:
            self._mask.events.paint.disconnect(self._on_edit)
        self._mask, self._steps = mask, []
        if mask is not None:
            mask.events.paint.connect(self._on_edit)

    def _on_edit(self, event: Any) -> None:
        if self._mask is not None and locked_of(self._mask):
            self._steps.append(event.value)
            self._timer.start(0)

    def _put_back(self) -> None:
        steps, self._steps = self._steps, []
        if self._mask is None:
            return
        count = sum(_undo_locked(self._mask, step) for step in steps)
        if count:
            self._mask.refresh()
            self.kept.emit(count)


def _undo_locked(mask: Labels, step: list[Any]) -> int:
    """Restore locked pixels that a step of the history changed, as a part of that step."""
    locked = list(locked_of(mask))

    def is_locked(_: Any, before: Array, after: Array) -> Array:
        return np.asarray(np.isin(before, locked) | np.isin(after, locked))

    return take_back(mask, step, is_locked)
