"""What a mask would be like, while a slider is dragged."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from napari.layers import Labels

    from napari_unet_seg.correct.tools import Operation, Position

Array = np.ndarray[Any, np.dtype[Any]]


class Preview:
    """Draws a slice of a mask as a tool would leave it, past the history, until `end`.

    It is the mask's own slice that is drawn over: a layer to lay over it takes napari up to half a
    second to make.
    """

    def __init__(self) -> None:
        self._shown: tuple[Labels, Position, Array] | None = None

    def show(self, mask: Labels, place: Position, work: Operation) -> None:
        """Draw the slice at `place` as it was at first and then changed by the work."""
        if self._shown is None:
            self._shown = (mask, place, mask.data[place].copy())
        mask, place, before = self._shown
        change = work(before, place)
        labels = before.copy()
        labels[change.indices] = change.values
        _draw(mask, place, labels)

    def end(self) -> bool:
        """Bring the slice back; tells whether there was anything to bring back."""
        shown, self._shown = self._shown, None
        if shown is not None:
            _draw(*shown)
        return shown is not None


def _draw(mask: Labels, place: Position, labels: Array) -> None:
    mask.data[place] = labels
    mask.refresh(thumbnail=False, highlight=False, extent=False)
