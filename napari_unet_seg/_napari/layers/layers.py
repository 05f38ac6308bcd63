"""Between napari's layers and the package's own scans and masks."""

from __future__ import annotations

from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_unet_seg._napari.layers.colours import category_colormap, category_colour
from napari_unet_seg._napari.layers.geometry import axes_of, geometry_of, voxel_size
from napari_unet_seg.config import IGNORE_INDEX, Category
from napari_unet_seg.errors import DataError
from napari_unet_seg.io.common.scan import Scan

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from napari.layers import Image, Labels, Layer
    from napari.viewer import ViewerModel
    from numpy.typing import NDArray


__all__ = [
    "METADATA_KEY",
    "add_labels",
    "add_map",
    "categories_of",
    "category_colormap",
    "category_colour",
    "category_features",
    "file_of",
    "geometry_of",
    "grid_of",
    "image_of",
    "is_users",
    "labels_options",
    "metadata_of",
    "scan_from_layer",
    "scan_options",
]

METADATA_KEY = "unet_seg"
"""Where the plugin keeps what it knows of a layer, in `layer.metadata`."""


def metadata_of(layer: Layer) -> dict[str, Any]:
    """Return what the plugin knows of a layer; empty for layers that others made."""
    return layer.metadata.get(METADATA_KEY) or {}


def categories_of(layer: Layer) -> tuple[Category, ...]:
    """Return the categories that a layer's label values, from 1, stand for."""
    return tuple(metadata_of(layer).get("categories", ()))


def is_users(layer: Layer, kind: type[Layer]) -> bool:
    """Whether a layer is of a kind, and neither a map nor a preview that the plugin drew."""
    return isinstance(layer, kind) and not {"map", "preview"} & metadata_of(layer).keys()


def image_of(mask: Layer, images: Iterable[Layer]) -> Layer | None:
    """Return the image among some that a mask was drawn on, else one of the same file.

    None where the layers do not tell.
    """
    images, path = tuple(images), file_of(mask)
    drawn_on = (i for i in images if i.unique_id == metadata_of(mask).get("image"))
    of_file = (i for i in images if path is not None and file_of(i) == path)
    return next(chain(drawn_on, of_file), None)


def file_of(layer: Layer) -> Path | None:
    """Return the file that a layer came from, as far as the plugin knows."""
    scan: Scan | None = metadata_of(layer).get("scan")
    return None if scan is None else scan.path


def scan_from_layer(layer: Image | Labels) -> Scan:
    """Return an image layer as a scan, without reading or copying its pixels.

    Of a multiscale layer it is the full resolution. Axes and voxel size are those of the layer as
    it stands, by its scale and its affine; where the file came with a grid of its own, that goes
    along.

    Raises
    ------
    DataError
        If the layer has too many dimensions.
    """
    data = layer.data[0] if layer.multiscale else layer.data
    if np.dtype(data.dtype) == bool:
        data = data.view(np.uint8) if isinstance(data, np.ndarray) else data.astype(np.uint8)
    known = metadata_of(layer)
    axes = _axes(layer, known)
    scan = Scan(
        data,
        axes + ("C" if getattr(layer, "rgb", False) else ""),
        *voxel_size(geometry_of(layer), layer.ndim),
        Path(layer.source.path) if layer.source.path else None,
        tuple(known.get("names", ())),
    )
    stored: Scan | None = known.get("scan")
    if stored is None or stored.grid_shape != scan.grid_shape:
        return scan
    unit = stored.unit if scan.unit == "pixel" else scan.unit
    path = stored.path or scan.path
    return replace(scan, path=path, affine=stored.affine, meta=stored.meta, unit=unit)


def _axes(layer: Layer, known: dict[str, Any]) -> str:
    stored: Scan | None = known.get("scan")
    if stored is not None and len(stored.grid_axes) == layer.ndim:
        return stored.grid_axes
    if layer.ndim == 3 and known.get("independent"):
        return "NYX"
    axes = axes_of(geometry_of(layer), layer.ndim)
    if len(axes) < layer.ndim:
        raise DataError(f"The layer {layer.name} has {layer.ndim} dimensions, which are too many.")
    return axes


def grid_of(scan: Scan) -> Scan:
    """Return a scan's grid without its pixels, so that a mask does not keep them in memory."""
    return replace(scan, data=np.broadcast_to(np.zeros((), scan.data.dtype), scan.data.shape))


def scan_options(scan: Scan, name: str, *, coloured: bool = False, **known: Any) -> dict[str, Any]:
    """Return the arguments of an image layer that shows a scan.

    Parameters
    ----------
    scan : Scan
        What is shown.
    name : str
        Of the layer.
    coloured : bool
        Whether channels are known to be colours, as those of an RGB layer are.
    **known
        What else the plugin keeps of the layer.
    """
    rgb = scan.axes.endswith("C") and scan.data.shape[-1] in (3, 4)
    # In a file, three or four channels of another type, or with names, are sequences, not colours.
    named = len(scan.meta.get("channels", ())) == scan.data.shape[-1]
    rgb = rgb and (coloured or (scan.data.dtype == np.uint8 and not named))
    kept = {"scan": grid_of(scan), "independent": "N" in scan.axes, "names": scan.names, **known}
    options: dict[str, Any] = {"name": name, "rgb": rgb, "metadata": {METADATA_KEY: kept}}
    options["scale"] = scan.spacing
    options["units"] = tuple(scan.unit if axis in "ZYX" else "pixel" for axis in scan.grid_axes)
    if translation := scan.meta.get("translation"):
        options["translate"] = translation
    if not rgb and scan.data.dtype == np.uint8:
        options["contrast_limits"] = (0, 255)
    return options


def category_features(categories: Sequence[Category]) -> dict[str, list[Any]]:
    """Return the table of a labels layer, one row per label value."""
    return {
        "index": [0, *range(1, len(categories) + 1)],
        "category": ["background", *(c.name for c in categories)],
    }


def labels_options(
    categories: Sequence[Category], name: str, metadata: dict[str, Any] | None = None
) -> dict[str, Any]:
    """Return the arguments of a labels layer, all but its geometry."""
    kept = {**(metadata or {}), "values": "classes", "categories": tuple(categories)}
    options: dict[str, Any] = {"name": name, "metadata": {METADATA_KEY: kept}}
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
    metadata: dict[str, Any] | None = None,
) -> Labels:
    """Add a mask over the layer it belongs to, with its geometry and the categories' colours.

    Parameters
    ----------
    viewer : napari.Viewer
        Where it is added, above the other layers and selected.
    array : array
        Integers on the grid of `source_layer`; lazy ones are read, since only then can they be
        painted on.
    source_layer : Layer
        The image, or another mask of it.
    categories : sequence of Category
        What the label values, from 1, stand for.
    name : str
        Of the new layer.
    metadata : dict
        What else to keep under `layer.metadata["unet_seg"]`.

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
    known = metadata_of(source_layer)
    kept: dict[str, Any] = {
        key: known[key]
        for key in ("independent", "names", "coco", "image_ids", "boxes")
        if key in known
    }
    drawn_on = known["image"] if "image" in known else source_layer.unique_id
    kept |= {"scan": grid_of(scan), "image": drawn_on, **(metadata or {})}
    options = labels_options(categories, name, kept)
    return viewer.add_labels(labels, **options, **geometry_of(source_layer))


def add_map(
    viewer: ViewerModel, values: Any, mask: Labels, kind: str, *, high: float = 1.0
) -> Image:
    """Add a map that was predicted with a mask, from 0 to `high`, with the mask's geometry.

    Parameters
    ----------
    viewer : napari.Viewer
        Where it is added.
    values : array
        On the grid of the mask.
    mask : Labels
        The map is known as its own, however both are called later.
    kind : str
        What it shows, "probability of tumour" for example.
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
        metadata={METADATA_KEY: {"map": kind, "of": mask.unique_id}},
        **geometry_of(mask),
    )


def categories_for(labels: NDArray[Any], known: dict[str, Any]) -> tuple[Category, ...]:
    """Return a layer's categories, or one for each label value where it has none."""
    categories: tuple[Category, ...] = known.get("categories") or ()
    if categories:
        return categories
    values = labels[labels != IGNORE_INDEX]
    highest = int(values.max()) if values.size else 1
    return tuple(Category(id=v, name=f"label {v}") for v in range(1, max(highest, 1) + 1))
