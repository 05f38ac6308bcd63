"""The TumorSeg slices as samples of one category, on the sides that the data set gives.

The data are no part of the repository: give their folder, which holds `train` and `valid`, each
with its images and `_annotations.coco.json`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from napari_unet_seg.config import Category
from napari_unet_seg.data.samples import Sample, SampleSet
from napari_unet_seg.io.coco.raster import rasterise
from napari_unet_seg.io.coco.read import read_coco

if TYPE_CHECKING:
    from pathlib import Path

    from napari_unet_seg.data.samples import Split

TUMOUR = (Category(id=1, name="tumour", supercategory="lesion"),)
SIDES: tuple[Split, ...] = ("train", "valid")


def tumorseg_samples(folder: Path) -> SampleSet:
    """Every annotated slice with its boxes as one category."""
    samples = []
    for side in SIDES:
        coco = read_coco(folder / side / "_annotations.coco.json")
        for image in coco.images:
            mask = rasterise(coco, image.id) > 0
            if mask.any() and image.path is not None:
                name = image.path.stem
                samples.append(Sample(name, image.path, mask.astype(np.uint8), name, side))
    return SampleSet(tuple(samples), TUMOUR, "TumorSeg (provided by a Roboflow user, CC BY 4.0)")
