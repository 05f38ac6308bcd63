"""Reading and writing of TIFF, with axes, voxel size and provenance."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree

import numpy as np
import tifffile

from napari_unet_seg.errors import DataError
from napari_unet_seg.io.common.channels import COLOURS, NAMES
from napari_unet_seg.io.common.planes import Planes
from napari_unet_seg.io.common.scan import Scan
from napari_unet_seg.io.disk.files import atomic, reading
from napari_unet_seg.io.images.tiff_checks import check_pages, check_size, check_whole
from napari_unet_seg.io.images.tiff_grid import Grid, common_axes, grid_of, metadata_for
from napari_unet_seg.io.images.tiff_photometric import bright, palette_of
from napari_unet_seg.io.masks.labels import smallest
from napari_unet_seg.io.masks.values import lossy_mask

if TYPE_CHECKING:
    from napari_unet_seg.arrays import Array

_KEY = "unet_seg"
"""Key of this package's JSON: in a line of ImageJ's description, else in JSON or OME metadata."""
_IMAGEJ_DTYPES = ("uint8", "uint16", "float32")
_COLOURED = (tifffile.PHOTOMETRIC.RGB, tifffile.PHOTOMETRIC.YCBCR, tifffile.PHOTOMETRIC.PALETTE)
_JPEG = (tifffile.COMPRESSION.JPEG, tifffile.COMPRESSION.OJPEG)
_IMAGEJ_BYTES = 2**32 - 2**25


def read_tiff(path: Path | str, *, as_mask: bool = False) -> Scan:
    """Read a plain, ImageJ or OME-TIFF, also compressed or BigTIFF.

    The pages of a plain TIFF are slices of one volume (`Z`). Colours or channels are the last axis.
    The voxel size is read from the metadata of ImageJ or OME, or from the resolution tags unless
    they are resolutions of a print, such as 72 dpi. Integers of a file that stores white as 0 are
    inverted, so that high values are bright; booleans are not, since programs that write masks as
    booleans often name them so, with True as 1.

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
        `meta["description"]` is the provenance that `write_labels` stored, if any;
        `meta["channels"]` are the channel names in OME metadata, if any; `meta["notes"]` reports
        skipped images and inverted values.

    Raises
    ------
    DataError
        If the file is missing, truncated or not a TIFF, or has axes or numbers that cannot be
        shown, or a mask is compressed as JPEG.
    """
    path = Path(path)
    with reading(path, "a TIFF"), tifffile.TiffFile(path) as file:
        check_pages(file, path)
        if as_mask and file.pages[0].aspage().compression in _JPEG:
            raise lossy_mask(path)
        stored = _stored(file)
        grid, order = grid_of(file, stored.get("grid"))
        data, notes = bright(_pixels(file, path), file.series[0].keyframe, path, as_mask=as_mask)
        data = np.transpose(data, order).reshape(grid.shape)
        palette = None if as_mask else palette_of(file)
        others = len(file.series) - 1
        channels = _channels(file)
        colours = file.series[0].keyframe.photometric in _COLOURED
    meta: dict[str, Any] = {"description": stored.get("provenance", {})}
    if channels:
        meta[NAMES] = channels
    if "C" in grid.axes:
        meta[COLOURS] = colours
    if others:
        notes.append(f"{path.name} holds {others} more images of another kind; skipped.")
    if notes:
        meta["notes"] = tuple(notes)
    affine = _matrix(stored.get("affine"))
    if palette is not None:
        data = palette[data.astype(np.uint16)]  # booleans would select rows
    axes = grid.axes + "C" * (data.ndim - len(grid.axes))
    return Scan(data, axes, grid.spacing, grid.unit, path, affine=affine, meta=meta)


def tiff_layout(path: Path | str) -> tuple[tuple[int, ...], np.dtype[Any]]:
    """Read shape and dtype of the array of `read_tiff`, without its pixels."""
    with reading(path, "a TIFF"), tifffile.TiffFile(path) as file:
        shape = grid_of(file, _stored(file).get("grid"))[0].shape
        palette = palette_of(file)
        if palette is not None:
            return (*shape, *palette.shape[1:]), palette.dtype
        return shape, np.dtype(file.series[0].dtype)


def read_description(path: Path | str) -> dict[str, Any]:
    """Read the provenance that `write_labels` stored; empty for files of other programs."""
    with reading(path, "a TIFF"), tifffile.TiffFile(path) as file:
        provenance: dict[str, Any] = _stored(file).get("provenance", {})
        return provenance


def write_labels(
    path: Path | str,
    labels: Any,
    *,
    axes: str,
    spacing: tuple[float, ...] = (),
    unit: str = "pixel",
    affine: Array | None = None,
    description: dict[str, Any] | None = None,
    keep: bool = False,
) -> None:
    """Write labels as the smallest of uint8, uint16 and uint32 that holds all values.

    Parameters
    ----------
    path : Path
        The file, which is written atomically.
    labels : array
        Integers from 0; `Planes` are written with their own dtype.
    axes, spacing, unit
        As in `Scan`; ImageJ and napari can read them.
    affine : array, optional
        Maps the index order (x, y, z) of the labels to world coordinates (RAS+), of shape (4, 4).
    description : dict
        Provenance, JSON values; `read_description` returns it.
    keep : bool
        Whether to keep the previous file as `name.bak.tif`.

    Raises
    ------
    DataError
        If the labels are not integers, do not fit 32 bits, or have axes that TIFF cannot store, or
        if the file cannot be written.
    """
    array = labels if isinstance(labels, Planes) else smallest(labels, str(path))
    write_array(
        path,
        array,
        axes=axes,
        spacing=spacing,
        unit=unit,
        affine=affine,
        description=description,
        keep=keep,
    )


def write_array(
    path: Path | str,
    array: Array | Planes,
    *,
    axes: str,
    spacing: tuple[float, ...] = (),
    unit: str = "pixel",
    affine: Array | None = None,
    description: dict[str, Any] | None = None,
    keep: bool = False,
) -> None:
    """Write an array with its own dtype, for example a probability map.

    Parameters are those of `write_labels`; `Planes` are written one by one. The file is an ImageJ
    TIFF if ImageJ supports the dtype (uint8, uint16, float32) and size, else an OME-TIFF.
    """
    scan = Scan(array, axes, tuple(float(s) for s in spacing), unit)
    grid = Grid(scan.axes, tuple(array.shape), scan.spacing, unit)
    names = common_axes(grid.axes)
    if not set(names) <= set("TZCYX") or len(set(names)) < len(names):
        raise DataError(
            f"{path} was not written, since TIFF cannot store the axes {grid.axes}; save each "
            "volume from a layer of its own."
        )
    stored = {
        "grid": grid.to_json(),
        "affine": None if affine is None else np.asarray(affine, float).tolist(),
        "provenance": description or {},
    }
    text = json.dumps(stored, allow_nan=False)
    # tifffile interprets a last axis of one element as the samples of ImageJ's RGB.
    fits = array.nbytes < _IMAGEJ_BYTES and grid.shape[grid.axes.index("X")] > 1
    imagej = array.dtype.name in _IMAGEJ_DTYPES and fits
    order, options = metadata_for(grid, imagej=imagej)
    data = array.transpose(order)
    metadata = options.pop("metadata")
    metadata |= {"Info": text, _KEY: text} if imagej else {"Description": text}
    with atomic(path, keep=keep) as temporary:
        tifffile.imwrite(
            temporary,
            iter(data) if isinstance(data, Planes) else data,
            shape=data.shape,
            dtype=data.dtype,
            imagej=imagej,
            ome=not imagej,
            photometric="minisblack",
            compression="zlib",
            metadata=metadata,
            **options,
        )


def _stored(file: tifffile.TiffFile) -> dict[str, Any]:
    for text in _candidates(file):
        try:
            value = json.loads(text)
        except ValueError:
            continue
        if isinstance(value, dict) and isinstance(value.get("provenance"), dict):
            return value
    return {}


def _channels(file: tifffile.TiffFile) -> tuple[str, ...]:
    """Return the channel names of the first OME image; empty if there are none."""
    if not file.is_ome or not file.series or "C" not in file.series[0].axes:
        return ()
    try:
        image = ElementTree.fromstring(file.pages[0].aspage().description).find("{*}Image")
    except ElementTree.ParseError:
        return ()
    channels = image.findall("{*}Pixels/{*}Channel") if image is not None else []
    names = tuple(channel.get("Name", "") for channel in channels)
    return names if any(names) else ()


def _matrix(value: Any) -> Array | None:
    try:
        matrix = np.array(value, float)
    except (TypeError, ValueError):
        return None
    return matrix if matrix.shape == (4, 4) and np.isfinite(matrix).all() else None


def _candidates(file: tifffile.TiffFile) -> list[str]:
    """Return the texts that may hold this package's JSON, the most reliable first."""
    description = file.pages[0].aspage().description
    if file.is_ome:
        image = tifffile.xml2dict(description).get("OME", {}).get("Image", {})
        images = image if isinstance(image, list) else [image]
        return [str(i["Description"]) for i in images if "Description" in i]
    lines = [line for line in description.splitlines() if line.startswith(f"{_KEY}=")]
    # ImageJ removes unknown lines of the description when it saves, but keeps the Info.
    info = (file.imagej_metadata or {}).get("Info", "") if file.is_imagej else ""
    return [line.partition("=")[2] for line in lines] + [str(info)]


def _pixels(file: tifffile.TiffFile, path: Path) -> Array:
    series = file.series[0]
    if series.dtype.kind not in "buif":
        raise DataError(f"{path} holds {series.dtype} values; save its magnitude as a new file.")
    check_size(series, file.filehandle.size, path)
    if series.dataoffset is None:
        check_whole(series, file.filehandle.size, path)
    return np.asarray(series.asarray())
