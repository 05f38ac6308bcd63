"""Reading NIfTI in the orientation of DICOM, and writing masks in the source's orientation."""

# nibabel is typed in part only.
# mypy: disable-error-code="no-untyped-call"

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import nibabel as nib
import numpy as np
from nibabel.orientations import apply_orientation, ornt_transform

from napari_unet_seg.errors import DataError
from napari_unet_seg.io.common.scan import Scan
from napari_unet_seg.io.common.window import WINDOWS, FileWindow, fits_float32
from napari_unet_seg.io.disk.files import atomic, reading
from napari_unet_seg.io.masks.labels import smallest
from napari_unet_seg.io.nifti_orientation import mended_header, orientation_of
from napari_unet_seg.io.nifti_size import check_header, check_voxels

if TYPE_CHECKING:
    from napari_unet_seg.arrays import Array

SUFFIXES = (".nii", ".nii.gz")

_COMMENT = 6
"""Code of the header extension that holds this package's JSON."""
_UNITS = {"micron": ("µm", 1.0), "meter": ("mm", 1000.0)}


def read_nifti(path: Path | str) -> Scan:
    """Read a NIfTI-1 or NIfTI-2 file.

    The array is reoriented to the axes of DICOM, as viewers show it: X increases towards the
    patient's left side, Y towards the back, Z upwards. An oblique scan is reoriented to the nearest
    such axes, and not resampled. An sform that is not finite or singular gives way to the qform,
    and an unusable qform to the voxel size alone, which a note reports.

    Returns
    -------
    Scan
        Axes `ZYX`, `TZYX` for a fourth dimension, `C` last for colours and vectors. `affine` is
        the file's own; `meta` holds what `write_nifti_labels` needs, `display_affine` for the
        index order (x, y, z) of the array as shown, and the provenance as `description`.

    Raises
    ------
    DataError
        If the file is missing, truncated or not a NIfTI file.
    """
    path = Path(path)
    with reading(path, "a NIfTI file"):
        check_header(path)
        image = nib.load(path)
        if not isinstance(image, nib.Nifti1Pair):
            raise DataError(f"{path} is not a NIfTI file; choose a .nii or .nii.gz file.")
        check_voxels(image, path)
        shape = _spatial_first(image.shape)
        affine, turn, shown, notes = orientation_of(image.header, shape[:3])
        data = _to_shown(_values(image, path).reshape(*shape, -1), turn, shape)
        unit, factor = _UNITS.get(image.header.get_xyzt_units()[0], ("mm", 1.0))
        spacing = _spacing(affine, turn, factor)
        if len(shape) > 3:
            spacing = (_time_step(image.header), *spacing)
        meta = {
            "shape": tuple(int(n) for n in image.shape),
            "turn": turn,
            "header": mended_header(image.header).binaryblock,
            "nifti2": isinstance(image.header, nib.Nifti2Header),
            "display_affine": shown,
            "description": _provenance(image.header),
            "notes": notes,
            WINDOWS: _windows(image.header),
        }
    axes = "TZYX"[-min(len(shape), 4) :] + ("C" if data.ndim > min(len(shape), 4) else "")
    return Scan(data, axes, spacing, unit, path, affine=affine, meta=meta)


def write_nifti_labels(
    path: Path | str,
    labels: Any,
    like: Scan,
    *,
    description: dict[str, Any] | None = None,
    keep: bool = False,
) -> None:
    """Write labels on the grid of a scan.

    For a scan from a NIfTI file the result has the shape, affine, qform and sform of this file with
    their codes. For a DICOM series the affine maps to patient coordinates. For a scan with only a
    voxel size the affine is upright, with the origin in the first voxel.

    Parameters
    ----------
    path : Path
        A `.nii` or `.nii.gz` file, which is written atomically.
    labels : array
        Integers of the scan's `grid_shape`, in the axis order of the scan.
    like : Scan
        The scan that the labels were made on.
    description : dict
        Provenance, kept as JSON in a header extension.
    keep : bool
        Whether to keep the previous file as `name.bak.nii.gz`.

    Raises
    ------
    DataError
        If the labels are not integers, the scan is not a volume, or the file cannot be written.
    """
    array = smallest(labels, str(path))
    if like.grid_axes not in ("YX", "ZYX", "TZYX"):
        raise DataError(
            f"{path} cannot store the axes {like.grid_axes}, since NIfTI stores volumes; save the "
            "mask as .tif."
        )
    text = json.dumps(description or {}, allow_nan=False)
    comment = nib.nifti1.Nifti1Extension(_COMMENT, text.encode())
    write_nifti(path, array, like, comment, keep=keep)


def write_nifti(
    path: Path | str, array: Array, like: Scan, comment: Any = None, *, keep: bool = False
) -> None:
    """Write an array on the grid of a scan, see `write_nifti_labels`.

    Parameters
    ----------
    path : Path
        A `.nii` or `.nii.gz` file, which is written atomically.
    array : array
        Of the scan's `grid_shape`, of a type that NIfTI holds.
    like : Scan
        The scan, of axes `YX`, `ZYX` or `TZYX`.
    comment : nibabel.nifti1.Nifti1Extension, optional
        Extension of the header.
    keep : bool
        Whether to keep the previous file as `name.bak.nii.gz`.

    Raises
    ------
    WriteError
        If the file cannot be written.
    """
    data = _to_source(array, like)
    header = _header(like)
    header.set_data_dtype(array.dtype)
    if comment is not None:
        header.extensions.append(comment)
    kind = nib.Nifti2Image if like.meta.get("nifti2") else nib.Nifti1Image
    with atomic(path, keep=keep) as temporary:
        nib.save(kind(data, header.get_best_affine(), header), temporary)


def _values(image: Any, path: Path) -> Array:
    values = np.asanyarray(image.dataobj)
    if values.dtype.names:
        return np.stack([values[name] for name in values.dtype.names], axis=-1)
    if values.dtype.kind not in "buif":
        raise DataError(f"{path} holds {values.dtype} values; save its magnitude as a new file.")
    narrow = values.dtype.kind == "f" and fits_float32(values)
    kind = np.dtype(np.float32) if narrow else values.dtype.newbyteorder("=")
    return np.asarray(values.astype(kind, copy=False))


def _spatial_first(shape: tuple[int, ...]) -> tuple[int, ...]:
    """Return the shape as (x, y, z) or (x, y, z, t); further axes are channels."""
    padded = (*shape, 1, 1)[: max(3, len(shape))]
    return padded[:3] if len(padded) > 4 and padded[3] == 1 else padded[:4]


def _to_shown(values: Array, turn: Array, shape: tuple[int, ...]) -> Array:
    """Turn an array of shape (x, y, z[, t], rest) to ([t,] z, y, x[, rest])."""
    turned = apply_orientation(values, turn)
    order = (3, 2, 1, 0, 4) if len(shape) == 4 else (2, 1, 0, 3)
    shown = np.transpose(turned, order)
    return np.ascontiguousarray(shown[..., 0] if shown.shape[-1] == 1 else shown)


def _to_source(labels: Array, like: Scan) -> Array:
    """Undo `_to_shown` for labels, which have no channels."""
    stacked = labels[None] if labels.ndim == 2 else labels
    spatial = np.transpose(stacked, range(stacked.ndim - 1, -1, -1))
    turn = like.meta.get("turn")
    if turn is None:
        return spatial[..., 0] if labels.ndim == 2 else spatial
    back = ornt_transform(np.array([[0, 1], [1, 1], [2, 1]], float), turn)
    source: Array = apply_orientation(spatial, back)
    return source.reshape(like.meta["shape"][: _grid_dimensions(like)])


def _grid_dimensions(like: Scan) -> int:
    # A colour NIfTI has its channels in the dtype or after the fourth dimension; a fourth dimension
    # of several may hold the channels too.
    shape = like.meta["shape"]
    if len(shape) > 3 and shape[3] > 1 and "T" not in like.axes:
        return 3
    return min(len(shape), 4) if like.axes.endswith("C") else len(shape)


def _header(like: Scan) -> Any:
    header = nib.Nifti2Header() if like.meta.get("nifti2") else nib.Nifti1Header()
    if "header" in like.meta:
        header = type(header)(like.meta["header"])
        header.set_slope_inter(1, 0)
        header["cal_min"] = header["cal_max"] = 0
        return header
    affine = upright_affine(like) if like.affine is None else like.affine
    header.set_qform(affine, code="scanner" if like.affine is not None else "unknown")
    header.set_sform(affine, code="scanner" if like.affine is not None else "aligned")
    if not np.allclose(header.get_qform(), affine, atol=1e-3):
        # A quaternion holds no shear, which a tilted gantry makes.
        header["qform_code"] = 0
    header.set_xyzt_units("micron" if like.unit == "µm" else "mm", "sec")
    return header


def upright_affine(like: Scan) -> Array:
    """Return the affine of a scan with only a voxel size, for the index order (x, y, z)."""
    z, y, x = (1.0, *like.spacing)[-3:]
    return np.diag([-x, -y, z, 1.0])


def _spacing(affine: Array, turn: Array, factor: float) -> tuple[float, ...]:
    sizes = nib.affines.voxel_sizes(affine)
    shown = np.empty(3)
    shown[turn[:, 0].astype(int)] = sizes
    return tuple(float(size) * factor for size in shown[::-1])


def _windows(header: Any) -> tuple[FileWindow, ...]:
    """Return the window of the header's cal_min and cal_max, which are equal if it has none."""
    low, high = float(header["cal_min"]), float(header["cal_max"])
    return (FileWindow("", low, high),) if np.isfinite([low, high]).all() and high > low else ()


def _time_step(header: Any) -> float:
    zooms = header.get_zooms()
    return float(zooms[3]) if len(zooms) > 3 and zooms[3] > 0 else 1.0


def _provenance(header: Any) -> dict[str, Any]:
    for extension in header.extensions:
        if extension.get_code() != _COMMENT:
            continue
        try:
            value = json.loads(bytes(extension.content).rstrip(b"\0").decode())
        except ValueError:
            # A comment written by another program.
            continue
        if isinstance(value, dict):
            return value
    return {}
