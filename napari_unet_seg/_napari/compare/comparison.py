"""What is compared, and the work of it, apart from the window's thread."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from napari_unet_seg._napari.layers.geometry import converted, in_mm
from napari_unet_seg._napari.layers.layers import categories_of, scan_from_layer
from napari_unet_seg.config import IGNORE_INDEX
from napari_unet_seg.errors import SegmentationError
from napari_unet_seg.evaluation.mask_pairs import NamedMask
from napari_unet_seg.session.predictions import Predictions

if TYPE_CHECKING:
    from collections.abc import Generator

    from napari.layers import Labels

    from napari_unet_seg.io.common.scan import Scan
    from napari_unet_seg.session.session import Session

Array = np.ndarray[Any, np.dtype[Any]]

A, B, BOTH = 1, 2, 3
COLOURS = {A: "#4aa8ff", B: "#ff9d1e", BOTH: "#ffffff"}
"""Blue, orange and white, which colour-blind people tell apart over grey."""

PREDICTION = "prediction of the session"
_HALF = 0.5 + 1e-6
"""Voxels that masks of one scan may lie apart: half of one, and rounding."""


class Outlines(NamedTuple):
    """The contours of both masks in one slice, as values `A`, `B` and `BOTH`."""

    drawn: Array
    place: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to work out of two masks."""

    a: NamedMask
    b: NamedMask
    place: tuple[int, ...] | None
    """The slice, None for all."""
    figures: bool = True
    outlines: bool = False


def layer_side(layer: Labels) -> NamedMask:
    """Return a labels layer as a side."""
    return NamedMask(layer.name, scan_from_layer(layer), categories_of(layer))


def prediction_side(session: Session) -> NamedMask:
    """Return the prediction of a session as a side; it is on the grid of the scan."""
    scan = session.scan
    predictions = Predictions(session.masks)
    grid = replace(scan, data=predictions, axes=scan.grid_axes, affine=None, meta={})
    return NamedMask(PREDICTION, grid, session.categories)


def misplaced(a: Labels | None, b: Labels | None) -> str:
    """Say that two masks of one shape lie in different places of the world; empty if they do not.

    Of masks without a unit of length nobody knows where they lie, and they are taken as they are.
    """
    if a is None or b is None:
        return ""
    shape = layer_side(a).scan.grid_shape
    placed = in_mm(a.units[-1]) is not None and in_mm(b.units[-1]) is not None
    if shape != layer_side(b).scan.grid_shape or not placed:
        return ""
    corners = (np.zeros(a.ndim), np.array(shape) - 1.0)
    ours = [a.data_to_world(c) for c in corners]
    theirs = [converted(b.data_to_world(c), b.units, a.units) for c in corners]
    apart = [a.world_to_data(place) - c for place, c in zip(theirs, corners, strict=True)]
    if np.all(np.abs(apart) <= _HALF):
        return ""
    far = np.subtract(ours, theirs) * [in_mm(unit) or 1.0 for unit in a.units]
    return (
        f"The masks {a.name} and {b.name} lie {np.linalg.norm(far, axis=1).max():.3g} mm apart in "
        "the world; choose masks of the same scan."
    )


def slice_title(scan: Scan, index: int) -> str:
    """Name a slice, by the file it came from or else as napari's slider counts."""
    return scan.names[index] if index < len(scan.names) else f"slice {index}"


def working(wanted: Wanted) -> Generator[Any, Any, None]:
    """Yield progress, outlines and figures; a problem with the masks comes as an event, the last.

    So it can be told beside the masks, where it is told once, and not at each slice.
    """
    # With it scipy comes, which the window must not wait for.
    from napari_unet_seg.evaluation.compare import (
        check_grids,
        compare_masks,
        copy_mask,
        extract_slice,
    )

    try:
        check_grids(wanted.a, wanted.b)
        if wanted.place is None:
            a, b = copy_mask(wanted.a), copy_mask(wanted.b)
        else:
            a, b = extract_slice(wanted.a, wanted.place), extract_slice(wanted.b, wanted.place)
            if wanted.outlines:
                yield Outlines(outlines(a.scan.data, b.scan.data), wanted.place)
        if wanted.figures:
            yield from compare_masks(a, b)
    except SegmentationError as error:
        yield error


def outlines(a: Array, b: Array) -> Array:
    """Return the inner contours of two label planes, `BOTH` where they lie on each other."""
    return (A * _contour(a) + B * _contour(b)).astype(np.uint8)


def _contour(labels: Array) -> Array:
    from skimage.segmentation import find_boundaries

    known = np.where(labels == IGNORE_INDEX, 0, labels)
    return np.asarray(find_boundaries(known, connectivity=1, mode="inner"))  # type: ignore[no-untyped-call]
