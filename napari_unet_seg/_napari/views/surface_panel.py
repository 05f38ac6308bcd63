"""The mask in 3-D beside its slices: a surface for each category."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from napari.layers import Labels
from qtpy.QtCore import QEvent, Qt
from qtpy.QtWidgets import (
    QDockWidget,
    QHBoxLayout,
    QLabel,
    QMainWindow,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from napari_unet_seg._napari.layers.colours import category_colour
from napari_unet_seg._napari.layers.conversion import categories_of, is_user_layer
from napari_unet_seg._napari.layers.geometry import geometry_of, voxel_size
from napari_unet_seg._napari.layers.position import place_of
from napari_unet_seg._napari.views.planes import directions_of_layer, is_volume_layer
from napari_unet_seg._napari.views.surface_scene import SurfaceScene
from napari_unet_seg._napari.views.surfaces import surfaces_of
from napari_unet_seg._napari.widgets import jobs
from napari_unet_seg._napari.widgets.dock_widths import keep_dock_widths
from napari_unet_seg._napari.widgets.windows import ancestor

if TYPE_CHECKING:
    from napari.viewer import Viewer, ViewerModel

    from napari_unet_seg._napari.views.surfaces import CategorySurface

_NAME = "Mask in 3D"
_MM3_IN_ML = 1000
_EDITS = ("paint", "labels_update", "set_data")


class SurfacePanel(QWidget):
    """Shows the surfaces of the mask on screen; computed again on demand.

    Parameters
    ----------
    viewer : napari.Viewer
        The viewer of the mask.
    """

    def __init__(self, viewer: ViewerModel) -> None:
        super().__init__()
        self._viewer = viewer
        self._mask: Labels | None = None
        self._job: jobs.Job | None = None
        self.scene = SurfaceScene(self)
        self.button = QPushButton("Update")
        self.button.setToolTip("Draw the surfaces of the mask as it is now")
        self.status = QLabel()
        self.status.setWordWrap(True)
        self.button.clicked.connect(self.refresh)
        row = QHBoxLayout()
        row.addWidget(self.status, 1)
        row.addWidget(self.button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(4, 4, 4, 4)
        layout.addWidget(self.scene.widget, 1)
        layout.addLayout(row)
        self.setMinimumWidth(220)
        self.destroyed.connect(lambda: self._watch(None))

    def refresh(self) -> None:
        """Draw the surfaces of the mask on screen."""
        mask = mask_on_screen(self._viewer)
        if self._job is not None:
            self._job.quit()
        self._watch(mask)
        if mask is None:
            self.status.setText("No mask of a volume is on screen; segment one or open one.")
            return
        labels = np.array(mask.data[place_of(self._viewer, mask)[:-1]])
        size = voxel_size(geometry_of(mask), mask.ndim)
        spacing = size.sizes[-3:]
        self.scene.show_box(
            directions_of_layer(self._viewer, mask), np.multiply(labels.shape, spacing)
        )
        self.button.setText("Update")
        self.status.setText("Drawing …")
        found: list[str] = []

        def take(surface: CategorySurface) -> None:
            name, colour = _category(mask, surface.value)
            self.scene.add_surface(surface.vertices, surface.faces, colour)
            volume = f" {surface.volume / _MM3_IN_ML:.2f} ml" if size.unit == "mm" else ""
            found.append(f"{name}{volume}")
            self.status.setText(" · ".join(found))

        def done() -> None:
            self._job = None
            if not found:
                self.status.setText(f"{mask.name} is empty.")

        surfaces = surfaces_of(labels, spacing)  # type: ignore[arg-type]
        self._job = jobs.run(surfaces, on_event=take, on_done=done, name="Drawing the surface")
        self._job.owner = self
        self.destroyed.connect(self._job.abandon)

    def event(self, event: QEvent) -> bool:
        """Free the canvas when the panel is closed; leave the docks beside it as they are."""
        window = ancestor(self, QMainWindow)
        if event.type() == QEvent.Type.Hide and window is not None:
            keep_dock_widths(window)
        if event.type() == QEvent.Type.ParentChange and self.parent() is None:
            self._watch(None)
            if self._job is not None:
                self._job.quit()
        return bool(super().event(event))

    def _watch(self, mask: Labels | None) -> None:
        """Tell when this mask is edited, in place of the previous one."""
        for emitter in _edits(self._mask):
            emitter.disconnect(self._on_edit)
        self._mask = mask
        for emitter in _edits(mask):
            emitter.connect(self._on_edit)

    def _on_edit(self, _: Any = None) -> None:
        self.button.setText("Update (edited)")


def _edits(mask: Labels | None) -> list[Any]:
    return [] if mask is None else [getattr(mask.events, kind) for kind in _EDITS]


def mask_on_screen(viewer: ViewerModel) -> Labels | None:
    """Return the mask of a volume that is active, else the topmost visible one."""
    active = viewer.layers.selection.active
    layers = [*([] if active is None else [active]), *reversed(viewer.layers)]
    return next((layer for layer in layers if layer.visible and _is_volume_mask(layer)), None)


def show_surfaces(viewer: Viewer, panel: SurfacePanel | None) -> SurfacePanel:
    """Show the surfaces in a panel beside the slices, in the panel that is open already if any."""
    dock = ancestor(panel, QDockWidget)
    if panel is None or dock is None:
        panel = SurfacePanel(viewer)
        dock = viewer.window.add_dock_widget(panel, name=_NAME, area="right", tabify=False)
        window = ancestor(dock, QMainWindow)
        if window is not None:
            # Beside the other docks, since below them none would be high enough.
            area = Qt.DockWidgetArea.RightDockWidgetArea
            window.addDockWidget(area, dock, Qt.Orientation.Horizontal)
    dock.show()  # its title bar can hide it
    panel.refresh()
    return panel


def _is_volume_mask(layer: Any) -> bool:
    return is_user_layer(layer, Labels) and not layer.multiscale and is_volume_layer(layer)


def _category(mask: Labels, value: int) -> tuple[str, str]:
    categories = categories_of(mask)
    name = categories[value - 1].name if value <= len(categories) else f"label {value}"
    return name, category_colour(name)
