"""The planes of the patient in the viewer: which is on screen, upright, with letters at its edges.

napari's world has the axes of the arrays, so that a plane is chosen by the order of the axes, and
turned upright by the camera.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from napari.layers import Image, Labels

from napari_unet_seg._napari.layers.conversion import is_user_layer
from napari_unet_seg._napari.layers.layer_record import record_of
from napari_unet_seg._napari.layers.position import volume_axes
from napari_unet_seg.errors import DataError
from napari_unet_seg.io.common.grids.orientation import (
    directions_of,
    is_mirrored,
    opposite,
    plane_views,
)

if TYPE_CHECKING:
    from napari.layers import Layer
    from napari.viewer import ViewerModel

    from napari_unet_seg.io.common.grids.orientation import PlaneView

_DOWN, _RIGHT = "PIL", "LPI"
"""What belongs at the bottom and at the right of the screen, of each pair of directions."""


class EdgeLetters(NamedTuple):
    """Sides of the patient at the edges of the canvas; empty where unknown."""

    left: str = ""
    right: str = ""
    top: str = ""
    bottom: str = ""


def guiding_layer(viewer: ViewerModel) -> Image | Labels | None:
    """Return the layer that the planes follow: the active one, else the topmost visible one."""
    active = viewer.layers.selection.active
    shown = [layer for layer in reversed(viewer.layers) if layer.visible]
    candidates = [*([] if active is None else [active]), *shown]
    return next((layer for layer in candidates if _is_scan_or_mask(layer)), None)


def directions_in(viewer: ViewerModel) -> str:
    """Return the directions of the guiding layer; empty if unknown."""
    layer = guiding_layer(viewer)
    return "" if layer is None or viewer.dims.ndim < 3 else directions_of_layer(viewer, layer)


def directions_of_layer(viewer: ViewerModel, layer: Image | Labels) -> str:
    """Return `directions_of` the scan of a layer; empty if unknown, or if the layer is turned."""
    found = _directions(layer)
    if not found and isinstance(layer, Labels):
        # Labels that were drawn by hand have no file, but the grid of their image.
        twins = (other for other in viewer.layers if _share_grid(other, layer))
        found = next(filter(None, map(_directions, twins)), "")
    return found


def views_in(viewer: ViewerModel) -> dict[str, PlaneView]:
    """Return the views of the guiding layer by name; none if it is no volume."""
    layer = guiding_layer(viewer)
    is_volume = layer is not None and is_volume_layer(layer)
    return plane_views(directions_in(viewer)) if is_volume else {}


def is_volume_layer(layer: Layer) -> bool:
    """Whether the last three axes of a layer are those of a volume."""
    try:
        return layer.ndim > 2 and volume_axes(layer) == 3
    except DataError:  # more axes than a scan has
        return False


def show_plane(viewer: ViewerModel, view: PlaneView) -> None:
    """Show a plane through the viewer's point, upright and as a whole."""
    first = viewer.dims.ndim - 3
    viewer.dims.ndisplay = 2
    viewer.dims.order = (*range(first), *(first + axis for axis in view.axes))
    turn_upright(viewer)


def shown_plane(viewer: ViewerModel) -> str:
    """Return the name of the plane on screen; empty in 3-D, or for no plane of a volume."""
    if viewer.dims.ndisplay != 2:
        return ""
    first = viewer.dims.ndim - 3
    displayed = {axis - first for axis in viewer.dims.displayed}
    views = views_in(viewer).values()
    return next((view.name for view in views if set(view.axes[1:]) == displayed), "")


def turn_upright(viewer: ViewerModel) -> None:
    """Point the camera so that head, face and left side are where radiologists look for them.

    In 3-D the depth is chosen so that the patient is not mirrored. Nothing is done for a layer
    without a known orientation.
    """
    directions = directions_in(viewer)
    displayed = viewer.dims.displayed
    first = viewer.dims.ndim - 3
    if not directions or min(displayed) < first:
        return
    letters = "".join(directions[axis - first] for axis in displayed)
    down, right = letters[-2] in _DOWN, letters[-1] in _RIGHT
    camera = camera_of(viewer)
    away = camera.orientation[0] == "away"
    if len(letters) == 3:
        # Towards, down and right are a right-handed set of axes.
        away = is_mirrored(letters) != (down != right)
    orientation = (
        "away" if away else "towards",
        "down" if down else "up",
        "right" if right else "left",
    )
    if tuple(map(str, camera.orientation)) != orientation:
        camera.orientation = orientation


def edge_letters(viewer: ViewerModel) -> EdgeLetters:
    """Return the sides of the patient at the edges of the canvas; none in 3-D or if unknown."""
    directions = directions_in(viewer)
    first = viewer.dims.ndim - 3
    if not directions or viewer.dims.ndisplay != 2 or min(viewer.dims.displayed) < first:
        return EdgeLetters()
    vertical, horizontal = (directions[axis - first] for axis in viewer.dims.displayed)
    down, right = map(str, camera_of(viewer).orientation2d)
    top_bottom = opposite(vertical), vertical
    left_right = opposite(horizontal), horizontal
    top, bottom = top_bottom if down == "down" else top_bottom[::-1]
    left, at_right = left_right if right == "right" else left_right[::-1]
    return EdgeLetters(left, at_right, top, bottom)


def camera_of(viewer: ViewerModel) -> Any:
    """Return the camera of a viewer, which napari 0.9 moved."""
    return getattr(viewer, "scene", viewer).camera


def _is_scan_or_mask(layer: Layer) -> bool:
    return is_user_layer(layer, Image) or is_user_layer(layer, Labels)


def _directions(layer: Layer) -> str:
    scan = record_of(layer).scan
    if scan is None or layer.ndim != len(scan.grid_axes) or not _is_straight(layer):
        return ""
    return directions_of(scan)


def _is_straight(layer: Layer) -> bool:
    """Whether a layer has only a scale and a place, as it had when it was opened."""
    identity = np.eye(layer.ndim)
    return bool(
        (np.asarray(layer.scale) > 0).all()
        and np.allclose(layer.rotate, identity)
        and np.allclose(layer.affine.affine_matrix[:-1, :-1], identity)
        and not np.any(layer.shear)
    )


def _share_grid(one: Layer, other: Layer) -> bool:
    if not isinstance(one, Image | Labels) or one.ndim != other.ndim or one.multiscale:
        return False
    shapes = [layer.data.shape[: layer.ndim] for layer in (one, other)]
    return (
        shapes[0] == shapes[1]
        and np.allclose(one.scale, other.scale)
        and np.allclose(one.translate, other.translate)
    )
