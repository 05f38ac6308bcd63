"""Conversion between napari's layers and the package's scans and masks."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_unet_seg._napari.layers.colours import category_colormap
from napari_unet_seg._napari.layers.geometry import axes_of, geometry_of, placement_of, voxel_size
from napari_unet_seg._napari.layers.layer_record import (
    EMPTY_RECORD,
    LayerRecord,
    MapRecord,
    record_of,
)
from napari_unet_seg._napari.widgets.messages import show_info
from napari_unet_seg.config import IGNORE_INDEX, Category, numbered_categories
from napari_unet_seg.errors import DataError
from napari_unet_seg.io.common.channels import COLOURS, is_colour
from napari_unet_seg.io.common.scan import Scan
from napari_unet_seg.io.common.window import WINDOWS
from napari_unet_seg.io.images.photographs import TIFF_SUFFIXES
from napari_unet_seg.io.images.tiff_photometric import black_of
from napari_unet_seg.io.masks.values import meant_labels

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari.layers import Image, Labels, Layer
    from napari.viewer import ViewerModel

    from napari_unet_seg.arrays import Array


def categories_of(layer: Layer) -> tuple[Category, ...]:
    """Return the categories of a layer's labels, from 1."""
    return record_of(layer).categories


def is_user_layer(layer: Layer, kind: type[Layer]) -> bool:
    """Whether a layer is of a kind, and neither a map nor a preview of the plugin."""
    record = record_of(layer)
    return isinstance(layer, kind) and record.map is None and not record.preview


def file_of(layer: Layer) -> Path | None:
    """Return the file of a layer's scan, else that of the layer itself; None if it has none."""
    scan = record_of(layer).scan
    if scan is not None and scan.path is not None:
        return scan.path
    return Path(layer.source.path) if layer.source.path else None


def scan_from_layer(layer: Image | Labels) -> Scan:
    """Return a layer as a scan, without reading or copying its pixels.

    A multiscale layer gives its full resolution. Axes and voxel size follow from the layer's
    present scale and affine; affine and metadata of the file are kept if its grid still fits. Greys
    that napari read from a TIFF of which 0 is white are inverted lazily, as in `read_tiff`.

    Raises
    ------
    DataError
        If the layer has too many dimensions.
    """
    data = layer.data[0] if layer.multiscale else layer.data
    if np.dtype(data.dtype) == bool:
        data = data.view(np.uint8) if isinstance(data, np.ndarray) else data.astype(np.uint8)
    record = record_of(layer)
    if record.scan is None and hasattr(layer, "rgb"):
        data = _bright(layer, data)
    axes = layer_axes(layer)
    scan = Scan(
        data,
        axes + ("C" if getattr(layer, "rgb", False) else ""),
        *voxel_size(geometry_of(layer), layer.ndim),
        Path(layer.source.path) if layer.source.path else None,
        record.names,
        meta={COLOURS: True} if getattr(layer, "rgb", False) else {},
    )
    stored = record.scan
    if stored is None or stored.grid_shape != scan.grid_shape:
        return scan
    unit = stored.unit if scan.unit == "pixel" else scan.unit
    path = stored.path or scan.path
    return replace(scan, path=path, affine=stored.affine, meta=stored.meta | scan.meta, unit=unit)


def _bright(image: Image, data: Any) -> Any:
    """Return the pixels that napari read from a file as the program reads them."""
    path = Path(image.source.path or "")
    if image.rgb or path.suffix.lower() not in TIFF_SUFFIXES:
        return data
    black = black_of(path)
    if black is None or np.dtype(data.dtype).kind not in "ui":
        return data
    _say_inverted(path)
    import dask.array as da

    lazy = data if isinstance(data, da.Array) else da.from_array(data, name=False)  # type: ignore[no-untyped-call]
    return (black - lazy).astype(data.dtype)


@cache
def _say_inverted(path: Path) -> None:
    show_info(f"{path.name} stores white as 0; its values are inverted for the network.")


def scan_from_labels(layer: Labels) -> Scan:
    """Return a labels layer as a scan; values of a mask without categories mean as in a file.

    Raises
    ------
    DataError
        If the layer has too many dimensions.
    """
    scan = scan_from_layer(layer)
    if categories_of(layer) or not isinstance(scan.data, np.ndarray):
        return scan
    return replace(scan, data=meant_labels(scan.data, f"The layer {layer.name}"))


def layer_axes(layer: Layer) -> str:
    """Return a letter for each axis of a layer, `C` of colours not; see `Scan.axes`.

    Raises
    ------
    DataError
        If the layer has too many dimensions.
    """
    record = record_of(layer)
    stored = record.scan
    if stored is not None and len(stored.grid_axes) == layer.ndim:
        return stored.grid_axes
    if layer.ndim == 3 and record.independent:
        return "NYX"
    axes = axes_of(geometry_of(layer), layer.ndim)
    if len(axes) < layer.ndim:
        raise DataError(
            f"The layer {layer.name} has {layer.ndim} dimensions, which are too many; choose a "
            "layer with fewer."
        )
    return axes


def grid_of(scan: Scan) -> Scan:
    """Return a scan without its pixels, so that a mask does not keep the pixels in memory."""
    return replace(scan, data=np.broadcast_to(np.zeros((), scan.data.dtype), scan.data.shape))


def scan_options(
    scan: Scan, name: str, *, coloured: bool = False, record: LayerRecord = EMPTY_RECORD
) -> dict[str, Any]:
    """Return the arguments of an image layer that shows a scan.

    Parameters
    ----------
    scan : Scan
        The scan to show.
    name : str
        Name of the layer.
    coloured : bool
        Whether the channels are colours in any case, as those of an RGB layer are.
    record : LayerRecord
        Further fields of the layer's record.
    """
    rgb = is_colour(scan)
    rgb = rgb or (coloured and scan.axes.endswith("C") and scan.data.shape[-1] in (3, 4))
    record = replace(record, scan=grid_of(scan), independent="N" in scan.axes, names=scan.names)
    options: dict[str, Any] = {"name": name, "rgb": rgb, "metadata": record.as_metadata()}
    options |= placement_of(scan)
    windows = scan.meta.get(WINDOWS)
    if not rgb and windows:
        options["contrast_limits"] = (windows[0].low, windows[0].high)
    elif not rgb and scan.data.dtype == np.uint8:
        options["contrast_limits"] = (0, 255)
    return options


def category_features(categories: Sequence[Category]) -> dict[str, list[Any]]:
    """Return the features of a labels layer, with a row for each label."""
    return {
        "index": [0, *range(1, len(categories) + 1)],
        "category": ["background", *(c.name for c in categories)],
    }


def labels_options(
    categories: Sequence[Category], name: str, record: LayerRecord = EMPTY_RECORD
) -> dict[str, Any]:
    """Return the arguments of a labels layer, except its geometry."""
    record = replace(record, values="classes", categories=tuple(categories))
    options: dict[str, Any] = {"name": name, "metadata": record.as_metadata()}
    if categories:
        options["features"] = category_features(categories)
        options["colormap"] = category_colormap(categories)
    return options


def add_labels(
    viewer: ViewerModel,
    array: Any,
    source_layer: Layer,
    categories: Sequence[Category],
    name: str,
    **changes: Any,
) -> Labels:
    """Add a mask over its image, with the image's geometry and the categories' colours.

    Parameters
    ----------
    viewer : napari.Viewer
        The viewer that gets the mask, above its other layers and selected.
    array : array
        Integers on the grid of `source_layer`; a lazy array is read, since a mask must be
        editable.
    source_layer : Layer
        The image, or another mask of the image.
    categories : sequence of Category
        The categories of the labels, from 1.
    name : str
        Name of the new layer.
    **changes
        Further fields of the layer's record, as for `update_record`.

    Raises
    ------
    DataError
        If the mask's grid is not the image's.
    """
    labels = np.asarray(array)
    scan = scan_from_layer(source_layer)
    if labels.shape != scan.grid_shape:
        raise DataError(
            f"The mask {name} is of shape {labels.shape} and {source_layer.name} of "
            f"{scan.grid_shape}; choose the image that the mask was made for."
        )
    record = replace(record_on(source_layer, scan), **changes)
    options = labels_options(categories, name, record)
    return viewer.add_labels(labels, **options, **geometry_of(source_layer))


def record_on(source_layer: Layer, scan: Scan | None = None) -> LayerRecord:
    """Return the record of a new mask on an image, or on another mask of the image.

    Parameters
    ----------
    source_layer : Layer
        The image or mask.
    scan : Scan, optional
        The layer as a scan, if that was made already.

    Raises
    ------
    DataError
        If the layer has too many dimensions.
    """
    source = record_of(source_layer)
    return LayerRecord(
        scan=grid_of(scan or scan_from_layer(source_layer)),
        independent=source.independent,
        names=source.names,
        case=source.case,
        sequence=source.sequence,
        channel=source.channel,
        coco=source.coco,
        image=source.image or source_layer.unique_id,
    )


def add_map(
    viewer: ViewerModel, values: Any, mask: Labels, kind: str, *, high: float = 1.0
) -> Image:
    """Add a map that was predicted with a mask, from 0 to `high`, with the mask's geometry.

    Parameters
    ----------
    viewer : napari.Viewer
        The viewer that gets the map.
    values : array
        The values of the map, on the grid of the mask.
    mask : Labels
        The mask that the map belongs to; renaming either layer does not matter.
    kind : str
        The quantity, "probability of tumour" for example.
    high : float
        The value that is drawn brightest.
    """
    return viewer.add_image(
        np.asarray(values, np.float32),
        name=f"{mask.name} · {kind}",
        colormap="inferno",
        blending="additive",
        contrast_limits=(0, high),
        opacity=0.6,
        metadata=LayerRecord(map=MapRecord(kind, mask.unique_id)).as_metadata(),
        **geometry_of(mask),
    )


def categories_for(labels: Array, record: LayerRecord) -> tuple[Category, ...]:
    """Return the categories of a layer's record; a category for each label if there are none."""
    if record.categories:
        return record.categories
    values = labels[labels != IGNORE_INDEX]
    highest = int(values.max()) if values.size else 1
    return numbered_categories(max(highest, 1))
