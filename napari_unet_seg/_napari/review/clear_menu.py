"""The menu that removes a category from the plane on screen or from the selected slices."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from qtpy.QtCore import Signal
from qtpy.QtWidgets import QMenu, QWidget

from napari_unet_seg._napari.layers.locks import locked_of
from napari_unet_seg._napari.layers.position import off_screen_problem, shown_part, shows_slice
from napari_unet_seg._napari.layers.undoable_edits import apply_change, edit_summary
from napari_unet_seg.config import IGNORE_INDEX
from napari_unet_seg.correct.change import join_changes, relabel

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from napari.layers import Labels

    from napari_unet_seg._napari.session.open_session import OpenSession
    from napari_unet_seg.io.common.places import Part


class ClearMenu(QMenu):
    """Lists the categories on the plane on screen, and on the slices selected in the list.

    Parameters
    ----------
    selected : callable
        Returns the selected slices.
    """

    reported = Signal(str)
    """Emitted with a message on what was removed."""

    def __init__(self, selected: Callable[[], list[int]], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._selected = selected
        self._open_session: OpenSession | None = None
        self.setToolTipsVisible(True)
        self.aboutToShow.connect(self.refresh)

    def show_session(self, open_session: OpenSession | None) -> None:
        """Offer the categories of a session; None for no session."""
        self._open_session = open_session

    def refresh(self) -> None:
        """List what can be removed now, with the number of pixels."""
        self.clear()
        current = self._open_session
        if current is None:
            return
        viewer, mask = current.viewer, current.mask
        if not off_screen_problem(viewer, mask):
            where = "slice" if shows_slice(viewer, mask) else "plane"
            self._list([shown_part(viewer, mask)], f"on this {where}")
        selected = [current.session.masks.place(index) for index in self._selected()]
        if len(selected) > 1:
            self.addSeparator()
            self._list(selected, f"on the {len(selected)} selected slices")
        if not any(action.isEnabled() for action in self.actions()):
            self.addAction("Nothing to clear here").setEnabled(False)

    def remove(self, values: Sequence[int], parts: Sequence[Part]) -> None:
        """Make labels background on some planes, as one step of the mask's history."""
        current = self._open_session
        if current is None:
            return
        mask = current.mask
        changes = (
            relabel(mask.data[part], value, 0).at(part) for part in parts for value in values
        )
        change = join_changes(changes, mask.ndim)
        if change.values.size:
            current.viewer.layers.selection.active = mask  # Ctrl+Z goes to the active layer
            apply_change(mask, change)
            summary = edit_summary(change, values[0], mask.data.shape)
            self.reported.emit(f"Cleared: {summary.rstrip('.')}; Ctrl+Z restores them.")

    def _list(self, parts: Sequence[Part], where: str) -> None:
        current = self._open_session
        if current is None:
            return
        counts = _counts(current.mask, parts)
        locked = locked_of(current.mask)
        for value, count in counts.items():
            is_locked = value in locked
            end = "locked" if is_locked else f"{count:,} px"
            self._add(f"{_name(current, value)} {where} ({end})", [value], parts, not is_locked)
        free = [value for value in counts if value not in locked]
        if len(free) > 1:
            total = sum(counts[value] for value in free)
            self._add(f"All categories {where} ({total:,} px)", free, parts, True)

    def _add(self, text: str, values: Sequence[int], parts: Sequence[Part], free: bool) -> None:
        action = self.addAction(text)
        action.setEnabled(free)
        action.setToolTip("Make these pixels background (undo with Ctrl+Z)")
        action.triggered.connect(lambda: self.remove(values, parts))


def _counts(mask: Labels, parts: Sequence[Part]) -> dict[int, int]:
    """Return the number of pixels of each label on some planes, background and unreviewed not."""
    total: dict[int, int] = {}
    for part in parts:
        for value, count in zip(*np.unique(mask.data[part], return_counts=True), strict=True):
            total[int(value)] = total.get(int(value), 0) + int(count)
    return {value: total[value] for value in sorted(total) if value not in (0, IGNORE_INDEX)}


def _name(current: OpenSession, value: int) -> str:
    categories = current.session.categories
    return categories[value - 1].name if 0 < value <= len(categories) else f"Label {value}"
