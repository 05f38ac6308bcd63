"""Other splits of a COCO data set, in files next to a COCO file."""

from __future__ import annotations

import logging

from napari_unet_seg.errors import DataError
from napari_unet_seg.io.coco.read import CocoDataset, read_coco

logger = logging.getLogger(__name__)


def other_splits(dataset: CocoDataset) -> tuple[CocoDataset, ...]:
    """Find the files of the other splits: in `valid/` next to `train/`, or in the same folder.

    Returns
    -------
    tuple of CocoDataset
        One data set per other split; empty if the file's name and folder name no split.
    """
    if dataset.split is None:
        return ()
    path = dataset.path.absolute()
    candidates = {*path.parent.glob("*.json"), *path.parent.parent.glob(f"*/{path.name}")}
    parts = {dataset.split: dataset}
    for candidate in sorted(candidates - {path}):
        try:
            part = read_coco(candidate)
        except DataError as error:
            logger.info("%s is no part of %s: %s", candidate, path, error)
            continue
        if part.split is not None:
            parts.setdefault(part.split, part)
    return tuple(part for part in parts.values() if part is not dataset)
