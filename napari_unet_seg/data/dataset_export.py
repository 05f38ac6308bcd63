"""Export of the masks of a data set to the COCO files that it was imported from."""

from __future__ import annotations

import os
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from napari_unet_seg.data.dataset_plan import join_categories
from napari_unet_seg.data.description import read_description
from napari_unet_seg.errors import DataError
from napari_unet_seg.io.coco.read import read_coco
from napari_unet_seg.io.coco.write import save_coco
from napari_unet_seg.io.coco.write_back import write_back
from napari_unet_seg.io.read import read_labels

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari_unet_seg.arrays import Array
    from napari_unet_seg.config import Category
    from napari_unet_seg.io.coco.encode import Encoder
    from napari_unet_seg.io.coco.read import CocoDataset


def export_dataset(folder: Path, out: Path, encoder: Encoder) -> list[Path]:
    """Write the COCO files of a data set again, with the edits of its masks.

    Annotations that were not edited keep their JSON, as do images that the data set does not hold.
    The files keep their names, and their folders if the names alone are not unique.

    Parameters
    ----------
    folder : Path
        A data set that `write_dataset` made.
    out : Path
        Folder for the files; it is created if it does not exist.
    encoder : Encoder
        How masks are encoded.

    Returns
    -------
    list of Path
        The written files.

    Raises
    ------
    DataError
        If the data set was not imported from COCO files, a COCO file cannot be read, or a mask does
        not fit its image. No file is written in this case.
    """
    description = read_description(folder)
    if not description.sources:
        raise DataError(
            f"{folder} was not imported from COCO files; give --out the name of a .json file."
        )
    sources = [read_coco(source) for source in description.sources]
    joined, tables = join_categories([source.categories for source in sources])
    edited = _edited(folder, [folder / sample.mask for sample in description.samples])
    documents = []
    for source, table in zip(sources, tables, strict=True):
        masks, boxes = edited.get(str(source.path), ({}, False))
        own = {i: _own(labels, table, joined, source, i) for i, labels in masks.items()}
        documents.append(write_back(source, own, boxes=boxes, encoder=encoder))
    paths = [out / name for name in _names([source.path for source in sources])]
    for path, source, document in zip(paths, sources, documents, strict=True):
        path.parent.mkdir(parents=True, exist_ok=True)
        save_coco(document, path, style=source.style)
    return paths


def _edited(folder: Path, masks: Sequence[Path]) -> dict[str, tuple[dict[int, Array], bool]]:
    """Return for each COCO file the masks by image id, and whether boxes were drawn as masks."""
    found: dict[str, dict[int, Array]] = defaultdict(dict)
    boxes: dict[str, bool] = defaultdict(bool)
    for path in masks:
        mask = read_labels(path)
        origin = mask.meta.get("description", {})
        if not isinstance(origin.get("image_id"), int):
            raise DataError(
                f"{path} does not store the COCO file and image that it belongs to; export "
                f"{folder} to a .json file instead."
            )
        found[origin["coco"]][origin["image_id"]] = mask.data
        boxes[origin["coco"]] |= bool(origin.get("boxes"))
    return {name: (found[name], boxes[name]) for name in found}


def _own(
    labels: Array, table: Array, joined: Sequence[Category], source: CocoDataset, image_id: int
) -> Array:
    """Convert label values of the data set to label values of one of its COCO files."""
    back = np.zeros(max(len(joined), int(labels.max(initial=0))) + 1, np.int32)
    back[table] = np.arange(len(table))
    lacking = sorted({*np.unique(labels).tolist()} - {*table.tolist()})
    if lacking:
        value = lacking[0]
        name = joined[value - 1].name if value <= len(joined) else f"label {value}"
        image = source.by_id[image_id].file_name
        raise DataError(
            f"The mask for {image} holds {name}, which is not a category of {source.path}; add the "
            "category to this file, or correct the mask."
        )
    return np.asarray(back[labels])


def _names(paths: Sequence[Path]) -> list[Path]:
    """Return the paths of the files relative to their common folder."""
    root = Path(os.path.commonpath([path.absolute().parent for path in paths]))
    return [path.absolute().relative_to(root) for path in paths]
