"""Contrast limits of an image: from its file, by percentiles, or of the full range."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from napari.layers import Image
from qtpy.QtWidgets import QMenu, QWidget

from napari_unet_seg._napari.layers.conversion import is_user_layer
from napari_unet_seg._napari.layers.layer_record import record_of
from napari_unet_seg._napari.views.small_button import SmallButton
from napari_unet_seg.io.common.window import WINDOWS, percentile_window

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari.viewer import ViewerModel

    from napari_unet_seg.io.common.window import Window

_PERCENTILES = (1, 99)


class Preset(NamedTuple):
    """Contrast limits to choose."""

    text: str
    limits: Callable[[], Window]
    """Returns the limits; may read the whole image."""


def presets_of(image: Image) -> list[Preset]:
    """Return the contrast limits to choose from for an image: its file's first."""
    scan = record_of(image).scan
    windows = () if scan is None else scan.meta.get(WINDOWS, ())
    data = image.data[-1] if image.multiscale else image.data
    low, high = _PERCENTILES
    return [
        *(
            Preset(_text(window, number, len(windows)), lambda w=window: (w.low, w.high))  # type: ignore[misc]
            for number, window in enumerate(windows, 1)
        ),
        Preset(f"Percentiles {low}–{high}", lambda: percentile_window(data, low, high)),
        Preset("Full range", lambda: _full_range(data)),
    ]


def image_to_adjust(viewer: ViewerModel) -> Image | None:
    """Return the active image, else the topmost visible one; colours have no contrast limits."""
    active = viewer.layers.selection.active
    layers = [*([] if active is None else [active]), *reversed(viewer.layers)]
    images = (x for x in layers if is_user_layer(x, Image) and not x.rgb)
    return next((image for image in images if image.visible), None)


class ContrastButton(SmallButton):
    """A button with a menu of contrast limits for the image on screen.

    Parameters
    ----------
    viewer : napari.Viewer
        The viewer of the image.
    """

    def __init__(self, viewer: ViewerModel, parent: QWidget | None = None) -> None:
        super().__init__("Contrast", parent=parent)
        self._viewer = viewer
        self.setToolTip(
            "Contrast limits of the image on screen: as its file proposes, by percentiles, or all"
        )
        self.choices = QMenu(self)
        self.choices.aboutToShow.connect(self.list_choices)
        self.setMenu(self.choices)

    def list_choices(self) -> None:
        """Fill the menu for the image on screen."""
        self.choices.clear()
        image = image_to_adjust(self._viewer)
        if image is None:
            self.choices.addAction("No image is on screen").setEnabled(False)
            return
        # A section would be a bare line: napari's style does not draw the title.
        self.choices.addAction(image.name.replace("&", "&&")).setEnabled(False)
        self.choices.addSeparator()
        for preset in presets_of(image):
            action = self.choices.addAction(preset.text)
            action.triggered.connect(lambda _, p=preset: _apply(image, p))


def _apply(image: Any, preset: Preset) -> None:
    image.contrast_limits = preset.limits()


def _text(window: Any, number: int, count: int) -> str:
    name = window.name or ("of the file" if count < 2 else f"{number} of the file")
    return f"Window {name}: {window.low:g} to {window.high:g}"


def _full_range(data: Any) -> Window:
    values = np.asarray(data)
    finite = values[np.isfinite(values)] if values.dtype.kind == "f" else values
    if not finite.size:
        return 0.0, 1.0
    low, high = float(finite.min()), float(finite.max())
    return (low, high) if high > low else (low, low + 1)
