"""Writing of masks of any format, on the grid of their scan."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_unet_seg.errors import DataError
from napari_unet_seg.io.common.grids.placement import shown_affine
from napari_unet_seg.io.zarr.read import SUFFIX, is_zarr

if TYPE_CHECKING:
    from napari_unet_seg.io.common.scan import Scan

_SUFFIXES = (".tif", ".tiff", ".nii", ".nii.gz", ".dcm", SUFFIX)


def write_mask(
    path: Path | str,
    labels: Any,
    like: Scan,
    provenance: dict[str, Any] | None = None,
    *,
    identified: bool = True,
    keep: bool = True,
) -> None:
    """Write the mask of a scan as TIFF, NIfTI, DICOM SEG or OME-Zarr, atomically.

    Parameters
    ----------
    path : Path
        Ends with `.tif`, `.tiff`, `.nii`, `.nii.gz`, `.zarr` or, for a mask of a DICOM series,
        `.dcm`. The path of the scan's own OME-Zarr adds the mask to its labels.
    labels : array
        Integers of the scan's `grid_shape`.
    like : Scan
        The scan, which gives axes, spacing and affine.
    provenance : dict
        Provenance of the mask, JSON values; stored in the file.
    identified : bool
        Whether a DICOM SEG names the patient; files of other formats never do.
    keep : bool
        Whether to keep the previous version of the file as `name.bak.suffix`.

    Raises
    ------
    DataError
        If the grid of the labels differs, the labels are not integers, or the file cannot be
        written.
    """
    path = Path(path)
    check_suffix(path)
    _check_grid(path, labels, like)
    name = path.name.lower()
    if name.endswith((".tif", ".tiff")):
        _write_tiff(path, labels, like, provenance, keep)
    elif name.endswith((".nii", ".nii.gz")):
        from napari_unet_seg.io.nifti import write_nifti_labels

        write_nifti_labels(path, labels, like, description=provenance, keep=keep)
    elif name.endswith(".dcm"):
        from napari_unet_seg.io.dicom.seg_write import write_seg

        write_seg(path, labels, like, provenance, keep=keep, identified=identified)
    else:
        from napari_unet_seg.io.zarr.write import write_ome_labels

        write_ome_labels(path, labels, like, provenance, keep=keep)


def check_suffix(path: Path) -> None:
    """Check that a mask can be written under a name.

    Raises
    ------
    DataError
        If the suffix is none of a mask file.
    """
    among_labels = path.parent.name == "labels" and is_zarr(path.parent.parent)
    if not path.name.lower().endswith(_SUFFIXES) and not among_labels:
        raise DataError(
            f"{path} has no suffix of a mask file; give a name that ends with .tif, .nii, .nii.gz, "
            ".zarr or .dcm."
        )


def _check_grid(path: Path, labels: Any, like: Scan) -> None:
    shape = tuple(int(n) for n in labels.shape)
    if shape != like.grid_shape:
        scan = like.path.name if like.path is not None else "its scan"
        raise DataError(
            f"{path} was not written, since the mask has the grid {_grid(shape)} and {scan} has "
            f"{_grid(like.grid_shape)} ({like.grid_axes}); choose the mask of this scan."
        )


def _grid(shape: tuple[int, ...]) -> str:
    return " × ".join(str(n) for n in shape)


def _write_tiff(
    path: Path, labels: Any, like: Scan, provenance: dict[str, Any] | None, keep: bool
) -> None:
    from napari_unet_seg.io.images.tiff import write_labels

    write_labels(
        path,
        labels,
        axes=like.grid_axes,
        spacing=like.spacing,
        unit=like.unit,
        affine=shown_affine(like),
        description=provenance,
        keep=keep,
    )
