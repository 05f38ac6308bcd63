"""Writing of masks as OME-Zarr labels, into the store of the image or a new store."""

from __future__ import annotations

import json
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_unet_seg.errors import DataError
from napari_unet_seg.io.common.grids.placement import offset, shown_affine
from napari_unet_seg.io.common.optional_dependencies import require
from napari_unet_seg.io.disk.files import (
    atomic,
    atomic_folder,
    reading,
    within,
    write_error,
)
from napari_unet_seg.io.masks.labels import smallest_type, stored_categories
from napari_unet_seg.io.masks.palette import rgb_of, stored_palette
from napari_unet_seg.io.zarr.metadata import (
    KEY,
    Level,
    OmeImage,
    Version,
    for_labels,
    to_attributes,
)
from napari_unet_seg.io.zarr.read import META, is_zarr

if TYPE_CHECKING:
    from collections.abc import Iterator

    from napari_unet_seg.arrays import Array
    from napari_unet_seg.io.common.scan import Scan


_CHUNK = {"Z": 16, "Y": 512, "X": 512}
_FORMAT: dict[Version, int] = {"0.4": 2, "0.5": 3}
_SLASHES = {"name": "v2", "separator": "/"}
_NAME = "mask"
_CHANGED = ("labels/.zattrs", "labels/.zgroup", "labels/zarr.json", ".zmetadata", "zarr.json")
"""Files of an image's store that change when a mask is added to it."""


def write_ome_labels(
    path: Path | str,
    labels: Any,
    like: Scan,
    description: dict[str, Any] | None = None,
    *,
    keep: bool = False,
) -> Path:
    """Write a mask as OME-Zarr labels, atomically.

    The mask has the version, axes and levels of the image, with coarser levels by nearest
    neighbour; for images of other formats it is OME-NGFF 0.4 with one level.

    Parameters
    ----------
    path : Path
        The store of the image, for `labels/mask` in this store; `labels/NAME` in such a store; or a
        new store.
    labels : array
        Integers of the scan's `grid_shape`; arrays other than of numpy are read in chunks.
    like : Scan
        The scan of the mask.
    description : dict
        Provenance, JSON values; stored in the attributes.
    keep : bool
        Whether to keep the previous mask as `NAME.bak`.

    Returns
    -------
    Path
        The written group.

    Raises
    ------
    DataError
        If the labels are not integers, OME-Zarr has no such axes, or the group cannot be written.
    """
    require("zarr")
    path = Path(path)
    array = _lazy(labels)
    array = array.astype(smallest_type(array, str(path)), copy=False)
    target, store = _place(path, like)
    image = _described(array, like, path)
    label: dict[str, Any] = {"version": image.version}
    if store is not None:
        label["source"] = {"image": "../../"}
        for name in (f"labels/{target.name}", *_CHANGED):
            within(store, store / name)
        _make_group(store / "labels", image.version)
    label |= _properties(description)
    own = {"provenance": description or {}, "affine": _affine(like)}
    attributes = to_attributes(image, target.name, label) | {KEY: own}
    try:
        with atomic_folder(target, keep=keep) as folder:
            _write(folder, array, image, attributes)
        if store is not None:
            _list(store, target.name, image.version)
    except OSError as error:
        raise write_error(target, error) from error
    return target


def _lazy(labels: Any) -> Any:
    """Return labels as a dask array."""
    import dask.array as da

    if isinstance(labels, np.ndarray | da.Array):
        return labels
    return da.from_array(labels)  # type: ignore[no-untyped-call]


def _place(path: Path, like: Scan) -> tuple[Path, Path | None]:
    """Return the group to write, and the store of the image that it belongs to, if any."""
    if like.path is not None and path.absolute() == like.path.absolute() and is_zarr(path):
        return path / "labels" / _NAME, path
    parts = path.parent
    if parts.name == "labels" and is_zarr(parts.parent):
        return path, parts.parent
    if path.exists() and not _is_ours(path):
        raise DataError(
            f"{path} is not a mask of this program and would be replaced; choose another name, or "
            f"{path / 'labels' / _NAME} to add the mask to it."
        )
    return path, None


def _is_ours(path: Path) -> bool:
    zarr = require("zarr")
    with reading(path, "OME-Zarr"):
        return KEY in zarr.open_group(path, mode="r", use_consolidated=False).attrs


def _described(array: Array, like: Scan, path: Path) -> OmeImage:
    stored: OmeImage | None = like.meta.get(META)
    if stored is not None:
        return for_labels(stored)
    axes = like.grid_axes
    others = "".join(axis for axis in axes if axis not in "TZYX")
    ordered = "T" * ("T" in axes) + others + "Z" * ("Z" in axes) + "YX"
    if array.ndim > 5 or len(others) > 1 or axes != ordered:
        raise DataError(
            f"{path} cannot hold the axes {axes}; OME-Zarr has time, one other axis and space, so "
            "save the mask as .tif."
        )
    return OmeImage("0.4", axes, like.unit, (Level("0", like.spacing, offset(like)),))


def _affine(like: Scan) -> list[list[float]] | None:
    affine = shown_affine(like)
    return None if affine is None else np.asarray(affine, float).tolist()


def _properties(description: dict[str, Any] | None) -> dict[str, Any]:
    """Return the names and colours of the categories in the form that other viewers read."""
    found, palette = stored_categories(description), stored_palette(description)
    rows = [
        {"label-value": value, "name": category.name, "category_id": category.id}
        for value, category in enumerate(found, 1)
    ]
    if not rows or "instances" in (description or {}):
        return {}
    colours = [
        {"label-value": value, "rgba": [*rgb_of(palette[category.name]), 255]}
        for value, category in enumerate(found, 1)
        if category.name in palette
    ]
    return {"properties": rows, "colors": colours} if colours else {"properties": rows}


def _make_group(folder: Path, version: Version) -> None:
    if not is_zarr(folder):
        require("zarr").create_group(folder, zarr_format=_FORMAT[version])


def _write(folder: Path, array: Array, image: OmeImage, attributes: dict[str, Any]) -> None:
    zarr = require("zarr")
    from numcodecs import Zstd

    group = zarr.create_group(folder, zarr_format=_FORMAT[image.version], attributes=attributes)
    for level, part in zip(image.levels, _pyramid(array, image), strict=True):
        chunks = tuple(
            max(1, min(n, _CHUNK.get(axis, 1)))
            for n, axis in zip(part.shape, image.axes, strict=True)
        )
        if image.version == "0.5":
            how: dict[str, Any] = {"dimension_names": [axis.lower() for axis in image.axes]}
        else:
            # Not Blosc, the default: its decoder may crash the process on a damaged file.
            how = {"chunk_key_encoding": _SLASHES, "compressors": Zstd()}
        target = group.create_array(
            level.path, shape=part.shape, chunks=chunks, dtype=part.dtype, **how
        )
        _fill(target, part)


def _fill(target: Any, part: Any) -> None:
    if isinstance(part, np.ndarray):
        target[...] = part
        return
    import dask.array as da

    # In whole chunks of the target, so that no two tasks write the same chunk.
    da.store(part.rechunk(target.chunks), target, lock=False, compute=True)


def _pyramid(array: Array, image: OmeImage) -> Iterator[Array]:
    """Yield the mask at the resolution of each level, by nearest neighbour."""
    finest = image.levels[0]
    for level in image.levels:
        steps = [b / a for a, b in zip(finest.scale, level.scale, strict=True)]
        picks = [_picked(n, step) for n, step in zip(array.shape, steps, strict=True)]
        coarser = array
        for axis, pick in enumerate(picks if level is not finest else ()):
            coarser = coarser.take(pick, axis)
        yield coarser


def _picked(size: int, step: float) -> Array:
    count = max(1, round(size / step))
    places: Array = ((np.arange(count) + 0.5) * step).astype(int)
    return np.minimum(places, size - 1)


def _list(store: Path, name: str, version: Version) -> None:
    """Add a mask to the `labels` list of its store, and update consolidated metadata."""
    zarr = require("zarr")
    folder = store / "labels"
    group = zarr.open_group(folder, mode="r", use_consolidated=False)
    attributes = group.attrs.asdict()
    holder = attributes.setdefault("ome", {"version": "0.5"}) if version == "0.5" else attributes
    listed = holder.get("labels")
    listed = listed if isinstance(listed, list) else []
    if name not in listed:
        holder["labels"] = [*listed, name]
        _write_attributes(folder, attributes, version)
    if zarr.open_group(store, mode="r").metadata.consolidated_metadata is not None:
        with warnings.catch_warnings():
            # zarr warns that consolidated metadata are no part of Zarr 3, but the store has them.
            warnings.simplefilter("ignore", UserWarning)
            zarr.consolidate_metadata(store)


def _write_attributes(folder: Path, attributes: dict[str, Any], version: Version) -> None:
    file = folder / (".zattrs" if version == "0.4" else "zarr.json")
    document = attributes
    if version == "0.5":
        document = json.loads(file.read_bytes()) | {"attributes": attributes}
    with atomic(file) as temporary:
        temporary.write_text(json.dumps(document, indent=2), encoding="utf-8")
