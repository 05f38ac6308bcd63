"""Reading of scans and masks of any format."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from napari_unet_seg.errors import DataError
from napari_unet_seg.io.common.files import check_is_stored, reading
from napari_unet_seg.io.common.labels import from_stored, objects_of, stored_categories, to_classes
from napari_unet_seg.io.common.scan import Scan
from napari_unet_seg.io.dicom.signature import is_dicom
from napari_unet_seg.io.zarr.read import SUFFIX, is_zarr

if TYPE_CHECKING:
    from collections.abc import Callable


KINDS = (
    "TIFF, PNG, JPEG, BMP, NIfTI (.nii, .nii.gz), DICOM (a folder or a file), OME-Zarr (a folder) "
    "or .npy"
)
"""Formats that can be read, for messages."""

_COLOUR_CHANNELS = (3, 4)


def read_scan(path: Path | str, series: str | None = None) -> Scan:
    """Read a scan: TIFF, image, NIfTI, DICOM file or series' folder, `.npy`, or OME-Zarr, lazily.

    Parameters
    ----------
    path : Path
        A file, or the folder of a DICOM series or of an OME-Zarr.
    series : str, optional
        Number or key of a DICOM series, for a folder that holds several series.

    Raises
    ------
    DataError
        If the file is missing or damaged, or its format cannot be read.
    """
    path = Path(path)
    if "://" in str(path) or re.match(r"(https?|s3|gs):/", str(path)):
        raise DataError(f"{path} is not on this computer; download it and open the copy.")
    if not path.exists():
        raise DataError(f"{path} does not exist; check the name or choose another file.")
    check_is_stored(path)
    reader = _reader(path)
    return _dicom(path, series) if reader is _dicom else reader(path)


def read_labels(path: Path | str) -> Scan:
    """Read a mask as `read_scan` reads a scan, with labels of the smallest unsigned dtype.

    In a mask of single objects, the labels of objects become the labels of their categories.

    Raises
    ------
    DataError
        As `read_scan`, and if the file holds colours, fractions or negative values.
    """
    scan = read_scan(path)
    if "C" in scan.axes:
        raise DataError(f"{path} holds colours instead of labels; choose the file of a mask.")
    labels = from_stored(scan.data, str(path))
    described = scan.meta.get("description")
    categories = stored_categories(described)
    if (objects := objects_of(described, categories)) is not None:
        labels = to_classes(labels, objects, categories)
    return replace(scan, data=labels)


def _reader(path: Path) -> Callable[[Path], Scan]:
    # The library of each format is imported when a file of this format is first read.
    name = path.name.lower()
    if path.is_dir():
        return _ome_zarr if is_zarr(path) or name.endswith(SUFFIX) else _dicom
    if name.endswith((".tif", ".tiff")):
        return _tiff
    if name.endswith((".nii", ".nii.gz")):
        return _nifti
    if name.endswith(".npy"):
        return read_npy
    if name.endswith((".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp", ".jp2")):
        return _image
    if is_dicom(path):
        return _dicom
    raise DataError(f"{path} has a format that cannot be read; choose a {KINDS} file.")


def read_npy(path: Path | str) -> Scan:
    """Read a `.npy` array: `YX`, `YXC` for 3 or 4 uint8 channels at the end, `ZYX`, `TZYX`.

    Arrays of Python objects are refused, since reading them would run code from the file.
    """
    path = Path(path)
    with reading(path, "a .npy array"):
        with path.open("rb") as file:
            np.lib.format.read_magic(file)  # numpy would unpickle a file without it
        array = np.load(path, allow_pickle=False, mmap_mode="r")
        if not isinstance(array, np.ndarray) or array.dtype.kind not in "buif":
            raise DataError(f"{path} holds no numbers; save an array of integers or floats.")
        data = np.array(array)
    if data.ndim not in (2, 3, 4):
        raise DataError(f"{path} has {data.ndim} axes; save an array of 2, 3 or 4 axes.")
    coloured = data.ndim > 2 and data.shape[-1] in _COLOUR_CHANNELS and data.dtype == np.uint8
    axes = "TZYX"[-(data.ndim - coloured) :] + "C" * coloured
    return Scan(data, axes, path=path)


def _tiff(path: Path) -> Scan:
    from napari_unet_seg.io.images.tiff import read_tiff

    return read_tiff(path)


def _image(path: Path) -> Scan:
    from napari_unet_seg.io.images.photographs import read_image

    return read_image(path)


def _nifti(path: Path) -> Scan:
    from napari_unet_seg.io.nifti import read_nifti

    return read_nifti(path)


def _dicom(path: Path, series: str | None = None) -> Scan:
    from napari_unet_seg.io.dicom.seg_read import is_seg, read_seg
    from napari_unet_seg.io.dicom.series import read_dicom

    return read_seg(path) if path.is_file() and is_seg(path) else read_dicom(path, series)


def _ome_zarr(path: Path) -> Scan:
    from napari_unet_seg.io.zarr.read import read_ome_zarr

    return read_ome_zarr(path)
