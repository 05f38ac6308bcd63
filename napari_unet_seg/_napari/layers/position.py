"""The plane of a mask on screen, and its stored slice as an index and as a place."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from napari_unet_seg._napari.layers.conversion import layer_axes
from napari_unet_seg._napari.layers.geometry import (
    convert_units,
    is_on_screen,
    viewer_point,
    world_units,
)
from napari_unet_seg._napari.layers.layer_record import record_of
from napari_unet_seg.correct.lesions import largest_lesion
from napari_unet_seg.io.common.grids.placement import plane_of
from napari_unet_seg.io.common.places import index_at, place_at

if TYPE_CHECKING:
    from napari.layers import Image, Labels, Layer
    from napari.viewer import ViewerModel

    from napari_unet_seg.io.common.places import Part


def make_editable(mask: Labels) -> None:
    """Copy the data of a mask that is lazy or read-only, so that the mask can be painted on."""
    if not isinstance(mask.data, np.ndarray) or not mask.data.flags.writeable:
        mask.data = np.array(mask.data)


def place_of(viewer: ViewerModel, mask: Labels) -> tuple[int, ...]:
    """Return the place of the viewer's point along the leading axes, clipped to the mask."""
    point = viewer_point(viewer, mask)[:-2]
    sizes = mask.data.shape[:-2]
    return tuple(min(max(round(float(p)), 0), n - 1) for p, n in zip(point, sizes, strict=True))


def volume_axes(mask: Layer) -> int:
    """Return the number of axes of a volume of a layer: 2 if the slices form no volume."""
    return 3 if layer_axes(mask)[-3:] == "ZYX" else 2


def displayed_axes(viewer: ViewerModel, layer: Layer) -> tuple[int, ...]:
    """Return the axes of a layer on screen, in the order of its array."""
    first = viewer.dims.ndim - layer.ndim
    return tuple(sorted(axis - first for axis in viewer.dims.displayed if axis >= first))


def shows_slice(viewer: ViewerModel, layer: Layer) -> bool:
    """Whether the viewer shows a stored slice, of the last two axes, not 3-D or another plane."""
    return displayed_axes(viewer, layer) == (layer.ndim - 2, layer.ndim - 1)


def shown_part(viewer: ViewerModel, layer: Image | Labels) -> Part:
    """Return the plane of a layer on screen, clipped to the layer; its place if it is a slice.

    Of three axes on screen the last two count.
    """
    shape = (layer.data[0] if layer.multiscale else layer.data).shape[: layer.ndim]
    axes = displayed_axes(viewer, layer)[-2:]
    point = viewer_point(viewer, layer)
    clipped = (min(max(round(p), 0), n - 1) for p, n in zip(point, shape, strict=True))
    part: Part = tuple(slice(None) if axis in axes else p for axis, p in enumerate(clipped))
    hidden = [axis for axis, index in enumerate(part) if not isinstance(index, slice)]
    return part[: hidden[-1] + 1 if hidden else 0]


def off_screen_problem(
    viewer: ViewerModel, layer: Image | Labels, *, remedy: str = "", stored: bool = False
) -> str:
    """Return why no plane of a layer is on screen, as a message; empty if a plane is.

    Parameters
    ----------
    viewer : napari.Viewer
        The viewer of the layer.
    layer : Image or Labels
        The layer of which a plane is needed.
    remedy : str
        A further remedy for the end of the message.
    stored : bool
        Whether only a slice as it is stored will do, no other plane of the volume.
    """
    if viewer.dims.ndisplay != 2:
        return f"No slice is on screen as a plane; turn the view back{remedy}."
    is_slice = shows_slice(viewer, layer)
    axes = displayed_axes(viewer, layer)
    if not is_slice and (len(axes) < 2 or axes[0] < layer.ndim - volume_axes(layer)):
        return f"{layer.name} has no such plane; turn the view back to its slices{remedy}."
    if stored and not is_slice:
        plane = plane_name(layer)
        return f"This works on {plane} slices, as they are stored; turn the view back{remedy}."
    if not is_on_screen(viewer, layer):
        return f"No slice of {layer.name} is on screen; go to one of its slices{remedy}."
    return ""


def index_of(viewer: ViewerModel, mask: Labels) -> int:
    """Return the index of the slice of a mask on screen."""
    return index_at(place_of(viewer, mask), mask.data.shape[:-2])


def go_to(viewer: ViewerModel, mask: Labels, index: int) -> None:
    """Move the viewer to a stored slice of a mask, without moving the camera."""
    leading = mask.data.shape[:-2]
    go_to_part(viewer, mask, place_at(index, leading) if leading else ())


def go_to_lesion(viewer: ViewerModel, mask: Labels) -> None:
    """Move the viewer to the slice with most of the largest lesion of a mask, if it has any."""
    place = largest_lesion(np.asarray(mask.data), volume=volume_axes(mask) == 3)
    if place is not None:
        go_to_part(viewer, mask, place)


def go_to_part(viewer: ViewerModel, layer: Layer, part: Part) -> None:
    """Move the viewer to a plane of a layer, along the axes that the plane does not have."""
    point = list(viewer_point(viewer, layer))
    axes = [axis for axis, index in enumerate(part) if not isinstance(index, slice)]
    if not axes:
        return
    for axis in axes:
        point[axis] = part[axis]  # type: ignore[assignment]
    world = convert_units(layer.data_to_world(point), layer.units, world_units(viewer, layer))
    first = viewer.dims.ndim - layer.ndim
    viewer.dims.set_point(
        tuple(first + axis for axis in axes), tuple(float(world[axis]) for axis in axes)
    )


def plane_name(layer: Layer) -> str:
    """Return `axial`, `coronal` or `sagittal` for the stored slices of a layer; else `stored`."""
    scan = record_of(layer).scan
    return (plane_of(scan) if scan is not None else "") or "stored"
