"""Lazy reading of OME-Zarr images and masks; the extra `zarr` is imported on opening."""

from __future__ import annotations

import json
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_unet_seg.errors import DataError
from napari_unet_seg.io.common.channels import NAMES
from napari_unet_seg.io.common.optional_dependencies import require
from napari_unet_seg.io.common.scan import Scan
from napari_unet_seg.io.disk.files import reading
from napari_unet_seg.io.zarr.metadata import KEY, OmeImage, channel_names, parse

if TYPE_CHECKING:
    from napari_unet_seg.arrays import Array

SUFFIX = ".zarr"
_MOST_CHUNKS = 2**22
_LARGEST_CHUNK = 2**31
META = "ome_zarr"
"""Key of the `OmeImage` in `Scan.meta`."""


def is_zarr(path: Path) -> bool:
    """Whether a folder is a group of Zarr 2 or 3."""
    try:
        if (path / ".zgroup").is_file():
            return True
        described = json.loads((path / "zarr.json").read_bytes())
    except (OSError, ValueError):
        return False
    return isinstance(described, dict) and described.get("node_type") == "group"


def read_ome_zarr(path: Path | str) -> Scan:
    """Open an OME-Zarr image, or one of the masks in its `labels`, at full resolution.

    Parameters
    ----------
    path : Path
        Folder of OME-NGFF 0.4 (Zarr 2) or 0.5 (Zarr 3).

    Returns
    -------
    Scan
        `data` is a dask array, of which nothing is read yet. Several channels are the last axis; a
        single channel is no axis. `meta` holds the `translation` of the first voxel along each axis
        except `C`, and the names of the `channels`, if any.

    Raises
    ------
    DataError
        If the folder is missing, damaged or not an OME-Zarr, or zarr is not installed.
    """
    path = Path(path)
    zarr = require("zarr")
    if path.exists() and not is_zarr(path):
        raise DataError(
            f"{path} is not an OME-Zarr, since it has neither zarr.json nor .zgroup; choose the "
            "folder of an image."
        )
    with reading(path, "OME-Zarr"):
        group = zarr.open_group(path, mode="r", use_consolidated=False)
        attributes = group.attrs.asdict()
        image = parse(attributes, path)
        scan = _scan(path, image, _array(group, image, path), _own(attributes))
        if names := channel_names(attributes):
            scan.meta[NAMES] = names
        return scan


def _array(group: Any, image: OmeImage, path: Path) -> Any:
    """Return the finest level as a dask array."""
    import dask.array as da

    name = image.levels[0].path
    try:
        stored = group[name]
    except KeyError:
        raise DataError(f"{path} lacks its array {name}; copy it again.") from None
    if stored.ndim != len(image.axes):
        raise DataError(
            f"{path} has the axes {image.axes} and an array of {stored.ndim}; write it again."
        )
    if stored.dtype.kind not in "buif":
        raise DataError(f"{path} holds {stored.dtype} instead of numbers; choose another image.")
    count = prod(-(-n // max(c, 1)) for n, c in zip(stored.shape, stored.chunks, strict=True))
    if count > _MOST_CHUNKS or prod(stored.chunks) * stored.dtype.itemsize > _LARGEST_CHUNK:
        raise DataError(
            f"{path} names {count} chunks of {stored.chunks} voxels, too many to open; write "
            "it again with other chunks."
        )
    from napari_unet_seg.io.zarr.chunk_codecs import bounded

    lazy = _Chunks(bounded(stored), path)
    return da.from_array(lazy, stored.chunks)  # type: ignore[no-untyped-call]


class _Chunks:
    """A stored array, which raises DataError when a damaged chunk is read."""

    def __init__(self, stored: Any, path: Path) -> None:
        self.shape, self.dtype, self.ndim = stored.shape, stored.dtype, stored.ndim
        self._stored, self._path = stored, path

    def __getitem__(self, place: Any) -> Array:
        with reading(self._path, "OME-Zarr"):
            return np.asarray(self._stored[place])


def _scan(path: Path, image: OmeImage, data: Any, own: dict[str, Any]) -> Scan:
    level, axes = image.levels[0], image.axes
    if "C" in axes:
        place = axes.index("C")
        axes = axes.replace("C", "")
        if data.shape[place] == 1:
            data = data.squeeze(place)
        else:
            data, axes = np.moveaxis(data, place, -1), axes + "C"
    kept = [i for i, axis in enumerate(image.axes) if axis != "C"]
    meta: dict[str, Any] = {
        META: image,
        "translation": tuple(level.translation[i] for i in kept),
        "description": own.get("provenance") or {},
    }
    spacing = tuple(level.scale[i] for i in kept)
    return Scan(data, axes, spacing, image.unit, path, affine=_matrix(own), meta=meta)


def _own(attributes: dict[str, Any]) -> dict[str, Any]:
    own = attributes.get(KEY)
    return own if isinstance(own, dict) else {}


def _matrix(own: dict[str, Any]) -> Array | None:
    try:
        matrix = np.array(own.get("affine"), float)
    except (TypeError, ValueError):
        return None
    return matrix if matrix.shape == (4, 4) and np.isfinite(matrix).all() else None
