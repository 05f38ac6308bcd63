"""Lesions of random shapes, grown into the label map of a head."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from benchmarks.prompts.head_labels import CODES, TISSUES
from napari_unet_seg.data.prompts.marks import anywhere, smooth_noise

if TYPE_CHECKING:
    from napari_unet_seg.arrays import Array

Rng = np.random.Generator

LESION = 100
"""Label of the first part of the first lesion."""
CORE, RIM, OEDEMA = range(3)
MOST = 12
"""Lesions in a head."""


def grow_lesions(labels: Array, rng: Rng) -> Array:
    """Write lesions into labels (Z, Y, X), of which a copy is returned."""
    labels = labels.copy()
    codes = CODES[labels]
    head = (codes > 0) & (codes < 200)
    brain = head & (codes != 24)
    white = np.isin(codes, TISSUES["white"])
    many = rng.random() < 0.2
    few = (0, 1, 2, 3)
    count = rng.integers(4, MOST + 1) if many else rng.choice(few, p=(0.1, 0.5, 0.25, 0.15))
    for number in range(count):
        radius = rng.uniform(2, 6) if many else float(np.exp(rng.uniform(*np.log((4, 32)))))
        where = white if rng.random() < 0.7 else brain
        room = (brain, head, labels > 0)[rng.choice(3, p=(0.3, 0.6, 0.1))]
        _grow(labels, room, white, number, anywhere(where, rng), radius, rng)
    return labels


def _grow(
    labels: Array, room: Array, white: Array, number: int, centre: Array, radius: float, rng: Rng
) -> None:
    """Write one lesion, with its core and its oedema, around a point."""
    reach = round(2.2 * radius + 3)
    places = [
        np.arange(max(0, c - reach), min(n, c + reach + 1))
        for c, n in zip(centre, labels.shape, strict=True)
    ]
    window = tuple(slice(p[0], p[-1] + 1) for p in places)
    grid = np.stack(np.meshgrid(*places, indexing="ij"), -1) - centre
    turned = grid @ np.linalg.qr(rng.normal(0, 1, (3, 3)))[0]
    axes = radius * np.exp(rng.normal(0, 0.3, 3))
    far = np.sqrt(((turned / axes) ** 2).sum(-1))
    rough = rng.uniform(0, 0.35)
    field = far + rough * smooth_noise(far.shape, max(2.0, radius * rng.uniform(0.3, 0.9)), rng)
    inside, lesion = labels[window], (field < 1) & room[window]
    part = LESION + 3 * number
    if radius > 5 and rng.random() < 0.5:
        swollen = far + 0.4 * smooth_noise(far.shape, max(3.0, radius * 0.6), rng)
        inside[(swollen < rng.uniform(1.2, 2.0)) & white[window] & ~lesion] = part + OEDEMA
    inside[lesion] = part + RIM
    if radius > 4 and rng.random() < 0.6:
        inside[lesion & (field < rng.uniform(0.4, 0.85))] = part + CORE
