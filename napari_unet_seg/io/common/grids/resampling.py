"""Scans put on the grid of another scan of the same patient, by the affines of both files."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from napari_unet_seg.errors import DataError
from napari_unet_seg.io.common.grids.placement import misplacement, voxel_map

if TYPE_CHECKING:
    from napari_unet_seg.io.common.scan import Scan


def shares_grid(one: Scan, other: Scan) -> bool:
    """Whether the voxels of two scans are the same places; scans without a place are believed."""
    return one.grid_shape == other.grid_shape and not misplacement(one, other)


def resampled(scan: Scan, onto: Scan) -> Scan:
    """Return a scan on the grid of another, by linear interpolation of its voxels.

    Voxels outside the scan get 0, or its lowest value if that is negative.

    Parameters
    ----------
    scan : Scan
        A volume without channels.
    onto : Scan
        A volume of the same patient.

    Returns
    -------
    Scan
        `onto` with the values of `scan`, float32; the path is that of `scan`.

    Raises
    ------
    DataError
        If one of them is no volume, or its file does not tell its place in the patient.
    """
    between = voxel_map(scan, onto)
    if between is None or scan.axes != "ZYX" or onto.grid_axes != "ZYX":
        raise DataError(
            f"{scan.path or 'A scan'} has the grid {scan.grid_shape} and {onto.path or 'another'} "
            f"{onto.grid_shape}, and their files do not tell how both lie in the patient; give "
            "sequences of one grid, or NIfTI or DICOM files with their places."
        )
    # Imported here, since most scans share a grid.
    from scipy.ndimage import affine_transform

    values = np.asarray(scan.data).astype(np.float32)
    finite = values[np.isfinite(values)]
    turned = between[[2, 1, 0, 3]][:, [2, 1, 0, 3]]  # the array's axes are Z, Y and X
    data = affine_transform(
        values,
        turned[:3, :3],
        turned[:3, 3],
        output_shape=onto.grid_shape,
        order=1,
        # Not "constant", for which a voxel a rounding error beyond the last one is outside.
        mode="grid-constant",
        cval=float(finite.min(initial=0.0)),
    )
    return replace(onto, data=data, axes="ZYX", path=scan.path)
