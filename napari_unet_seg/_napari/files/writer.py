"""Writers for napari's File › Save as: a mask as TIFF, NIfTI, DICOM SEG or COCO."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_unet_seg._napari.layers.geometry import axes_of, voxel_size
from napari_unet_seg._napari.layers.layers import METADATA_KEY, categories_for
from napari_unet_seg.io.common.labels import INSTANCES_KEY, to_classes
from napari_unet_seg.io.common.scan import Scan

if TYPE_CHECKING:
    from collections.abc import Iterator

    from napari_unet_seg.config import Category
    from napari_unet_seg.io.coco.encode import Encoder
    from napari_unet_seg.io.coco.json_style import JsonStyle

Array = np.ndarray[Any, np.dtype[Any]]


def write_tiff(path: str, data: Any, attributes: dict[str, Any]) -> list[str]:
    """Write a labels layer as TIFF with its axes and voxel size."""
    return _write_mask(path, data, attributes)


def write_nifti(path: str, data: Any, attributes: dict[str, Any]) -> list[str]:
    """Write a labels layer as NIfTI on the grid of the scan it was drawn on."""
    return _write_mask(path, data, attributes)


def write_ome_zarr(path: str, data: Any, attributes: dict[str, Any]) -> list[str]:
    """Write a labels layer as OME-Zarr; into its image's own, among its labels, by that's name."""
    return _write_mask(path, data, attributes)


def write_dicom_seg(path: str, data: Any, attributes: dict[str, Any]) -> list[str]:
    """Write a labels layer as DICOM SEG on the series it was drawn on."""
    # What a network drew has been in a person's hands.
    by = "SEMIAUTOMATIC" if _known(attributes).get("checkpoint") else "MANUAL"
    # A segment is a category.
    known, kinds = _known(attributes), _kinds(attributes)
    if kinds is not None:
        data = to_classes(np.asarray(data), kinds, known["categories"])
        known = {**known, "values": "classes"}
    return _write_mask(path, data, {**attributes, "metadata": {METADATA_KEY: known}}, by)


def write_binary(path: str, data: Any, attributes: dict[str, Any]) -> list[str]:
    """Write a labels layer as TIFFs of 0 and 255 into a folder, one for each image."""
    from napari_unet_seg.io.images.binary_masks import write_binary_masks

    labels = np.asarray(data)
    kinds, categories = _kinds(attributes), categories_for(labels, _known(attributes))
    if kinds is not None:
        labels = to_classes(labels, kinds, categories)
    write_binary_masks(_slices(labels, attributes), categories, Path(path))
    return [path]


def write_coco(path: str, data: Any, attributes: dict[str, Any]) -> list[str]:
    """Write a labels layer as COCO, with the options that were chosen last.

    A mask that came from a COCO file goes back into it: what was not edited keeps its JSON. A
    prediction whose categories are not those of the file is written as a file of its own.
    """
    from napari_unet_seg._napari.files.coco_options import coco_options, tell_cuts
    from napari_unet_seg.io.coco.encode import Encoder
    from napari_unet_seg.io.coco.write import save_coco

    encoder = Encoder(coco_options())
    labels = np.asarray(data)
    document, style = _document(labels, attributes, encoder)
    save_coco(document, Path(path), style=style)
    tell_cuts(encoder)
    return [path]


def _document(
    labels: Array, attributes: dict[str, Any], encoder: Encoder
) -> tuple[dict[str, Any], JsonStyle]:
    from napari_unet_seg.io.coco.json_style import JsonStyle
    from napari_unet_seg.io.coco.read import read_coco
    from napari_unet_seg.io.coco.write import labels_to_coco
    from napari_unet_seg.io.coco.write_back import write_back, write_back_instances

    known = _known(attributes)
    ids, categories = known.get("image_ids", ()), categories_for(labels, known)
    planes = dict(zip(ids, labels, strict=True)) if len(ids) == len(labels) else {}
    kinds = _kinds(attributes)
    if planes and (instances := known.get("instances")):
        written = write_back_instances(instances, planes, kinds=kinds, encoder=encoder)
        return written, instances.dataset.style
    if planes and "coco" in known and kinds is None:
        dataset, boxes = read_coco(known["coco"]), known.get("boxes", False)
        if {*categories} <= {*dataset.categories, *dataset.hidden}:
            written = write_back(
                dataset, planes, categories=categories, boxes=boxes, encoder=encoder
            )
            return written, dataset.style
    slices = _slices(labels, attributes)
    return labels_to_coco(slices, categories, instances=kinds, encoder=encoder), JsonStyle()


def _kinds(attributes: dict[str, Any]) -> dict[int, Category] | None:
    """Return the category of every object, None where the values are categories."""
    from napari_unet_seg._napari.layers.instances import by_value

    known = _known(attributes)
    if known.get("values") != "instances":
        return None
    return by_value(attributes["features"], known["categories"])


def _write_mask(
    path: str, data: Any, attributes: dict[str, Any], algorithm_type: str = ""
) -> list[str]:
    from napari_unet_seg._napari.layers.instances import rows_to_store
    from napari_unet_seg.io.provenance import provenance
    from napari_unet_seg.io.write import write_mask

    labels, known = np.asarray(data), _known(attributes)
    like = known.get("scan") or _grid(labels, attributes)
    described = provenance(like.path, categories_for(labels, known), known.get("checkpoint"))
    if algorithm_type:
        described["algorithm_type"] = algorithm_type
    if known.get("values") == "instances":
        described[INSTANCES_KEY] = rows_to_store(attributes["features"])
    write_mask(Path(path), labels, like, described)
    return [path]


def _known(attributes: dict[str, Any]) -> dict[str, Any]:
    return attributes.get("metadata", {}).get(METADATA_KEY) or {}


def _grid(labels: Array, attributes: dict[str, Any]) -> Scan:
    """Return the grid of a layer that did not come from the plugin."""
    axes = axes_of(attributes, labels.ndim)
    return Scan(labels, axes, *voxel_size(attributes, labels.ndim))


def _slices(labels: Array, attributes: dict[str, Any]) -> Iterator[tuple[str, Array]]:
    """Yield the planes of a mask with the name of the image each belongs to."""
    known = _known(attributes)
    scan: Scan | None = known.get("scan")
    named = scan.path.name if scan and scan.path else f"{attributes.get('name', 'mask')}.png"
    if labels.ndim == 2:
        yield named, labels
        return
    planes = labels.reshape(-1, *labels.shape[-2:])
    names = known.get("names") or ()
    stem = named.partition(".")[0]
    for index, plane in enumerate(planes):
        yield names[index] if len(names) == len(planes) else f"{stem}_{index:04d}.png", plane
