"""Reading of scans and masks of any format."""

from __future__ import annotations

import os
import re
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from napari_unet_seg.errors import DataError
from napari_unet_seg.io.common.scan import Scan
from napari_unet_seg.io.dicom.signature import is_dicom
from napari_unet_seg.io.disk.files import reading, split_suffix
from napari_unet_seg.io.masks.labels import objects_of, stored_categories, to_classes
from napari_unet_seg.io.masks.values import Meaning, Reading, classify, to_labels
from napari_unet_seg.io.zarr.read import SUFFIX, is_zarr

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari_unet_seg.arrays import Array


KINDS = (
    "TIFF, PNG, JPEG, BMP, NIfTI (.nii, .nii.gz), DICOM (a folder or a file), OME-Zarr (a folder) "
    "or .npy"
)
"""Formats that can be read, for messages."""

_COLOUR_CHANNELS = (3, 4)
_SAMPLED_MASKS = 64
"""Most masks of a folder that are read to find out what its masks mean."""


def read_scan(path: Path | str, series: str | None = None) -> Scan:
    """Read a scan: TIFF, image, NIfTI, DICOM file or series' folder, `.npy`, or OME-Zarr, lazily.

    The slices of a stack in a folder are read lazily too, see `read_slices`.

    Parameters
    ----------
    path : Path
        A file, or the folder of a DICOM series, of an OME-Zarr or of the slices of a stack.
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
    with reading(path, "a file"):
        path.stat()
    reader = _reader(path)
    return _dicom(path, series) if reader is _dicom else reader(path)


def read_labels(path: Path | str) -> Scan:
    """Read a mask of any program, with labels of the smallest unsigned dtype.

    Booleans, palette indices and whole floats are labels. A mask of 0 and 255 becomes 0 and 1, and
    one with soft edges is cut at half. A slice alone may hold too few pixels to tell, so that the
    masks in its folder decide for it too. In a mask that this package wrote the values are labels
    in any case, and in one of single objects they become the labels of their categories.

    Returns
    -------
    Scan
        As `read_scan`; `meta["soft"]` is True if soft edges were cut.

    Raises
    ------
    DataError
        As `read_scan`, and if the file holds colours, grey values, fractions or negative values,
        or is a JPEG.
    """
    scan = _stored_mask(Path(path))
    name, values = str(path), np.asarray(scan.data)
    described = scan.meta.get("description")
    found = Reading(Meaning.LABELS, 0) if described else _reading_of(values, Path(path))
    labels = to_labels(values, found, name)
    categories = stored_categories(described)
    if (objects := objects_of(described, categories)) is not None:
        labels = to_classes(labels, objects, categories)
    return replace(scan, data=labels, meta=scan.meta | {"soft": found.meaning is Meaning.SOFT})


def _stored_mask(path: Path) -> Scan:
    """Read the values of a mask as they are stored."""
    reader = _reader(path) if os.path.exists(path) else None
    scan = reader(path, as_mask=True) if reader in (_image, _tiff) else read_scan(path)
    if "C" in scan.axes:
        raise DataError(
            f"{path} holds colours instead of labels; give a grey mask or one with a palette."
        )
    return scan


def _reading_of(values: Array, path: Path) -> Reading:
    """Find out what the values of a mask mean, if need be from the other masks of its folder."""
    own = classify(values, str(path))
    if values.ndim > 2 or own.meaning is Meaning.SOFT:
        return own
    others = _readings_beside(path)
    soft = next((other for other in others if other.meaning is Meaning.SOFT), None)
    if soft is not None:
        return soft
    meanings = {other.meaning for other in others}
    # Beside grey images, dark ones may pass for labels.
    if own.meaning is Meaning.TWO_LEVELS and meanings - {Meaning.TWO_LEVELS} == {Meaning.LABELS}:
        return Reading(Meaning.LABELS, own.top)
    return own


def _readings_beside(path: Path) -> tuple[Reading, ...]:
    from napari_unet_seg.io.common.names import MASK_ENDS

    end = next((e for e in MASK_ENDS if split_suffix(path)[0].endswith(e)), "")
    folder = path.absolute().parent
    with reading(folder, "a folder"):
        changed = folder.stat().st_mtime_ns
    return _readings_in(folder, end, path.suffix, changed)


@lru_cache(maxsize=8)
def _readings_in(folder: Path, end: str, suffix: str, _changed: int) -> tuple[Reading, ...]:
    """Find out what masks of slices in a folder mean, each from its own values."""
    files = [p for p in sorted(folder.glob(f"*{end}{suffix}")) if not p.name.startswith(".")]
    readings = []
    for file in files[:: max(1, -(-len(files) // _SAMPLED_MASKS))]:
        try:
            values = np.asarray(_stored_mask(file).data)
            if values.ndim == 2:
                readings.append(classify(values, str(file)))
        except DataError:
            continue  # reported when this file is read
    return tuple(readings)


def _reader(path: Path) -> Callable[..., Scan]:
    # The library of each format is imported when a file of this format is first read.
    name = path.name.lower()
    if path.is_dir():
        if is_zarr(path) or name.endswith(SUFFIX):
            return _ome_zarr
        return _slices if _holds_slices(path) else _dicom
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


def _tiff(path: Path, *, as_mask: bool = False) -> Scan:
    from napari_unet_seg.io.images.tiff import read_tiff

    return read_tiff(path, as_mask=as_mask)


def _holds_slices(folder: Path) -> bool:
    from napari_unet_seg.io.dicom.signature import holds_dicom
    from napari_unet_seg.io.images.slice_stacks import stacks_in

    with reading(folder, "a folder"):
        return bool(stacks_in(folder)) and not holds_dicom(folder, below=False)


def _slices(path: Path) -> Scan:
    from napari_unet_seg.io.images.slice_stacks import read_slice_folder

    return read_slice_folder(path)


def _image(path: Path, *, as_mask: bool = False) -> Scan:
    from napari_unet_seg.io.images.photographs import read_image

    return read_image(path, as_mask=as_mask)


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
