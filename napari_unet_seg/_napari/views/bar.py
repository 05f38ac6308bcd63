"""The bar of views: planes of the patient, contrast, letters, and the mask in 3-D."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QEvent
from qtpy.QtWidgets import (
    QHBoxLayout,
    QMainWindow,
    QOpenGLWidget,
    QVBoxLayout,
    QWidget,
)

from napari_unet_seg._napari.files.guessed_masks import is_guessed, show_as_image
from napari_unet_seg._napari.views.contrast import ContrastButton
from napari_unet_seg._napari.views.letters import CanvasLetters
from napari_unet_seg._napari.views.linked_views import LinkedViews
from napari_unet_seg._napari.views.planes import (
    camera_of,
    edge_letters,
    show_plane,
    shown_plane,
    turn_upright,
    views_in,
)
from napari_unet_seg._napari.views.small_button import SmallButton
from napari_unet_seg._napari.views.surface_panel import SurfacePanel, show_surfaces
from napari_unet_seg._napari.views.tiff_masks import TiffMasks
from napari_unet_seg._napari.widgets.dock_widget import connect
from napari_unet_seg._napari.widgets.messages import show_error
from napari_unet_seg._napari.widgets.settings import recall, remember
from napari_unet_seg._napari.widgets.windows import ancestor
from napari_unet_seg.errors import SegmentationError
from napari_unet_seg.io.common.grids.orientation import plane_views

if TYPE_CHECKING:
    from napari.viewer import Viewer

_LETTERS = "views/letters"
_TIPS = {
    "axial": "Slices from feet to head, the patient's right side at the left",
    "coronal": "Slices from front to back, the patient's right side at the left",
    "sagittal": "Slices from side to side, the face at the left",
}
_UNKNOWN = "the file does not tell how the patient lies"
_NO_VOLUME = "Other planes need a volume; choose one in the list of layers"


class ViewBar(QWidget):
    """Buttons for the views of the viewer's volume.

    Parameters
    ----------
    viewer : napari.Viewer
        The viewer to turn.
    """

    def __init__(self, viewer: Viewer, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._viewer = viewer
        self._letters: CanvasLetters | None = None
        self.planes = [SmallButton(checkable=True) for _ in range(3)]
        self.contrast = ContrastButton(viewer)
        self.surface = SmallButton("3D", "Show the mask as a surface beside the slices")
        self._panel: SurfacePanel | None = None
        self.linked = SmallButton(
            "⊞",
            "Show the other two planes beside this one, linked; a brush paints in each",
            checkable=True,
        )
        self._linked = LinkedViews(viewer, self)
        self.letters = SmallButton(
            "L R", "Letters of the patient's sides at the edges of the canvas", checkable=True
        )
        self.letters.setChecked(bool(recall(_LETTERS, True)))
        self.image_button = SmallButton(
            "It is an image",
            "The file opened as a mask, since it holds a few whole numbers; open it as an image",
        )
        self._tiff_masks = TiffMasks(viewer, self)
        self._lay_out()
        self._connect()
        self.refresh()

    def show_plane(self, name: str) -> None:
        """Show a plane of the volume on screen by its name, `coronal` for example."""
        view = views_in(self._viewer).get(name)
        if view is not None:
            show_plane(self._viewer, view)
        self.refresh()

    def refresh(self, _: Any = None) -> None:
        """Show which planes there are, and which is on screen, with its letters."""
        turn_upright(self._viewer)
        views = views_in(self._viewer)
        shown = shown_plane(self._viewer)
        for button, name in zip(self.planes, views or plane_views("SPL"), strict=True):
            button.setText(name.capitalize() if name in _TIPS else name)
            button.setProperty("plane", name)
            button.setEnabled(bool(views))
            button.setChecked(name == shown)
            tip = _TIPS.get(name, f"The {name} plane of the array, since {_UNKNOWN}")
            button.setToolTip(tip if views else _NO_VOLUME)
        active = self._viewer.layers.selection.active
        self.image_button.setVisible(active is not None and is_guessed(active))
        self.refresh_letters()

    def show_as_image(self) -> None:
        """Show the active layer, which opened as a mask, as an image."""
        active = self._viewer.layers.selection.active
        if active is not None:
            try:
                show_as_image(self._viewer, active)
            except SegmentationError as error:
                show_error(str(error))

    def toggle_linked(self) -> None:
        """Show the other two planes beside the one on screen, or hide them."""
        try:
            self._linked.toggle()
        except SegmentationError as error:
            show_error(str(error))
        self.linked.setChecked(self._linked.shown)
        self.refresh_letters()

    def show_surface(self) -> None:
        """Show the mask on screen as a surface beside the slices."""
        self._panel = show_surfaces(self._viewer, self._panel)

    def refresh_letters(self, _: Any = None) -> None:
        """Show the letters of the plane on screen, if they are wanted."""
        self._linked.show_letters(self.letters.isChecked())
        if self._letters is not None:
            wanted = self.letters.isChecked()
            letters = edge_letters(self._viewer)
            self._letters.show_letters(letters if wanted else type(letters)())

    def event(self, event: QEvent) -> bool:
        """Put the letters on the canvas once the bar is in a window."""
        if event.type() == QEvent.Type.Show and self._letters is None:
            self._find_canvas()
        return bool(super().event(event))

    def _find_canvas(self) -> None:
        window = ancestor(self, QMainWindow)
        centre = None if window is None else window.centralWidget()
        canvas = None if centre is None else centre.findChild(QOpenGLWidget)
        if canvas is not None:
            self._letters = CanvasLetters(canvas, self)
            self.refresh_letters()

    def _connect(self) -> None:
        for button in self.planes:
            button.clicked.connect(lambda _, b=button: self.show_plane(b.property("plane")))
        self.letters.clicked.connect(self._on_letters)
        self.surface.clicked.connect(self.show_surface)
        self.linked.clicked.connect(self.toggle_linked)
        self.image_button.clicked.connect(self.show_as_image)
        dims, layers = self._viewer.dims.events, self._viewer.layers
        connect(
            self,
            (dims.order, self.refresh),
            (dims.ndisplay, self.refresh),
            (dims.ndim, self.refresh),
            (layers.events.inserted, self.refresh),
            (layers.events.removed, self.refresh),
            (layers.selection.events.active, self.refresh),
            (camera_of(self._viewer).events.orientation, self.refresh_letters),
        )

    def _on_letters(self, shown: bool) -> None:
        remember(_LETTERS, shown)
        self.refresh_letters()

    def _lay_out(self) -> None:
        row = QHBoxLayout()
        row.setSpacing(2)  # with more, this row alone would widen the dock
        for button in (*self.planes, self.contrast, self.surface, self.linked, self.letters):
            row.addWidget(button)
        row.addStretch(1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addLayout(row)
        layout.addWidget(self.image_button)
