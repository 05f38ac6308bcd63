"""Where layers lie in the world, and how large their voxels are there."""

from __future__ import annotations

import math
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pint
from napari.layers.utils.layer_utils import coerce_affine
from napari.utils.transforms import CompositeAffine

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from napari.layers import Layer
    from napari.viewer import ViewerModel

_AXES = "VUWSRQPTZYX"
_FINE = 1e-3
"""Millimetres up to which a unit is written in µm."""


class VoxelSize(NamedTuple):
    """How large a voxel is along each axis."""

    sizes: tuple[float, ...]
    """None negative; in `unit` along axes with a unit of length, else as the layer is scaled."""
    unit: str
    """`mm`, `µm`, or `pixel` where the layer has no unit of length."""


def geometry_of(layer: Layer) -> dict[str, Any]:
    """Return the arguments that put another layer of the same grid where this one is."""
    return {
        "scale": layer.scale,
        "translate": layer.translate,
        "rotate": layer.rotate,
        "shear": layer.shear,
        "affine": layer.affine,
        "units": layer.units,
        "axis_labels": layer.axis_labels,
    }


def voxel_size(geometry: Mapping[str, Any], ndim: int) -> VoxelSize:
    """Return the voxel size that scale, shear and affine make, in one unit.

    Parameters
    ----------
    geometry : mapping
        As of `geometry_of`, or what napari hands to a writer.
    ndim : int
        Of the layer.
    """
    inner = CompositeAffine(
        scale=geometry.get("scale", np.ones(ndim)),
        rotate=geometry.get("rotate"),
        shear=geometry.get("shear"),
        ndim=ndim,
    )
    outer = coerce_affine(geometry.get("affine"), ndim=ndim)
    matrix = outer.linear_matrix @ inner.linear_matrix
    factors, unit = _factors(geometry.get("units") or ("pixel",) * ndim)
    columns = (np.array(factors)[:, None] * matrix).T
    return VoxelSize(tuple(math.hypot(*column) for column in columns), unit)


def axes_of(geometry: Mapping[str, Any], ndim: int) -> str:
    """Return letters for the axes of a layer, fewer than it has if there are too many.

    They are slices, rows and columns, before them points in time, before these others. An axis
    that is called time, or is measured in a unit of it, is that wherever it stands before the last
    two.

    Parameters
    ----------
    geometry : mapping
        As of `geometry_of`, or what napari hands to a writer.
    ndim : int
        Of the layer.
    """
    time = _time_axis(geometry, ndim)
    if time is None:
        return _AXES[-ndim:]
    others = _AXES.replace("T", "")[1 - ndim :]
    return f"{others[:time]}T{others[time:]}"


def in_mm(unit: Any) -> float | None:
    """Return how many mm a unit is, None if it is none of length."""
    return factor_between(unit, "mm")


@cache
def factor_between(unit: Any, other: Any) -> float | None:
    """Return how many of another unit one is, None if they measure different things."""
    quantity = pint.get_application_registry().Quantity(1, unit)  # type: ignore[no-untyped-call]
    if not quantity.is_compatible_with(other):
        return None
    # Without the dust of rounding, which would stand in every voxel size that is written.
    return float(f"{quantity.to(other).magnitude:.12g}")


def converted(world: Sequence[float], units: Sequence[Any], wanted: Sequence[Any]) -> list[float]:
    """Return a place in the world in other units; along an axis where none fit, as it was."""
    pairs = zip(world, units, wanted, strict=True)
    return [w if u == v else w * (factor_between(u, v) or 1.0) for w, u, v in pairs]


def point_of(viewer: ViewerModel, layer: Layer) -> tuple[float, ...]:
    """Return where a viewer stands, in voxels of a layer."""
    point = viewer.dims.point[-layer.ndim :]
    world = converted(point, world_units(viewer, layer), layer.units)
    return tuple(float(p) for p in layer.world_to_data(world))


def reaches(viewer: ViewerModel, layer: Layer) -> bool:
    """Whether a layer has a slice where a viewer stands; other layers may go on beyond it."""
    if viewer.dims.ndim < layer.ndim:
        return False  # it is being removed, and the viewer has let go of its axes
    shape = (layer.data[0] if layer.multiscale else layer.data).shape
    leading = zip(point_of(viewer, layer)[:-2], shape, strict=False)
    return all(0 <= round(p) < n for p, n in leading)


def world_units(viewer: ViewerModel, layer: Layer) -> Sequence[Any]:
    """Return the units in which a viewer counts along the axes of a layer.

    Of several units for one kind of measure, it takes the smallest for all. Versions of napari
    whose dims have no units count in those of the layer.
    """
    units = getattr(viewer.dims, "units", None) or ()
    return units[-layer.ndim :] if len(units) >= layer.ndim else layer.units


def _time_axis(geometry: Mapping[str, Any], ndim: int) -> int | None:
    labels = geometry.get("axis_labels") or ("",) * ndim
    units = geometry.get("units") or ("pixel",) * ndim
    for axis in range(ndim - 2):
        named = str(labels[axis]).casefold() in ("t", "time")
        if named or factor_between(units[axis], "second") is not None:
            return axis
    return None


def _factors(units: Sequence[Any]) -> tuple[list[float], str]:
    """Return what sizes are multiplied with along each axis, and the unit they are in then."""
    lengths = [in_mm(unit) for unit in units]
    if lengths[-1] is None:
        return [1.0] * len(units), "pixel"
    fine = all(length is None or length <= _FINE for length in lengths)
    whole = _FINE if fine else 1.0
    # A slice whose thickness has no unit is taken to be measured as its pixels are.
    return [1.0 if n is None else n / whole for n in lengths], "µm" if fine else "mm"
