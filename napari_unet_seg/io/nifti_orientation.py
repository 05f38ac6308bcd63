"""The orientation in a NIfTI header: sform, else qform, else the voxel size alone."""

# nibabel is typed in part only.
# mypy: disable-error-code="no-untyped-call"

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from nibabel.orientations import axcodes2ornt, inv_ornt_aff, io_orientation, ornt_transform
from nibabel.spatialimages import HeaderDataError

from napari_unet_seg.io.common.grids.placement import is_usable

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari_unet_seg.arrays import Array

_FALLBACK = "The sform in the header is not finite or singular; the qform gives the orientation."
_NOTHING = (
    "The orientation in the header is not finite or singular; the scan is shown as it is stored, "
    "with its voxel size alone."
)


class Orientation(NamedTuple):
    """The usable orientation of a file."""

    affine: Array
    """From the file's voxels (i, j, k) to RAS+, of shape (4, 4)."""
    turn: Array
    """Orientation of nibabel that turns the file's axes to those of DICOM, LPS."""
    shown: Array
    """The affine for the index order (x, y, z) of the turned array."""
    notes: tuple[str, ...]
    """What is wrong with the header, for the user."""


def orientation_of(header: Any, shape: tuple[int, ...]) -> Orientation:
    """Return the affine of the sform if that is usable, else of the qform, else of the voxel size.

    A scan with a voxel size alone has no place, and its first voxel as shown is at the origin.

    Parameters
    ----------
    header : nibabel.Nifti1Header
        Header of a NIfTI-1 or NIfTI-2 file.
    shape : tuple of int
        Number of voxels along the first three axes.
    """
    affine, notes = _best(header)
    placed = affine is not None
    if affine is None:
        affine = np.diag([-1.0, 1.0, 1.0, 1.0]) @ np.diag([*_voxel_sizes(header), 1.0])
    turn = ornt_transform(io_orientation(affine), axcodes2ornt(("L", "P", "S")))
    if not placed:
        affine[:3, 3] -= (affine @ inv_ornt_aff(turn, shape))[:3, 3]
    return Orientation(affine, turn, affine @ inv_ornt_aff(turn, shape), notes)


def mended_header(header: Any) -> Any:
    """Return a header for masks of the same grid, without what is not finite or singular.

    Everything else stays as it is, also where it is odd.
    """
    mended = header.copy()
    if not _is_form(header.get_sform):
        mended["sform_code"] = 0
        for row in ("srow_x", "srow_y", "srow_z"):
            mended[row] = 0
    if not _is_form(header.get_qform):
        mended["qform_code"] = 0
        for name in ("quatern_b", "quatern_c", "quatern_d", *map("qoffset_{}".format, "xyz")):
            mended[name] = 0
    if not np.isfinite(mended["pixdim"]).all():
        mended["pixdim"][1:4] = _voxel_sizes(header)
    for name in mended.structarr.dtype.names:
        value = mended.structarr[name]
        if value.dtype.kind == "f" and not np.isfinite(value).all():
            mended[name] = np.nan_to_num(value, nan=0.0, posinf=0.0, neginf=0.0)
    return mended


def _best(header: Any) -> tuple[Array | None, tuple[str, ...]]:
    forms = [
        form
        for code, form in (("sform_code", header.get_sform), ("qform_code", header.get_qform))
        if int(header[code])
    ]
    for number, form in enumerate(forms):
        if _is_form(form):
            return np.asarray(form(), float), (_FALLBACK,) if number else ()
    return None, (_NOTHING,) if forms else ()


def _is_form(form: Callable[[], Any]) -> bool:
    try:
        with np.errstate(all="ignore"):
            return is_usable(form())
    except (HeaderDataError, ValueError):
        # A quaternion that is longer than one, or voxel sizes that are negative.
        return False


def _voxel_sizes(header: Any) -> Array:
    sizes = np.abs(np.asarray(header["pixdim"][1:4], float))
    return np.where(np.isfinite(sizes) & (sizes > 0), sizes, 1.0)
