"""Linked views: the other two planes beside the one on screen, by napari-orthogonal-views."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from napari.layers import Labels
from qtpy.QtWidgets import QApplication, QMainWindow, QOpenGLWidget, QWidget

from napari_unet_seg._napari.layers.conversion import is_user_layer
from napari_unet_seg._napari.layers.position import go_to_part, shown_part
from napari_unet_seg._napari.views.letters import CanvasLetters
from napari_unet_seg._napari.views.planes import (
    EdgeLetters,
    directions_in,
    edge_letters,
    turn_upright,
)
from napari_unet_seg._napari.widgets.windows import ancestor
from napari_unet_seg.io.common.grids.orientation import view_across
from napari_unet_seg.io.common.optional_dependencies import require

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from napari.viewer import Viewer, ViewerModel

_PACKAGE = "napari_orthogonal_views"


class LinkedViews:
    """Shows and hides the linked views of a viewer, upright and with letters.

    Parameters
    ----------
    viewer : napari.Viewer
        The viewer; its plane stays where it is.
    bar : QWidget
        A widget in the viewer's window.
    """

    def __init__(self, viewer: Viewer, bar: QWidget) -> None:
        self._bar = bar
        self._viewer = viewer
        self._manager: Any = None
        self._letters: list[tuple[ViewerModel, CanvasLetters]] = []
        self._are_letters_wanted = True

    @property
    def shown(self) -> bool:
        """Whether the linked views are on screen."""
        return self._manager is not None and bool(self._manager.is_shown())

    def toggle(self) -> None:
        """Show the linked views, or hide them.

        Raises
        ------
        DataError
            If napari-orthogonal-views is not installed.
        """
        require(_PACKAGE)
        from napari_orthogonal_views.ortho_view_manager import _get_manager

        if self.shown:
            self._letters = []
            self._manager.cleanup()
            # Else it would clean up once more when the window is closed, fail, and keep it open.
            self._manager.main_window.removeEventFilter(self._manager._close_event_filter)  # noqa: SLF001
            self._manager = None
            self._show_canvas()
            return
        self._manager = _get_manager(self._viewer)
        self._manager.register_layer_hook(Labels, _report_edits, "unet_seg_edits")
        # The package divides the space as it is once its container is laid out.
        QApplication.processEvents()
        self._manager.show()
        self._manager.main_controls_widget.controls_widget.show_axes.setChecked(False)
        self._meet_in_mask()
        for widget in (self._manager.right_widget, self._manager.bottom_widget):
            self._follow(widget)

    def _meet_in_mask(self) -> None:
        """Let the planes meet within the mask on screen, if the slice has something of it."""
        masks = [each for each in self._viewer.layers if is_user_layer(each, Labels)]
        mask = next((each for each in reversed(masks) if each.visible), None)
        if mask is None:
            return
        part = shown_part(self._viewer, mask)
        pixels = np.argwhere(np.asarray(mask.data[part]) > 0)
        if len(pixels):
            middle = pixels[np.abs(pixels - pixels.mean(0)).sum(1).argmin()].tolist()
            whole = (*part, *[slice(None)] * (mask.ndim - len(part)))
            place = [middle.pop(0) if isinstance(index, slice) else index for index in whole]
            go_to_part(self._viewer, mask, tuple(place))

    def show_letters(self, shown: bool) -> None:
        """Show or hide the letters at the edges of the linked views."""
        self._are_letters_wanted = shown
        for model, letters in self._letters:
            letters.show_letters(edge_letters(model) if shown else EdgeLetters())

    def _show_canvas(self) -> None:
        """Show the viewer's own canvas, which is hidden after it was put back."""
        window = ancestor(self._bar, QMainWindow)
        centre = None if window is None else window.centralWidget()
        for canvas in [] if centre is None else centre.findChildren(QOpenGLWidget):
            widget = canvas
            while widget is not centre:
                widget.show()
                widget = widget.parentWidget()

    def _follow(self, widget: Any) -> None:
        """Keep a linked view upright, with letters."""
        model, canvas = widget.vm_container.viewer_model, widget.findChild(QOpenGLWidget)
        self._letters.append((model, CanvasLetters(canvas, canvas)))

        def update(_: object = None) -> None:
            _stand_upright(model)
            self.show_letters(self._are_letters_wanted)

        for event in (model.dims.events.order, model.layers.selection.events.active):
            event.connect(update)
        update()
        model.reset_view()


def _stand_upright(model: ViewerModel) -> None:
    first = model.dims.ndim - 3
    if first < 0:
        return
    view = view_across(directions_in(model), model.dims.order[-3] - first)
    model.dims.order = (*range(first), *(first + axis for axis in view.axes))
    turn_upright(model)


def _report_edits(original: Labels, copy: Labels) -> Iterable[tuple[Any, Callable[[Any], None]]]:
    """Report edits in a linked view as edits of the mask, so that locks and sessions see them."""

    def report(event: Any) -> None:
        original.events.paint(value=event.value)

    copy.events.paint.connect(report)
    return [(copy.events.paint, report)]
