"""Export of the masks of a data set to the COCO files that it was imported from."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from napari_unet_seg.config import Id
from napari_unet_seg.data.dataset_plan import join_categories
from napari_unet_seg.data.description import coco_copy, read_description
from napari_unet_seg.errors import DataError
from napari_unet_seg.io.coco.source import CocoSource
from napari_unet_seg.io.coco.write_back import find_edits
from napari_unet_seg.io.read import read_labels

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari_unet_seg.arrays import Array
    from napari_unet_seg.config import Category
    from napari_unet_seg.io.coco.encode import Encoder
    from napari_unet_seg.io.coco.merge import Keep
    from napari_unet_seg.io.coco.read import CocoDataset


def export_dataset(
    folder: Path, out: Path, encoder: Encoder, *, keep: Keep | None = None
) -> list[Path]:
    """Write the COCO files of a data set again, with the edits of its masks.

    Annotations that were not edited keep their JSON, as do images that the data set does not hold.
    What another program has changed in the files since the import is kept too. The files keep their
    names, and their folders if the names alone are not unique.

    Parameters
    ----------
    folder : Path
        A data set that `write_dataset` made.
    out : Path
        Folder for the files; it is created if it does not exist.
    encoder : Encoder
        How masks are encoded.
    keep : str, optional
        Which version stays of an annotation that was changed both in a mask and in its COCO file
        since the import: "mine", the mask's, or "theirs".

    Returns
    -------
    list of Path
        The written files.

    Raises
    ------
    ConflictError
        If an annotation was changed on both sides, and `keep` is not given.
    DataError
        If the data set was not imported from COCO files, a COCO file cannot be read, or a mask does
        not fit its image. No file is written in this case.
    """
    description = read_description(folder)
    if not description.sources:
        raise DataError(
            f"{folder} was not imported from COCO files; give --out the name of a .json file."
        )
    sources = [
        CocoSource(Path(source), copy=coco_copy(folder, index))
        for index, source in enumerate(description.sources)
    ]
    datasets = [source.dataset() for source in sources]
    joined, tables = join_categories([dataset.categories for dataset in datasets])
    masks = _masks(folder, [folder / sample.mask for sample in description.samples])
    edits = []
    for dataset, table in zip(datasets, tables, strict=True):
        files, boxes = masks.get(str(dataset.path), ({}, False))
        own = _OwnMasks(files, table, joined, dataset)
        edits.append(find_edits(dataset, own, boxes=boxes, encoder=encoder))
    paths = [out / name for name in _names([source.path for source in sources])]
    for path, source, own_edits in zip(paths, sources, edits, strict=True):
        path.parent.mkdir(parents=True, exist_ok=True)
        source.save(own_edits, path, keep=keep)
    return paths


def _masks(folder: Path, masks: Sequence[Path]) -> dict[str, tuple[dict[Id, Path], bool]]:
    """Return for each COCO file the masks by image id, and whether boxes were drawn as masks."""
    found: dict[str, dict[Id, Path]] = defaultdict(dict)
    boxes: dict[str, bool] = defaultdict(bool)
    for path in masks:
        origin = read_labels(path).meta.get("description", {})
        if not isinstance(origin.get("image_id"), Id):
            raise DataError(
                f"{path} does not store the COCO file and image that it belongs to; export "
                f"{folder} to a .json file instead."
            )
        found[origin["coco"]][origin["image_id"]] = path
        boxes[origin["coco"]] |= bool(origin.get("boxes"))
    return {name: (found[name], boxes[name]) for name in found}


class _OwnMasks(Mapping[Id, "Array"]):
    """The masks of a data set with the label values of one of its COCO files, read one at a time.

    Parameters
    ----------
    files : dict of Id to Path
        The masks by image id.
    table : array
        The label value in the data set by the label value in the COCO file.
    joined : sequence of Category
        Categories of the data set.
    source : CocoDataset
        The COCO file.
    """

    def __init__(
        self, files: dict[Id, Path], table: Array, joined: Sequence[Category], source: CocoDataset
    ) -> None:
        self._files, self._joined, self._source = files, joined, source
        self._back = np.full(len(joined) + 1, -1, np.int32)
        self._back[table] = np.arange(len(table))

    def __iter__(self) -> Iterator[Id]:
        """Iterate over the image ids."""
        return iter(self._files)

    def __len__(self) -> int:
        """Return the number of masks."""
        return len(self._files)

    def __getitem__(self, image_id: Id) -> Array:
        """Read the mask of an image, of shape (Y, X).

        Raises
        ------
        DataError
            If the mask holds a category that the COCO file does not have.
        """
        labels = np.asarray(read_labels(self._files[image_id]).data)
        within = labels < len(self._back)
        own = np.where(within, self._back[np.where(within, labels, 0)], -1)
        if (own < 0).any():
            self._refuse(int(labels[own < 0].min()), image_id)
        return own

    def _refuse(self, value: int, image_id: Id) -> None:
        known = value <= len(self._joined)
        name = self._joined[value - 1].name if known else f"label {value}"
        raise DataError(
            f"The mask for {self._source.by_id[image_id].file_name} holds {name}, which is not a "
            f"category of {self._source.path}; add the category to this file, or correct the mask."
        )


def _names(paths: Sequence[Path]) -> list[Path]:
    """Return the paths of the files relative to their common folder."""
    root = Path(os.path.commonpath([path.absolute().parent for path in paths]))
    return [path.absolute().relative_to(root) for path in paths]
