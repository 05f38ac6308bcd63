"""What a prompt may mean on a slice: a lesion, a part of one, a structure, or a superpixel."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import ndimage

from benchmarks.prompts.head_labels import CODES, TISSUES, within_brain
from benchmarks.prompts.lesions import CORE, LESION, OEDEMA, RIM
from napari_unet_seg.data.prompts.marks import anywhere, largest_part

if TYPE_CHECKING:
    from napari_unet_seg.arrays import Array

Rng = np.random.Generator

SMALLEST = 20
"""Pixels of a structure that is worth a prompt."""
_ALIKE = {(CORE, RIM): 0.1, (CORE, RIM, OEDEMA): 0.84, (CORE,): 0.03, (OEDEMA,): 0.02, (RIM,): 0.01}
_APART = {(CORE, RIM): 0.64, (CORE, RIM, OEDEMA): 0.2, (CORE,): 0.07, (OEDEMA,): 0.06, (RIM,): 0.03}
_SEEN = 10
"""Greys of 255 between a target and what surrounds it."""


def visible(image: Array, target: Array) -> bool:
    """Whether a target is set off against the pixels around it."""
    around = ndimage.binary_dilation(target, iterations=4) & ~target
    if not target.any() or not around.any():
        return False
    return bool(abs(image[target].mean() - image[around].mean()) >= _SEEN)


def labelled(image: Array, labels: Array, near: Array, rng: Rng) -> tuple[Array, Array]:
    """A lesion or structure of a synthetic slice, and the same on the slice nearby.

    The first may be empty, where a lesion ends between the two.
    """
    ill = (labels >= LESION).any() or (near >= LESION).any()
    if ill and rng.random() < 0.9:
        return lesion(image, labels, near, rng)
    return structure(labels, near, rng)


def lesion(image: Array, labels: Array, near: Array, rng: Rng) -> tuple[Array, Array]:
    """A lesion of either slice, or all of them, whole or in part, on both; empty without any.

    Oedema belongs to what is meant where its grey is nearer to the lesion's than to that of the
    healthy tissue, mostly.
    """
    values = np.concatenate([labels[labels >= LESION], near[near >= LESION]])
    often = _ALIKE if looks_alike(image, labels) else _APART
    parts = list(often)[rng.choice(len(often), p=list(often.values()))]
    lesions = np.unique((values - LESION) // 3)
    chosen = lesions if rng.random() < 0.1 or not len(lesions) else rng.choice(lesions, 1)
    meant = [LESION + 3 * int(n) + part for n in chosen for part in parts]
    return np.isin(labels, meant), np.isin(near, meant)


def looks_alike(image: Array, labels: Array) -> bool:
    """Whether oedema looks like the lesion that it surrounds."""
    ill = labels >= LESION
    oedema = ill & ((labels - LESION) % 3 == OEDEMA)
    healthy = ndimage.binary_dilation(ill, iterations=6) & (labels > 0) & ~ill
    if not (oedema.any() and healthy.any() and (ill & ~oedema).any()):
        return True
    grey, usual = image[oedema].mean(), image[healthy].mean()
    return bool(abs(grey - image[ill & ~oedema].mean()) < abs(grey - usual))


def structure(labels: Array, near: Array, rng: Rng) -> tuple[Array, Array]:
    """A structure of a slice or a union of several, whole or a part, on both slices."""
    counts = np.bincount(labels.ravel(), minlength=256)[:LESION]
    present = np.flatnonzero(counts >= SMALLEST)
    present = present[(within_brain(CODES) if rng.random() < 0.85 else CODES > 0)[present]]
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
