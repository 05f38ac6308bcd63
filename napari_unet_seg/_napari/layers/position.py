"""Where the viewer stands in a mask, as a slice and as a place along its leading axes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from napari_unet_seg._napari.layers.geometry import converted, point_of, reaches, world_units
from napari_unet_seg._napari.layers.layers import scan_from_layer

if TYPE_CHECKING:
    from napari.layers import Image, Labels
    from napari.viewer import ViewerModel


def make_editable(mask: Labels) -> None:
    """Let a mask that is read lazily, or must not be written to, be painted on."""
    if not isinstance(mask.data, np.ndarray) or not mask.data.flags.writeable:
        mask.data = np.array(mask.data)


def place_of(viewer: ViewerModel, mask: Labels) -> tuple[int, ...]:
    """Return where the viewer stands along the leading axes of a mask, or next to it."""
    point = point_of(viewer, mask)[:-2]
    sizes = mask.data.shape[:-2]
    return tuple(min(max(round(float(p)), 0), n - 1) for p, n in zip(point, sizes, strict=True))


def volume_axes(mask: Labels) -> int:
    """Return how many axes a volume of a mask has: 2 where its slices are no cuts of a body."""
    return 3 if scan_from_layer(mask).axes[-3:] == "ZYX" else 2


def shows_slice(viewer: ViewerModel) -> bool:
    """Whether the viewer shows slices of the last two axes, not a body or another cut."""
    return sorted(viewer.dims.displayed) == [viewer.dims.ndim - 2, viewer.dims.ndim - 1]


def off_screen(viewer: ViewerModel, layer: Image | Labels, *, remedy: str = "") -> str:
    """Say why no slice of a layer is on screen, nothing if one is.

    Parameters
    ----------
    viewer : napari.Viewer
        Which shows the layer.
    layer : Image or Labels
        Of which a slice is needed.
    remedy : str
        What else than going to a slice helps, for the end of the sentence.
    """
    if not shows_slice(viewer):
        return f"No slice is on screen as a plane; turn the view back{remedy}."
    if not reaches(viewer, layer):
        return f"No slice of {layer.name} is on screen; go to one of its slices{remedy}."
    return ""


def place_at(mask: Labels, index: int) -> tuple[int, ...]:
    """Return where a slice lies along the leading axes of a mask."""
    leading = mask.data.shape[:-2]
    return tuple(int(i) for i in np.unravel_index(index, leading)) if leading else ()


def index_of(viewer: ViewerModel, mask: Labels) -> int:
    """Return the slice of a mask that the viewer stands at."""
    place = place_of(viewer, mask)
    return int(np.ravel_multi_index(place, mask.data.shape[:-2])) if place else 0


def go_to(viewer: ViewerModel, mask: Labels, index: int) -> None:
    """Move the viewer to a slice of a mask; the displayed plane stays where it is."""
    leading = mask.data.shape[:-2]
    if not leading:
        return
    place = place_at(mask, index)
    point = point_of(viewer, mask)
    world = mask.data_to_world((*place, *point[-2:]))
    world = converted(world, mask.units, world_units(viewer, mask))
    first = viewer.dims.ndim - mask.ndim
    axes = range(first, first + len(leading))
    viewer.dims.set_point(tuple(axes), tuple(float(w) for w in world[: len(leading)]))
