"""SliceThumbnails of a session's slices."""

from __future__ import annotations

import logging
import zlib
from typing import TYPE_CHECKING, Any

import numpy as np
from qtpy.QtGui import QColor, QImage

from napari_unet_seg._napari.layers.colours import category_colour
from napari_unet_seg._napari.layers.thumbnail import draw_thumbnail
from napari_unet_seg._napari.widgets.queue.lazy_icons import SIZE, LazyIcons, read_plane

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from napari_unet_seg._napari.session.open_session import OpenSession
    from napari_unet_seg._napari.widgets.queue.lazy_icons import Drawing
    from napari_unet_seg.config import Category

logger = logging.getLogger(__name__)


class SliceThumbnails(LazyIcons):
    """Draws the slices of an open session with the outline of their masks.

    Parameters
    ----------
    open_session : OpenSession
        The session; its mask is copied on the main thread, its scan is read in another thread.
    ratio : float
        Pixels of the screen in a device-independent pixel.
    """

    def __init__(self, open_session: OpenSession, ratio: float = 1.0) -> None:
        super().__init__(ratio)
        self._session, self._mask = open_session.session, open_session.mask
        self._image = open_session.image

    def _prepare(self, index: int) -> Callable[[], Drawing]:
        place = self._session.masks.place(index)
        # Copied slice by slice, which takes little memory and does not block the window.
        labels = np.array(self._mask.data[place])
        window = (0.0, 255.0) if self._image.rgb else tuple(self._image.contrast_limits)
        colours = outline_colours(self._session.categories)
        before = self._stamp(index)

        def draw() -> Drawing:
            stamp = zlib.crc32(np.ascontiguousarray(labels).data), tuple(colours.items())
            return (None if stamp == before else self._draw(place, labels, window, colours)), stamp

        return draw

    def _draw(self, place: tuple[int, ...], labels: Any, window: Any, colours: Any) -> QImage:
        try:
            plane = read_plane(self._session.scan.data[place])
            y, x = self._session.scan.spacing[-2:]
            size = round(SIZE * self._ratio)
            pixels = draw_thumbnail(plane, labels, colours, window, size, (y, x))
        except Exception:  # a file of a lazy stack may be missing, damaged or locked
            logger.exception("The thumbnail of slice %s could not be drawn", place)
            return QImage()
        return self._picture(pixels)


def outline_colours(categories: Iterable[Category]) -> dict[int, tuple[int, int, int]]:
    """Return the colour of the outline of each label."""
    return {
        value: QColor(category_colour(category.name)).getRgb()[:3]
        for value, category in enumerate(categories, 1)
    }
