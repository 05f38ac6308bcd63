"""The comparison of two masks, as a generator for a thread."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from napari_unet_seg._napari.layers.conversion import categories_of, scan_from_labels
from napari_unet_seg._napari.layers.geometry import convert_units, length_in_mm
from napari_unet_seg.config import IGNORE_INDEX
from napari_unet_seg.errors import SegmentationError
from napari_unet_seg.evaluation.mask_pairs import NamedMask
from napari_unet_seg.io.common.grids.orientation import directions_of, view_across
from napari_unet_seg.io.common.grids.placement import misplacement as scans_apart
from napari_unet_seg.io.common.grids.placement import shown_affine
from napari_unet_seg.io.common.grids.turned import turned_onto
from napari_unet_seg.io.common.places import index_at, is_place
from napari_unet_seg.session.predictions import Predictions

if TYPE_CHECKING:
    from collections.abc import Generator

    from napari.layers import Labels

    from napari_unet_seg.arrays import Array
    from napari_unet_seg.io.common.places import Part
    from napari_unet_seg.io.common.scan import Scan
    from napari_unet_seg.session.session import Session


A, B, BOTH = 1, 2, 3
COLOURS = {A: "#4aa8ff", B: "#ff9d1e", BOTH: "#ffffff"}
"""Blue, orange and white, which colour-blind people can distinguish over grey."""

PREDICTION = "prediction of the session"
_HALF = 0.5 + 1e-6
"""Maximum distance in voxels between masks of one scan: half a voxel, and rounding."""


class Outlines(NamedTuple):
    """The contours of both masks in one plane, as values `A`, `B` and `BOTH`."""

    drawn: Array
    place: Part


@dataclass(frozen=True, slots=True)
class ComparisonRequest:
    """Two masks, and what to compute for them."""

    a: NamedMask
    b: NamedMask
    place: Part | None
    """The plane of B to compare; None for the whole scan."""
    scores: bool = True
    outlines: bool = False


def mask_of_layer(layer: Labels) -> NamedMask:
    """Return the mask of a labels layer."""
    return NamedMask(layer.name, scan_from_labels(layer), categories_of(layer))


def mask_of_prediction(session: Session) -> NamedMask:
    """Return the prediction of a session as a mask on the grid of the scan."""
    scan = session.scan
    grid = replace(
        scan,
        data=Predictions(session.masks),
        axes=scan.grid_axes,
        affine=shown_affine(scan),
        meta={},
    )
    return NamedMask(PREDICTION, grid, session.categories)


def on_grid_of(mask: NamedMask, other: NamedMask) -> NamedMask:
    """Return a mask on the grid of another one of the same voxels, see `turned_onto`.

    Raises
    ------
    DataError
        If the axes of both run in other directions, and their voxels are not the same.
    """
    names = (f"The mask {mask.name}", f"the mask {other.name}")
    return mask._replace(scan=turned_onto(mask.scan, other.scan, names))


def misplacement(a: Labels | None, b: Labels | None) -> str:
    """Return a message if two masks of one shape differ in world position, else an empty text.

    Masks without a unit of length have no world position and are accepted.
    """
    if a is None or b is None:
        return ""
    first, second = mask_of_layer(a), mask_of_layer(b)
    try:
        ours_scan, theirs_scan = on_grid_of(first, second).scan, second.scan
    except SegmentationError as error:
        return str(error)
    if ours_scan is not first.scan:
        return ""  # the layers lie beside each other, and their voxels in the same places
    if far := scans_apart(ours_scan, theirs_scan, _HALF):
        names = f"The masks {a.name} and {b.name}"
        return f"{names} have one grid, but {far}; choose masks of the same scan."
    shape = ours_scan.grid_shape
    placed = length_in_mm(a.units[-1]) is not None and length_in_mm(b.units[-1]) is not None
    if shape != theirs_scan.grid_shape or not placed:
        return ""
    corners = (np.zeros(a.ndim), np.array(shape) - 1.0)
    ours = [a.data_to_world(c) for c in corners]
    theirs = [convert_units(b.data_to_world(c), b.units, a.units) for c in corners]
    apart = [a.world_to_data(place) - c for place, c in zip(theirs, corners, strict=True)]
    if np.all(np.abs(apart) <= _HALF):
        return ""
    lengths = np.subtract(ours, theirs) * [length_in_mm(unit) or 1.0 for unit in a.units]
    return (
        f"The masks {a.name} and {b.name} lie {np.linalg.norm(lengths, axis=1).max():.3g} mm apart "
        "in the world; choose masks of the same scan."
    )


def plane_title(scan: Scan, part: Part) -> str:
    """Return the title of a plane: the file name of a slice, else its index on napari's slider."""
    if is_place(part):
        index = index_at(part, scan.grid_shape[:-2])
        return scan.names[index] if index < len(scan.names) else f"slice {index}"
    first = len(scan.grid_shape) - 3
    across = next(axis for axis in range(3) if not isinstance(part[first + axis], slice))
    return f"{view_across(directions_of(scan), across).name} plane {part[first + across]}"


def compare(wanted: ComparisonRequest) -> Generator[Any, Any, None]:
    """Yield progress, outlines and scores; an error about the masks is yielded as the last event.

    The tab shows such an error in its status line; a raised error would be a notification at every
    slice.
    """
    # The module imports scipy, which is too slow for the window's thread.
    from napari_unet_seg.evaluation.compare import (
        check_grids,
        compare_masks,
        copy_mask,
        extract_plane,
    )

    try:
        turned = on_grid_of(wanted.a, wanted.b)
        check_grids(turned, wanted.b)
        if wanted.place is None:
            a, b = copy_mask(turned), copy_mask(wanted.b)
        else:
            a, b = extract_plane(turned, wanted.place), extract_plane(wanted.b, wanted.place)
            if wanted.outlines:
                yield Outlines(outlines(a.scan.data, b.scan.data), wanted.place)
        if wanted.scores:
            yield from compare_masks(a, b)
    except SegmentationError as error:
        yield error


def outlines(a: Array, b: Array) -> Array:
    """Return the inner contours of two label planes, `BOTH` where they coincide."""
    return (A * _contour(a) + B * _contour(b)).astype(np.uint8)


def _contour(labels: Array) -> Array:
    from skimage.segmentation import find_boundaries

    reviewed = np.where(labels == IGNORE_INDEX, 0, labels)
    return np.asarray(find_boundaries(reviewed, connectivity=1, mode="inner"))  # type: ignore[no-untyped-call]
