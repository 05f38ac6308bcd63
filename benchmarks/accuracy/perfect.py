"""What predictors without a fault would score on TumorSeg, whose annotations are boxes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image
from scipy import ndimage

from benchmarks.accuracy.tumorseg import BATCH, published_dice, small_mask
from benchmarks.common.brisc_data import brisc_samples
from benchmarks.common.tumorseg_data import tumorseg_samples
from napari_unet_seg.evaluation.metrics import count

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from napari_unet_seg.arrays import Array
    from napari_unet_seg.data.samples import Sample


_THUMBNAIL = 32
_ALIKE = 0.98
_NEIGHBOURS = 0.96
"""Correlation of slices that show the same lesion, one beside the other."""


def perfect_scores(tumorseg: Path, brisc: Path) -> dict[str, float]:
    """Scores of the boxes themselves, of ellipses in them, and of the true outlines."""
    samples = tumorseg_samples(tumorseg).samples
    valid = [s for s in samples if s.split == "valid"]
    boxes = [np.asarray(s.mask) for s in valid]
    ellipses = [ellipse_in(box) for box in boxes]
    outlines = outlines_of(valid, list(brisc_samples(brisc, healthy=False).samples))
    known = [
        (outline, box) for outline, box in zip(outlines, boxes, strict=True) if outline is not None
    ]
    return {
        "box": _published(boxes, boxes),
        "ellipse": _published(ellipses, boxes),
        "ellipse_dice": _mean_dice(zip(ellipses, boxes, strict=True)),
        "outlines": len(known),
        "outline": _published(*zip(*known, strict=True)),
        "outline_dice": _mean_dice(known),
        **_agreement(samples),
    }


def _agreement(samples: Sequence[Sample]) -> dict[str, float]:
    """How well the boxes of two slices agree that hardly differ, as neighbours in a scan do."""
    vectors = _standard(np.stack([_thumbnail(s) for s in samples]))
    pairs = np.argwhere(np.triu(vectors @ vectors.T, 1) > _NEIGHBOURS)
    boxes = [(np.asarray(samples[a].mask), np.asarray(samples[b].mask)) for a, b in pairs]
    return {"neighbours": len(pairs), "neighbours_dice": _mean_dice(boxes)}


def ellipse_in(boxes: Array) -> Array:
    """The ellipse within every box of a mask."""
    ellipses = np.zeros_like(boxes)
    labels, _ = ndimage.label(boxes)
    for place in ndimage.find_objects(labels):
        y, x = (np.linspace(-1, 1, 2 * (s.stop - s.start) + 1)[1::2] for s in place)
        ellipses[place] |= (y[:, None] ** 2 + x[None] ** 2 <= 1) & (boxes[place] > 0)
    return ellipses


def outlines_of(slices: Sequence[Sample], known: Sequence[Sample]) -> list[Array | None]:
    """Masks of those slices of a set that are copies of slices with pixel masks, turned alike."""
    ours, theirs = (np.stack([_thumbnail(s) for s in part]) for part in (slices, known))
    best, found = np.full(len(ours), -1.0), [(0, 0)] * len(ours)
    for turn in range(8):
        likeness = _standard(ours) @ _standard(_turned(theirs, turn)).T
        for row, column in enumerate(likeness.argmax(axis=1)):
            if likeness[row, column] > best[row]:
                best[row], found[row] = likeness[row, column], (int(column), turn)
    return [
        _outline(known[column], turn, np.asarray(sample.mask).shape) if alike > _ALIKE else None
        for sample, alike, (column, turn) in zip(slices, best, found, strict=True)
    ]


def _thumbnail(sample: Sample) -> Array:
    with Image.open(sample.image) as file:
        small = file.convert("L").resize((_THUMBNAIL, _THUMBNAIL), Image.Resampling.BOX)
    return np.asarray(small, np.float64)


def _standard(images: Array) -> Array:
    flat = images.reshape(len(images), -1)
    flat = flat - flat.mean(axis=1, keepdims=True)
    return flat / np.linalg.norm(flat, axis=1, keepdims=True).clip(1e-9)


def _turned(images: Array, turn: int) -> Array:
    images = images.swapaxes(-2, -1) if turn >= 4 else images
    return np.rot90(images, turn % 4, axes=(-2, -1))


def _outline(sample: Sample, turn: int, shape: tuple[int, ...]) -> Array:
    with Image.open(sample.mask) as file:
        mask = np.asarray(file.convert("1")).astype(np.uint8)
    turned = Image.fromarray(np.ascontiguousarray(_turned(mask, turn)))
    return np.asarray(turned.resize(shape[::-1], Image.Resampling.NEAREST))


def _published(found: Sequence[Array], true: Sequence[Array]) -> float:
    values, sizes = [], []
    for start in range(0, len(found), BATCH):
        ours, theirs = (
            np.stack([small_mask(m) for m in part[start : start + BATCH]]) for part in (found, true)
        )
        values.append(published_dice(ours, theirs))
        sizes.append(len(ours))
    return round(float(np.average(values, weights=sizes)), 4)


def _mean_dice(pairs: Any) -> float:
    return round(float(np.mean([count(found, true, 1).dice for found, true in pairs])), 4)
