"""The slice of the open session's mask that is on screen."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QObject, Signal

from napari_unet_seg._napari.layers.position import (
    go_to,
    go_to_lesion,
    index_of,
    off_screen_problem,
    place_of,
    shown_part,
)

if TYPE_CHECKING:
    from napari.layers import Labels
    from napari.viewer import ViewerModel

    from napari_unet_seg.io.common.places import Part


class ShownSlice(QObject):
    """Follows the viewer from slice to slice of a mask, until `close`.

    Parameters
    ----------
    viewer : napari.Viewer
        The viewer of the mask.
    mask : Labels
        The mask.
    parent : QObject
        Owner of this object.
    """

    moved = Signal(int)
    """Emitted with the index of the new slice on screen."""
    turned = Signal()
    """Another plane of the volume may be on screen, or the volume in 3-D."""
    redrawn = Signal()
    """The viewer has moved or turned, even if the same slice is on screen."""
    refused = Signal(str)
    """Emitted with the reason why an action on the slice on screen was not done."""

    def __init__(self, viewer: ViewerModel, mask: Labels, parent: QObject) -> None:
        super().__init__(parent)
        self._viewer, self._mask = viewer, mask
        self.index = index_of(viewer, mask)
        events = viewer.dims.events
        self._connections = (
            (events.point, self._on_move),
            (events.order, self._on_turn),
            (events.ndisplay, self._on_turn),
        )
        for emitter, callback in self._connections:
            emitter.connect(callback)

    @property
    def place(self) -> tuple[int, ...]:
        """The place of the slice along the leading axes of the mask."""
        return place_of(self._viewer, self._mask)

    @property
    def part(self) -> Part:
        """The plane of the mask on screen, which may cross the slices; `place` if none is."""
        if off_screen_problem(self._viewer, self._mask):
            return self.place
        return shown_part(self._viewer, self._mask)

    def check(self) -> bool:
        """Whether the viewer shows a plane of the mask; if not, emit the reason."""
        problem = off_screen_problem(self._viewer, self._mask)
        if problem:
            self.refused.emit(problem)
        return not problem

    def go_to(self, index: int) -> None:
        """Show a slice."""
        go_to(self._viewer, self._mask, index)

    def go_to_lesion(self) -> None:
        """Show the slice with most of the largest lesion, if there is any."""
        go_to_lesion(self._viewer, self._mask)

    def close(self) -> None:
        """Disconnect from the viewer."""
        for emitter, callback in self._connections:
            emitter.disconnect(callback)

    def _on_move(self, _: Any = None) -> None:
        index = index_of(self._viewer, self._mask)
        if index != self.index:
            self.index = index
            self.moved.emit(index)
        self.redrawn.emit()

    def _on_turn(self, _: Any = None) -> None:
        self.turned.emit()
        self.redrawn.emit()
