"""The slice of a mask on screen, as an index and as a place along the leading axes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from napari_unet_seg._napari.layers.conversion import scan_from_layer
from napari_unet_seg._napari.layers.geometry import (
    convert_units,
    is_on_screen,
    viewer_point,
    world_units,
)
from napari_unet_seg.io.common.places import index_at, place_at

if TYPE_CHECKING:
    from napari.layers import Image, Labels
    from napari.viewer import ViewerModel


def make_editable(mask: Labels) -> None:
    """Copy the data of a mask that is lazy or read-only, so that the mask can be painted on."""
    if not isinstance(mask.data, np.ndarray) or not mask.data.flags.writeable:
        mask.data = np.array(mask.data)


def place_of(viewer: ViewerModel, mask: Labels) -> tuple[int, ...]:
    """Return the place of the viewer's point along the leading axes, clipped to the mask."""
    point = viewer_point(viewer, mask)[:-2]
    sizes = mask.data.shape[:-2]
    return tuple(min(max(round(float(p)), 0), n - 1) for p, n in zip(point, sizes, strict=True))


def volume_axes(mask: Labels) -> int:
    """Return the number of axes of a volume of a mask: 2 if the slices form no volume."""
    return 3 if scan_from_layer(mask).axes[-3:] == "ZYX" else 2


def shows_slice(viewer: ViewerModel) -> bool:
    """Whether the viewer shows slices of the last two axes, not 3-D or another orientation."""
    return sorted(viewer.dims.displayed) == [viewer.dims.ndim - 2, viewer.dims.ndim - 1]


def off_screen_problem(viewer: ViewerModel, layer: Image | Labels, *, remedy: str = "") -> str:
    """Return why no slice of a layer is on screen, as a message; empty if a slice is.

    Parameters
    ----------
    viewer : napari.Viewer
        The viewer of the layer.
    layer : Image or Labels
        The layer of which a slice is needed.
    remedy : str
        A further remedy for the end of the message.
    """
    if not shows_slice(viewer):
        return f"No slice is on screen as a plane; turn the view back{remedy}."
    if not is_on_screen(viewer, layer):
        return f"No slice of {layer.name} is on screen; go to one of its slices{remedy}."
    return ""


def index_of(viewer: ViewerModel, mask: Labels) -> int:
    """Return the index of the slice of a mask on screen."""
    return index_at(place_of(viewer, mask), mask.data.shape[:-2])


def go_to(viewer: ViewerModel, mask: Labels, index: int) -> None:
    """Move the viewer to a slice of a mask, without moving the camera."""
    leading = mask.data.shape[:-2]
    if not leading:
        return
    place = place_at(index, leading)
    point = viewer_point(viewer, mask)
    world = mask.data_to_world((*place, *point[-2:]))
    world = convert_units(world, mask.units, world_units(viewer, mask))
    first = viewer.dims.ndim - mask.ndim
    axes = range(first, first + len(leading))
    viewer.dims.set_point(tuple(axes), tuple(float(w) for w in world[: len(leading)]))
