"""Writers for napari's File › Save as: a mask as TIFF, NIfTI, DICOM SEG or COCO."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_unet_seg._napari.layers.conversion import categories_for
from napari_unet_seg._napari.layers.geometry import axes_of, voxel_size
from napari_unet_seg._napari.layers.layer_record import LayerRecord, record_in
from napari_unet_seg.io.common.labels import INSTANCES_KEY, to_classes
from napari_unet_seg.io.common.scan import Scan

if TYPE_CHECKING:
    from collections.abc import Iterator

    from napari_unet_seg.arrays import Array
    from napari_unet_seg.config import Category
    from napari_unet_seg.io.coco.encode import Encoder
    from napari_unet_seg.io.coco.json_style import JsonStyle


def write_tiff(path: str, data: Any, attributes: dict[str, Any]) -> list[str]:
    """Write a labels layer as TIFF with its axes and voxel size."""
    return _write_mask(path, data, attributes)


def write_nifti(path: str, data: Any, attributes: dict[str, Any]) -> list[str]:
    """Write a labels layer as NIfTI on the grid of the scan it was drawn on."""
    return _write_mask(path, data, attributes)


def write_ome_zarr(path: str, data: Any, attributes: dict[str, Any]) -> list[str]:
    """Write a labels layer as OME-Zarr; a path in an image's `labels` folder adds to that image."""
    return _write_mask(path, data, attributes)


def write_dicom_seg(path: str, data: Any, attributes: dict[str, Any]) -> list[str]:
    """Write a labels layer as DICOM SEG of the patient, on the series it was drawn on."""
    return _write_seg(path, data, attributes, identified=True)


def write_deidentified_seg(path: str, data: Any, attributes: dict[str, Any]) -> list[str]:
    """Write a labels layer as DICOM SEG that does not name the patient."""
    return _write_seg(path, data, attributes, identified=False)


def _write_seg(path: str, data: Any, attributes: dict[str, Any], *, identified: bool) -> list[str]:
    record, object_categories = _record(attributes), _object_categories(attributes)
    # A person has reviewed what a network predicted.
    algorithm_type = "SEMIAUTOMATIC" if record.model else "MANUAL"
    # A segment of DICOM is a category, not an object.
    if object_categories is not None:
        data = to_classes(np.asarray(data), object_categories, record.categories)
        record = replace(record, values="classes")
    changed = {**attributes, "metadata": record.as_metadata()}
    return _write_mask(path, data, changed, algorithm_type, identified=identified)


def write_binary(path: str, data: Any, attributes: dict[str, Any]) -> list[str]:
    """Write a labels layer as TIFFs of 0 and 255 into a folder, one for each image."""
    from napari_unet_seg.io.images.binary_masks import write_binary_masks

    labels = np.asarray(data)
    object_categories, categories = (
        _object_categories(attributes),
        categories_for(labels, _record(attributes)),
    )
    if object_categories is not None:
        labels = to_classes(labels, object_categories, categories)
    write_binary_masks(_slices(labels, attributes), categories, Path(path))
    return [path]


def write_coco(path: str, data: Any, attributes: dict[str, Any]) -> list[str]:
    """Write a labels layer as COCO, with the options that were chosen last.

    A mask of an imported COCO file is written back: annotations that were not edited keep their
    JSON. A mask with categories that the file does not have is written as a new document.
    """
    from napari_unet_seg._napari.files.coco_options import coco_options, show_cuts
    from napari_unet_seg.io.coco.encode import Encoder
    from napari_unet_seg.io.coco.write import save_coco

    encoder = Encoder(coco_options())
    labels = np.asarray(data)
    document, style = _document(labels, attributes, encoder)
    save_coco(document, Path(path), style=style)
    show_cuts(encoder)
    return [path]


def _document(
    labels: Array, attributes: dict[str, Any], encoder: Encoder
) -> tuple[dict[str, Any], JsonStyle]:
    from napari_unet_seg.io.coco.json_style import JsonStyle
    from napari_unet_seg.io.coco.write import labels_to_coco
    from napari_unet_seg.io.coco.write_back import write_back, write_back_instances

    record, object_categories = _record(attributes), _object_categories(attributes)
    categories, coco = categories_for(labels, record), record.coco
    if coco is not None and len(coco.ids) == len(labels):
        planes = dict(zip(coco.ids, labels, strict=True))
        if (instances := record.instances) is not None:
            written = write_back_instances(
                instances, planes, kinds=object_categories, encoder=encoder
            )
            return written, instances.dataset.style
        dataset = coco.source.dataset()
        if object_categories is None and {*categories} <= {*dataset.categories, *dataset.hidden}:
            written = write_back(
                dataset, planes, categories=categories, boxes=coco.boxes, encoder=encoder
            )
            return written, dataset.style
    slices = _slices(labels, attributes)
    document = labels_to_coco(slices, categories, instances=object_categories, encoder=encoder)
    return document, JsonStyle()


def _object_categories(attributes: dict[str, Any]) -> dict[int, Category] | None:
    """Return the category of every object by label; None if the labels are categories."""
    from napari_unet_seg._napari.layers.instances import object_categories

    record = _record(attributes)
    if record.values != "instances":
        return None
    return object_categories(attributes["features"], record.categories)


def _write_mask(
    path: str,
    data: Any,
    attributes: dict[str, Any],
    algorithm_type: str = "",
    *,
    identified: bool = True,
) -> list[str]:
    from napari_unet_seg._napari.layers.instances import rows_to_store
    from napari_unet_seg.data.description import checked_place
    from napari_unet_seg.io.provenance import provenance
    from napari_unet_seg.io.write import write_mask

    labels, record = np.asarray(data), _record(attributes)
    grid = record.scan or _grid(labels, attributes)
    model = record.model._asdict() if record.model else None
    description = provenance(grid.path, categories_for(labels, record), model)
    if algorithm_type:
        description["algorithm_type"] = algorithm_type
    if record.values == "instances":
        description[INSTANCES_KEY] = rows_to_store(attributes["features"])
    write_mask(checked_place(Path(path)), labels, grid, description, identified=identified)
    return [path]


def _record(attributes: dict[str, Any]) -> LayerRecord:
    return record_in(attributes.get("metadata", {}))


def _grid(labels: Array, attributes: dict[str, Any]) -> Scan:
    """Return the grid of a layer that the plugin did not add."""
    axes = axes_of(attributes, labels.ndim)
    return Scan(labels, axes, *voxel_size(attributes, labels.ndim))


def _slices(labels: Array, attributes: dict[str, Any]) -> Iterator[tuple[str, Array]]:
    """Yield the slices of a mask, each with the file name of its image."""
    record = _record(attributes)
    scan = record.scan
    named = scan.path.name if scan and scan.path else f"{attributes.get('name', 'mask')}.png"
    if labels.ndim == 2:
        yield named, labels
        return
    planes = labels.reshape(-1, *labels.shape[-2:])
    names = record.names
    stem = named.partition(".")[0]
    for index, plane in enumerate(planes):
        yield names[index] if len(names) == len(planes) else f"{stem}_{index:04d}.png", plane
