"""The number of voxels of each label of a mask, kept up to date while the mask is edited."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import numpy as np
from qtpy.QtCore import QObject, QTimer, Signal

from napari_unet_seg._napari.layers.edited_slices import EditedSlices
from napari_unet_seg._napari.layers.geometry import geometry_of, voxel_size
from napari_unet_seg._napari.layers.position import volume_axes
from napari_unet_seg.errors import DataError

if TYPE_CHECKING:
    from napari.layers import Labels

_DELAY_MS = 250
_AT_ONCE = 16
"""Slices that are counted in a turn, a few milliseconds, between which the window stays alive."""


class VoxelCounts(QObject):
    """Counts the voxels of a mask slice by slice; of an edited mask the edited slices only."""

    changed = Signal()
    """Emitted when all slices are counted, again after edits."""

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._mask: Labels | None = None
        self._edited: EditedSlices | None = None
        self._slices: dict[int, Counter[int]] = {}
        self._waiting: list[int] = []
        self._shape: tuple[int, ...] = ()
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self._count)
        self.destroyed.connect(lambda: self.watch(None))

    def watch(self, mask: Labels | None) -> None:
        """Count a mask, in place of the previous one; None for no mask."""
        if self._mask is not None and self._edited is not None:
            self._edited.close()
            self._mask.events.paint.disconnect(self._on_edit)
            self._mask.events.set_data.disconnect(self._on_edit)
        self._mask, self._slices, self._waiting = mask, {}, []
        self._shape = () if mask is None else tuple(mask.data.shape)
        self._edited = None if mask is None else EditedSlices(mask)
        if mask is not None:
            mask.events.paint.connect(self._on_edit)
            mask.events.set_data.connect(self._on_edit)
            self.count_again()

    def count_again(self) -> None:
        """Count all slices, after changes that are no edits."""
        if self._mask is not None and isinstance(self._mask.data, np.ndarray):
            self._waiting = list(range(int(np.prod(self._mask.data.shape[:-2]))))
            self._timer.start(0)

    def totals(self) -> Counter[int] | None:
        """Return the number of voxels by label; None while slices are still to be counted."""
        if self._mask is None or self._waiting or not self._slices:
            return None
        return sum(self._slices.values(), Counter())

    def voxel_ml(self) -> float | None:
        """Return the volume of a voxel in millilitres; None where slices form no volume."""
        if self._mask is None:
            return None
        try:
            is_volume = volume_axes(self._mask) == 3
        except DataError:  # more axes than a scan has
            return None
        return voxel_size(geometry_of(self._mask), self._mask.ndim).ml if is_volume else None

    def _on_edit(self, _: Any = None) -> None:
        if not self._timer.isActive():
            self._timer.start(_DELAY_MS)

    def _count(self) -> None:
        if self._mask is None or self._edited is None:
            return
        if self._mask.data.shape != self._shape:
            self.watch(self._mask)  # turned to the axes of its image, for example
            return
        edited = self._edited.take()
        self._waiting += edited - set(self._waiting)
        found = bool(self._waiting)
        for _ in range(min(_AT_ONCE, len(self._waiting))):
            index = self._waiting.pop()
            self._slices[index] = _counted(self._mask.data, index)
        if self._waiting:
            self._timer.start(0)
        elif found:
            self.changed.emit()


def _counted(labels: Any, index: int) -> Counter[int]:
    leading = labels.shape[:-2]
    plane = np.asarray(labels[np.unravel_index(index, leading)] if leading else labels)
    if not plane.any():
        return Counter()
    values, counts = np.unique(plane[plane != 0], return_counts=True)
    return Counter(dict(zip(values.tolist(), counts.tolist(), strict=True)))
