"""Photographic image files: PNG, JPEG, BMP and the like."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import numpy as np
from PIL import Image

from napari_unet_seg.errors import DataError
from napari_unet_seg.io.common.scan import Scan
from napari_unet_seg.io.common.window import to_grey
from napari_unet_seg.io.disk.files import can_hold, mapped, reading
from napari_unet_seg.io.disk.unpacked import check_unpacked
from napari_unet_seg.io.masks.values import lossy_mask

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari_unet_seg.arrays import Array


SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp", ".jp2")
TIFF_SUFFIXES = (".tif", ".tiff")

_ORIENTATION_TAG = 0x0112
_ORIENTATIONS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_SIDEWAYS = (5, 6, 7, 8)
# Conversion of an image by its mode: new mode, channels, dtype. Other modes become RGB.
_MODES = {
    "1": ("L", 1, np.uint8),
    "L": ("L", 1, np.uint8),
    "LA": ("L", 1, np.uint8),
    "I;16": ("I;16", 1, np.uint16),
    "I;16L": ("I;16L", 1, np.uint16),
    "I;16B": ("I;16B", 1, np.uint16),
    "I": ("I", 1, np.int32),
    "F": ("F", 1, np.float32),
    "RGBA": ("RGBA", 4, np.uint8),
}
_RGB = ("RGB", 3, np.uint8)
_JPEG_FORMATS = ("JPEG", "MPO")


def read_image(path: Path | str, *, as_mask: bool = False) -> Scan:
    """Read an image as viewers show it: with EXIF orientation, and palettes as colours.

    Parameters
    ----------
    path : Path
        The file.
    as_mask : bool
        Whether to read a palette's indices, which are labels, instead of its colours, and to refuse
        JPEG.

    Returns
    -------
    Scan
        Axes `YX` for grey images, `YXC` for coloured ones.

    Raises
    ------
    DataError
        If the file is missing, truncated, or not an image, or a mask is a JPEG.
    """
    path = Path(path)
    array = _pixels(path, as_mask=as_mask)
    return Scan(array, "YXC" if array.ndim == 3 else "YX", path=path)


def image_size(path: Path | str) -> tuple[int, int]:
    """Read height and width after EXIF orientation from the file's header."""
    height, width, *_ = image_layout(path)[0]
    return height, width


def image_layout(path: Path | str) -> tuple[tuple[int, ...], np.dtype[Any]]:
    """Read shape and dtype of the array of `read_image` from the file's header."""
    path = Path(path)
    if path.suffix.lower() in TIFF_SUFFIXES:
        from napari_unet_seg.io.images.tiff import tiff_layout

        return tiff_layout(path)
    with reading(path, "an image"), mapped(path) as file, Image.open(file) as image:
        width, height = image.size
        if _orientation(image) in _SIDEWAYS:
            height, width = width, height
        _, channels, dtype = _MODES.get(image.mode, _RGB)
    return (height, width) if channels == 1 else (height, width, channels), np.dtype(dtype)


def lazy_stack(paths: Sequence[Path | str], shape: tuple[int, ...], dtype: Any) -> Any:
    """Stack image files of one size; each file is read when its slice is computed.

    Parameters
    ----------
    paths : sequence of Path
        One file per slice.
    shape : tuple of int
        (Y, X) or (Y, X, C) of every image. Grey images in a coloured stack get equal channels;
        coloured images in a grey stack become their luminance.
    dtype : dtype
        Data type of every image.

    Returns
    -------
    dask.array.Array
        Of shape (len(paths), *shape), with one chunk per file. Computing a chunk raises DataError
        if its file is missing, unreadable or of another size.
    """
    import dask.array as da

    reader = _SliceReader(tuple(Path(p) for p in paths), tuple(shape), np.dtype(dtype))
    return da.map_blocks(  # type: ignore[no-untyped-call]
        reader,
        name=f"images-{uuid4().hex}",
        chunks=((1,) * len(paths), *((n,) for n in shape)),
        dtype=reader.dtype,
        meta=np.empty((0,) * (len(shape) + 1), reader.dtype),
    )


class _SliceReader:
    """Reads the file of a block of a stack."""

    def __init__(
        self, paths: tuple[Path, ...], shape: tuple[int, ...], dtype: np.dtype[Any]
    ) -> None:
        self.paths, self.shape, self.dtype = paths, shape, dtype

    def __call__(self, *, block_id: tuple[int, ...]) -> Array:
        path = self.paths[block_id[0]]
        return _fit(_pixels(path), self.shape, self.dtype, path)[None]


def _fit(array: Array, shape: tuple[int, ...], dtype: np.dtype[Any], path: Path) -> Array:
    if len(shape) == 2 and array.ndim == 3:
        array = to_grey(array).round().astype(array.dtype)
    elif len(shape) == 3 and array.ndim == 2:
        array = np.repeat(array[..., None], shape[2], axis=-1)
    elif array.ndim == 3:
        array = array[..., : shape[2]]
    if array.shape != shape or not np.can_cast(array.dtype, dtype):
        raise DataError(
            f"{path} is now {array.dtype} of shape {array.shape} and not {dtype} of shape {shape} "
            "as when it was listed; import the data set again."
        )
    return array.astype(dtype, copy=False)


def _pixels(path: Path, *, as_mask: bool = False) -> Array:
    if path.suffix.lower() in TIFF_SUFFIXES:
        from napari_unet_seg.io.images.tiff import read_tiff

        return np.asarray(read_tiff(path, as_mask=as_mask).data)
    with reading(path, "an image"), mapped(path) as file, Image.open(file) as image:
        if not can_hold(path.stat().st_size, _nbytes(image)):
            raise DataError(f"{path} is truncated or damaged (it lacks pixels); copy it again.")
        check_unpacked(path, _nbytes(image))
        if as_mask and image.format in _JPEG_FORMATS:
            raise lossy_mask(path)
        turn = _ORIENTATIONS.get(_orientation(image))
        mode, _, dtype = _MODES.get(image.mode, _RGB)
        converted: Image.Image
        if image.mode == "P" and as_mask:
            converted, dtype = image, np.uint8
        elif image.mode == "P" and "transparency" in image.info:
            converted = image.convert("RGBA").convert("RGB")
        else:
            converted = image.convert(mode)
        if turn is not None:
            converted = converted.transpose(turn)
        return np.asarray(converted).astype(dtype)


def _nbytes(image: Image.Image) -> int:
    width, height = image.size
    return width * height * len(image.getbands())


def _orientation(image: Image.Image) -> int:
    # Not image.getexif(), which decodes a whole PNG to find the tag.
    data = image.info.get("exif")
    if not data:
        return 1
    exif = Image.Exif()
    try:
        exif.load(data)
        return int(exif.get(_ORIENTATION_TAG, 1))
    except (SyntaxError, ValueError, TypeError, KeyError):
        # A damaged tag does not affect the pixels; viewers then show the image as it is stored.
        return 1
