"""The preview of a threshold on a mask while the slider is dragged."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from napari.layers import Labels

    from napari_unet_seg.arrays import Array
    from napari_unet_seg.correct.tools import Operation
    from napari_unet_seg.io.common.places import Part


class ThresholdPreview:
    """Shows the result of a tool in a slice of a mask, outside its history, until `end`.

    The preview overwrites the mask's own slice, because napari takes up to half a second to add
    another layer.
    """

    def __init__(self) -> None:
        self._shown: tuple[Labels, Part, Array] | None = None

    def show(self, mask: Labels, place: Part, operation: Operation) -> None:
        """Show the original slice at `place` with the change of an operation."""
        if self._shown is None:
            self._shown = (mask, place, mask.data[place].copy())
        mask, place, before = self._shown
        change = operation(before, place)
        labels = before.copy()
        labels[change.indices] = change.values
        _draw(mask, place, labels)

    def end(self) -> bool:
        """Restore the original slice; return whether a preview was shown."""
        shown, self._shown = self._shown, None
        if shown is not None:
            _draw(*shown)
        return shown is not None


def _draw(mask: Labels, place: Part, labels: Array) -> None:
    mask.data[place] = labels
    mask.refresh(thumbnail=False, highlight=False, extent=False)
