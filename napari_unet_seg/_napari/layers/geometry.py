"""The geometry of layers: voxel size, axes, units and position in world coordinates."""

from __future__ import annotations

import math
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pint
from napari.layers.utils.layer_utils import coerce_affine
from napari.utils.transforms import CompositeAffine

from napari_unet_seg.io.common.grids.placement import offset

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from napari.layers import Layer
    from napari.viewer import ViewerModel

    from napari_unet_seg.io.common.scan import Scan

_SLIDERS = {"N": "image", "T": "time"}
"""What the sliders of axes are called; those of space are called x, y and z."""
_AXES = "VUWSRQPTZYX"
_STEP = 2.0**-32
"""Precision of placed lengths; sums of voxels up to 2²⁰ units away are exact with it."""
_FINE = 1e-3
"""Length in mm up to which a unit is written in µm."""


_ML = {"mm": 1e-3, "µm": 1e-12}
"""Millilitres of a cube whose edge is one unit long."""


class VoxelSize(NamedTuple):
    """The size of a voxel along each axis."""

    sizes: tuple[float, ...]
    """Not negative; in `unit` along axes with a unit of length, else in the layer's scale."""
    unit: str
    """`mm`, `µm`, or `pixel` if the layer has no unit of length."""

    @property
    def ml(self) -> float | None:
        """The volume in millilitres, along the last three axes; None without a unit of length."""
        edge = _ML.get(self.unit)
        return None if edge is None or len(self.sizes) < 3 else edge * math.prod(self.sizes[-3:])


def ml_text(ml: float) -> str:
    """Return a volume with three digits or all before the point, `0.0123 ml` or `1,234 ml`."""
    return f"{ml:,.0f} ml" if ml >= 100 else f"{ml:.3g} ml"


def geometry_of(layer: Layer) -> dict[str, Any]:
    """Return the arguments that give another layer of the same grid a layer's geometry."""
    return {
        "scale": layer.scale,
        "translate": layer.translate,
        "rotate": layer.rotate,
        "shear": layer.shear,
        "affine": layer.affine,
        "units": layer.units,
        "axis_labels": layer.axis_labels,
    }


def placement_of(scan: Scan) -> dict[str, Any]:
    """Return the arguments of a layer that put a scan where its voxels lie in the patient.

    Scans of one orientation, whose fields of view may differ, lie on top of each other. There is no
    rotation: napari would paint on other slices of a layer with one than those on screen.

    Lengths are rounded to binary fractions, whose sums are exact: napari cuts the number of slices
    off after a division, and would otherwise hide the last slice of many scans.
    """
    units = tuple(scan.unit if axis in "ZYX" else "pixel" for axis in scan.grid_axes)
    labels = tuple(_SLIDERS.get(axis, axis.lower()) for axis in scan.grid_axes)
    place = {"scale": _exact(scan.spacing), "translate": _exact(offset(scan)), "units": units}
    return {**place, "axis_labels": labels}


def _exact(lengths: Sequence[float]) -> tuple[float, ...]:
    """Return lengths to the nearest binary fraction, far below what files are precise to."""
    return tuple(round(length / _STEP) * _STEP or length for length in lengths)


def voxel_size(geometry: Mapping[str, Any], ndim: int) -> VoxelSize:
    """Return the voxel size from scale, shear and affine, in one unit.

    Parameters
    ----------
    geometry : mapping
        Arguments of a layer, from `geometry_of` or from napari's call of a writer.
    ndim : int
        Number of dimensions of the layer.
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
    """Return a letter for each axis of a layer; fewer letters if the layer has too many axes.

    The last axes are ZYX, before them T, before that other letters. An axis before the last two
    that is named time, or has a unit of time, is T in any position.

    Parameters
    ----------
    geometry : mapping
        Arguments of a layer, from `geometry_of` or from napari's call of a writer.
    ndim : int
        Number of dimensions of the layer.
    """
    time = _time_axis(geometry, ndim)
    if time is None:
        return _AXES[-ndim:]
    others = _AXES.replace("T", "")[1 - ndim :]
    return f"{others[:time]}T{others[time:]}"


def length_in_mm(unit: Any) -> float | None:
    """Return the length of a unit in mm; None if the unit is not a length."""
    return factor_between(unit, "mm")


@cache
def factor_between(unit: Any, other: Any) -> float | None:
    """Return the factor from a unit to another; None if they measure different quantities."""
    quantity = pint.get_application_registry().Quantity(1, unit)  # type: ignore[no-untyped-call]
    if not quantity.is_compatible_with(other):
        return None
    # Rounded, because rounding errors would appear in every voxel size that is written.
    return float(f"{quantity.to(other).magnitude:.12g}")


def convert_units(
    world: Sequence[float], units: Sequence[Any], wanted: Sequence[Any]
) -> list[float]:
    """Return world coordinates in other units; unchanged along axes whose units do not match."""
    pairs = zip(world, units, wanted, strict=True)
    return [w if u == v else w * (factor_between(u, v) or 1.0) for w, u, v in pairs]


def viewer_point(viewer: ViewerModel, layer: Layer) -> tuple[float, ...]:
    """Return the viewer's current point in voxels of a layer."""
    point = viewer.dims.point[-layer.ndim :]
    world = convert_units(point, world_units(viewer, layer), layer.units)
    return tuple(float(p) for p in layer.world_to_data(world))


def is_on_screen(viewer: ViewerModel, layer: Layer) -> bool:
    """Whether a layer has the plane at the viewer's current point; other layers may be longer."""
    if viewer.dims.ndim < layer.ndim:
        return False  # the layer is being removed, and the viewer has dropped its axes
    shape = (layer.data[0] if layer.multiscale else layer.data).shape
    first = viewer.dims.ndim - layer.ndim
    shown = [axis - first for axis in viewer.dims.displayed[-2:]]
    along = enumerate(zip(viewer_point(viewer, layer), shape, strict=False))
    return all(0 <= round(p) < n for axis, (p, n) in along if axis not in shown)


def world_units(viewer: ViewerModel, layer: Layer) -> Sequence[Any]:
    """Return the units of the viewer's sliders along the axes of a layer.

    napari uses the smallest of several units of one quantity. Versions of napari whose dims have
    no units use those of the layer.
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
    """Return the factor for sizes along each axis, and the unit of the multiplied sizes."""
    lengths = [length_in_mm(unit) for unit in units]
    if lengths[-1] is None:
        return [1.0] * len(units), "pixel"
    fine = all(length is None or length <= _FINE for length in lengths)
    whole = _FINE if fine else 1.0
    # A slice thickness without a unit is assumed to have the unit of the pixels.
    return [1.0 if n is None else n / whole for n in lengths], "µm" if fine else "mm"
