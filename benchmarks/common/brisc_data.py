"""The BRISC slices as samples, twins on one side of a fixed split.

The data are no part of the repository: give their folder, which holds `images/*.jpg`,
`masks/*.png` of the same stems, and `no_tumor/*.jpg`.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from napari_unet_seg.config import Category
from napari_unet_seg.data.samples import Sample, SampleSet
from napari_unet_seg.data.splits import draw_groups
from napari_unet_seg.data.twins import THUMBNAIL, twin_groups

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

TUMOUR = (Category(id=1, name="tumour", supercategory="lesion"),)
FIFTH = 0.2
SEED = 0


def brisc_samples(folder: Path, healthy: bool = True) -> SampleSet:
    """Every slice with its mask; healthy slices have an empty one.

    A fixed fifth is held out as `valid`; slices that correlate above 0.98 in any of eight
    orientations are on the same side.
    """
    files = sorted((folder / "images").glob("*.jpg"))
    samples = [Sample(f.stem, f, folder / "masks" / f"{f.stem}.png", f.stem) for f in files]
    if healthy:
        empty = np.zeros((256, 256), np.uint8)
        clean = sorted((folder / "no_tumor").glob("*.jpg"))
        samples += [Sample(f.stem, f, empty, f.stem) for f in clean]
    groups = [str(g) for g in twin_groups(np.stack([_thumbnail(s) for s in samples]))]
    held_out = draw_groups(groups, FIFTH, SEED)
    split = (
        replace(s, group=g, split="valid" if g in held_out else "train")
        for s, g in zip(samples, groups, strict=True)
    )
    return SampleSet(tuple(split), TUMOUR, "BRISC 2025 (Fateh et al., CC BY 4.0)")


def _thumbnail(sample: Sample) -> np.ndarray:
    with Image.open(sample.image) as image:
        small = image.convert("L").resize((THUMBNAIL, THUMBNAIL), Image.Resampling.BOX)
    return np.asarray(small)


def drawn(samples: SampleSet, count: int, seed: int) -> list[Sample]:
    """Some of the held-out slices, in random order."""
    held_out = [s for s in samples.samples if s.split == "valid"]
    return [held_out[i] for i in np.random.default_rng(seed).permutation(len(held_out))[:count]]


def with_sides(samples: SampleSet, chosen: Sequence[Sample]) -> SampleSet:
    """A set of some slices alone, every fifth held out."""
    sides = [replace(s, split="valid" if i % 5 == 4 else "train") for i, s in enumerate(chosen)]
    return replace(samples, samples=tuple(sides))
