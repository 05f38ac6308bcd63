"""What a prompt may mean on a slice: a lesion, a part of one, a structure, or a superpixel."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import ndimage
from skimage.segmentation import watershed

from benchmarks.prompts.head_labels import CODES, TISSUES
from benchmarks.prompts.lesions import CORE, LESION, OEDEMA, RIM
from napari_unet_seg.data.prompts.marks import anywhere, largest_part

if TYPE_CHECKING:
    from napari_unet_seg.arrays import Array

Rng = np.random.Generator

SMALLEST = 20
"""Pixels of a structure that is worth a prompt."""
_PARTS = {
    (CORE, RIM): 0.38,
    (CORE, RIM, OEDEMA): 0.45,
    (CORE,): 0.07,
    (OEDEMA,): 0.07,
    (RIM,): 0.03,
}


def superpixel(image: Array, rng: Rng) -> Array:
    """A piece of a slice between edges, sometimes with neighbours of much the same grey."""
    smooth = ndimage.gaussian_filter(image.astype(np.float32), rng.uniform(0.7, 2.5))
    edges = np.hypot(ndimage.sobel(smooth, 0), ndimage.sobel(smooth, 1))
    pieces = watershed(edges, markers=int(rng.integers(30, 200)))
    seen = smooth > 15
    if np.count_nonzero(seen) < SMALLEST:
        return np.zeros(image.shape, bool)
    piece = pieces[tuple(anywhere(seen, rng))]
    target = pieces == piece
    greys = np.bincount(pieces.ravel(), smooth.ravel()) / np.bincount(pieces.ravel()).clip(1)
    close = (np.abs(greys - greys[piece]) < rng.uniform(0, 25))[pieces]
    for _ in range(int(rng.integers(0, 3))):
        reached = np.zeros(pieces.max() + 1, bool)
        reached[pieces[ndimage.binary_dilation(target)]] = True
        target = target | (reached[pieces] & close)
    return np.asarray(target)


def labelled(labels: Array, near: Array, rng: Rng) -> tuple[Array, Array]:
    """A lesion or structure of a synthetic slice, and the same on the slice nearby.

    The first may be empty, where a lesion ends between the two.
    """
    ill = (labels >= LESION).any() or (near >= LESION).any()
    if ill and rng.random() < 0.8:
        return lesion(labels, near, rng)
    return structure(labels, near, rng)


def lesion(labels: Array, near: Array, rng: Rng) -> tuple[Array, Array]:
    """A lesion of either slice, or all of them, whole or in part, on both; empty without any."""
    values = np.concatenate([labels[labels >= LESION], near[near >= LESION]])
    parts = list(_PARTS)[rng.choice(len(_PARTS), p=list(_PARTS.values()))]
    lesions = np.unique((values - LESION) // 3)
    chosen = lesions if rng.random() < 0.1 or not len(lesions) else rng.choice(lesions, 1)
    meant = [LESION + 3 * int(n) + part for n in chosen for part in parts]
    return np.isin(labels, meant), np.isin(near, meant)


def structure(labels: Array, near: Array, rng: Rng) -> tuple[Array, Array]:
    """A structure of a slice or a union of several, whole or a part, on both slices."""
    counts = np.bincount(labels.ravel(), minlength=256)[:LESION]
    present = np.flatnonzero(counts >= SMALLEST)
    present = present[present > 0]
    if not len(present):
        return np.zeros(labels.shape, bool), np.zeros(labels.shape, bool)
    values = rng.choice(present, int(rng.choice((1, 2, 3), p=(0.7, 0.2, 0.1))))
    if rng.random() < 0.4:
        values = _group(values)
    target, beside = np.isin(labels, values), np.isin(near, values)
    if rng.random() < 0.6:
        target = largest_part(target) if rng.random() < 0.5 else _some_part(target, rng)
        beside = beside & ndimage.binary_dilation(target, iterations=6)
    return target, beside


def _some_part(mask: Array, rng: Rng) -> Array:
    parts, _ = ndimage.label(mask)
    part = np.asarray(parts == parts[tuple(anywhere(mask, rng))])
    return part if np.count_nonzero(part) >= SMALLEST else largest_part(mask)


def _group(values: Array) -> Array:
    """The values of whole tissues, of both sides of the brain."""
    codes = set(CODES[values].tolist())
    for tissue in TISSUES.values():
        if codes & set(tissue):
            codes |= set(tissue)
    return np.flatnonzero(np.isin(CODES, list(codes)))
