"""A scan: an array with its axes, spacing and affine."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

    from napari_unet_seg.arrays import Array


@dataclass(frozen=True, slots=True, eq=False)
class Scan:
    """A scan or a mask: an array on a grid.

    Axes are letters as in tifffile: `Y` and `X` in the slice's plane, `Z` across slices of one
    volume, `N` across independent slices (a COCO data set), `T` time, `C` channels or colour,
    which comes last.
    """

    data: Any
    """numpy or dask array whose axes are `axes`."""
    axes: str
    spacing: tuple[float, ...] = ()
    """Size of a voxel along each axis but `C`; ones where unknown."""
    unit: str = "pixel"
    """Unit of `spacing`: `mm`, `µm` or `pixel`."""
    path: Path | None = None
    names: tuple[str, ...] = ()
    """Names of the slices along `N`."""
    affine: Array | None = None
    """Voxel to world in mm (RAS+), of shape (4, 4), for the file's own index order (i, j, k)."""
    meta: dict[str, Any] = field(default_factory=dict)
    """Format-specific metadata, with which a mask can be written on the grid of its source."""

    def __post_init__(self) -> None:
        if len(self.axes) != self.data.ndim:
            raise ValueError(f"axes {self.axes!r} do not fit an array of shape {self.data.shape}")
        if not self.spacing:
            object.__setattr__(self, "spacing", (1.0,) * len(self.grid_axes))

    @property
    def grid_axes(self) -> str:
        """Axes without the channel axis, which are the axes of a mask of this scan."""
        return self.axes.replace("C", "")

    @property
    def grid_shape(self) -> tuple[int, ...]:
        """Shape without the channel axis, which is the shape of a mask of this scan."""
        return tuple(
            int(n) for n, axis in zip(self.data.shape, self.axes, strict=True) if axis != "C"
        )
