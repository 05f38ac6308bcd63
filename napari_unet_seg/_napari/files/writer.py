"""Writers for napari's File › Save as: a mask as TIFF, NIfTI, DICOM SEG or COCO."""

from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from napari import current_viewer

from napari_unet_seg._napari.files.mask_slices import named_slices, object_categories_of
from napari_unet_seg._napari.layers.colours import palette_of
from napari_unet_seg._napari.layers.conversion import categories_for
from napari_unet_seg._napari.layers.geometry import axes_of, voxel_size
from napari_unet_seg._napari.layers.layer_record import LayerRecord, record_in
from napari_unet_seg.config import IGNORE_INDEX, MOST_NUMBERED
from napari_unet_seg.io.common.scan import Scan
from napari_unet_seg.io.disk.temporary import remove_litter
from napari_unet_seg.io.masks.labels import INSTANCES_KEY, to_classes
from napari_unet_seg.io.masks.palette import PALETTE_KEY

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from napari_unet_seg._napari.files.coco.document import Mask
    from napari_unet_seg.arrays import Array
    from napari_unet_seg.config import Category
    from napari_unet_seg.io.coco.merge.keys import Keep


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
    record, object_categories = _record(attributes), object_categories_of(attributes)
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
    labels = np.asarray(data)
    object_categories, categories = (
        object_categories_of(attributes),
        categories_for(labels, _record(attributes)),
    )
    if object_categories is not None:
        labels = to_classes(labels, object_categories, categories)
    return _write_or_ask(
        path,
        lambda place, _: _write_binary(place, labels, attributes, categories),
    )


def _write_binary(
    folder: Path, labels: Array, attributes: dict[str, Any], categories: Sequence[Category]
) -> None:
    from napari_unet_seg.io.images.binary_masks import write_binary_masks

    write_binary_masks(named_slices(labels, attributes), categories, folder)


def write_coco(path: str, layers: list[Mask]) -> list[str]:
    """Write labels layers as COCO; those of an imported file together with its other masks.

    See `coco_document.save_masks`. Images among the layers are left out.
    """
    from napari_unet_seg._napari.files.coco.document import save_masks, with_others

    viewer = current_viewer()
    masks = with_others(layers, viewer.layers if viewer is not None else ())
    return _write_or_ask(path, lambda place, keep: save_masks(place, masks, keep))


def _write_or_ask(path: str, write: Callable[[Path, Keep | None], None]) -> list[str]:
    """Write a file; in a window ask what to do if another program has changed it.

    What a process that was killed while it wrote this file has left is removed first.
    """
    remove_litter(Path(path).parent, of=Path(path).name)
    if current_viewer() is None or threading.current_thread() is not threading.main_thread():
        write(Path(path), None)
        return [path]
    from napari_unet_seg._napari.files.changed_dialog import ask_until_written

    return [str(ask_until_written(write, Path(path)))]


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
    categories = _categories(labels, record)
    description = provenance(grid.path, categories, model)
    if len(categories) < IGNORE_INDEX:  # the numbered regions of an atlas have no palette
        description[PALETTE_KEY] = palette_of(categories, record.order)
    if algorithm_type:
        description["algorithm_type"] = algorithm_type
    if record.values == "instances":
        description[INSTANCES_KEY] = rows_to_store(attributes["features"])
    return _write_or_ask(
        path,
        lambda place, _: write_mask(
            checked_place(place), labels, grid, description, identified=identified
        ),
    )


def _categories(labels: Array, record: LayerRecord) -> tuple[Category, ...]:
    """Return the categories to store with a mask: none for labels too high to be numbered."""
    if not record.categories and int(labels.max(initial=0)) > MOST_NUMBERED:
        return ()
    return categories_for(labels, record)


def _record(attributes: dict[str, Any]) -> LayerRecord:
    return record_in(attributes.get("metadata", {}))


def _grid(labels: Array, attributes: dict[str, Any]) -> Scan:
    """Return the grid of a layer that the plugin did not add."""
    axes = axes_of(attributes, labels.ndim)
    return Scan(labels, axes, *voxel_size(attributes, labels.ndim))
