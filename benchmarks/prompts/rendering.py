"""Heads of any contrast drawn from label maps.

Each rendition draws a grey value a label, lesions, the sharpness, the slice thickness, a bias field
and noise, and keeps some slices. Labels are numbered as in `CODES`; lesions follow from `LESION`,
three parts each.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy import ndimage

from benchmarks.prompts.head_labels import CODES, TISSUES, numbered
from benchmarks.prompts.lesions import LESION, MOST, OEDEMA, RIM, grow_lesions
from napari_unet_seg.data.prompts.marks import smooth_noise

if TYPE_CHECKING:
    from napari_unet_seg.arrays import Array

Rng = np.random.Generator

SLICES = 20
"""Slices kept of a rendition."""
BACKGROUND = 0.0
_USUAL = {"t1": (0.75, 0.55, 0.15), "t2": (0.35, 0.55, 0.95), "flair": (0.45, 0.6, 0.12)}
"""Grey of white matter, cortex and fluid in the usual sequences."""
_LESIONS = {
    "t1": ((0.15, 0.55), (0.25, 0.6), (0.4, 0.65)),
    "t1c": ((0.1, 0.9), (0.8, 1.0), (0.4, 0.68)),
    "t2": ((0.6, 1.0), (0.6, 0.95), (0.6, 0.95)),
    "flair": ((0.25, 1.0), (0.7, 1.0), (0.65, 1.0)),
}
"""Range of the grey of a lesion's core, rim and oedema in them, and in T1 with contrast."""


class Look(NamedTuple):
    """What a scanner and its operator decide."""

    thickness: int
    """Millimetres of a slice."""
    spread: Array
    """Deviation of the grey within each of 256 labels."""
    grain: float
    """Pixels over which that is smooth."""
    stripped: bool
    """Whether the skull is taken away."""
    rim: int
    """Pixels around the brain that are left then."""
    blur: float
    coarse: float
    """Pixels that were one when the image was taken."""
    bias: float
    noise: float


def greys(rng: Rng) -> Array:
    """A mean grey for each code: tissues at random, or in the order of a usual sequence."""
    tissue = dict(zip(TISSUES, rng.uniform(0.1, 0.95, len(TISSUES)), strict=True))
    usual = rng.choice(["random", *_USUAL], p=[0.4, 0.25, 0.15, 0.2])
    wide = 0.03 if rng.random() < 0.6 else 0.12
    return _of_sequence(usual, tissue, wide, rng)


def _of_sequence(usual: str, tissue: dict[str, float], wide: float, rng: Rng) -> Array:
    """A mean grey for each code, off by a normal deviate; of `random` as the tissues tell."""
    tissue = dict(tissue)
    if usual != "random":
        white, cortex, fluid = _USUAL[usual]
        tissue |= {
            "white": white,
            "stem": white,
            "cortex": cortex,
            "deep": (white + cortex) / 2,
            "ventricles": fluid,
            "fluid": fluid,
        }
    found = {code: grey for name, grey in tissue.items() for code in TISSUES[name]}
    means = [found.get(int(v), rng.uniform(0, 1)) + rng.normal(0, wide) for v in CODES]
    means[0] = BACKGROUND
    return np.clip(means, 0, 1)


def usual_table(rng: Rng) -> Array:
    """Mean grey of every label value 0…255 as a usual sequence shows tissues and lesions."""
    sequence = rng.choice(list(_LESIONS))
    means = _of_sequence("t1" if sequence == "t1c" else sequence, {}, 0.03, rng)
    if sequence == "t1c":
        means[np.isin(CODES, TISSUES["vessels"])] = rng.uniform(0.8, 1)
    table = np.zeros(256)
    table[: len(means)] = means
    for number in range(MOST):
        parts = [rng.uniform(*sides) for sides in _LESIONS[sequence]]
        table[LESION + 3 * number : LESION + 3 * number + 3] = parts
    return table


def lesion_greys(means: Array, rng: Rng) -> Array:
    """Mean grey of every label value 0…255: those of the lesions set off against white matter."""
    table = np.zeros(256)
    table[: len(means)] = means
    white = means[np.searchsorted(CODES, 2)]
    same = rng.random() < 0.7
    kind = [_apart(white, rng, 0.08) for _ in range(3)]
    kind[OEDEMA] = white + 0.6 * (kind[RIM] - white) if rng.random() < 0.5 else kind[OEDEMA]
    for number in range(MOST):
        parts = kind if same else [_apart(white, rng, 0.08) for _ in range(3)]
        table[LESION + 3 * number : LESION + 3 * number + 3] = parts
    return table


def _apart(grey: float, rng: Rng, least: float) -> float:
    """A grey that differs from another one."""
    low, high = max(0.0, grey - least), max(0.0, 1 - grey - least)
    chance = rng.uniform(0, low + high)
    return float(chance if chance < low else grey + least + chance - low)


def drawn_look(rng: Rng) -> Look:
    """A look at random."""
    return Look(
        thickness=int(rng.choice((1, 3, 5), p=(0.5, 0.3, 0.2))),
        spread=np.concatenate([[0], rng.uniform(0, 0.06, LESION - 1), rng.uniform(0, 0.1, 156)]),
        grain=rng.uniform(1.5, 6),
        stripped=rng.random() < 0.4,
        rim=int(rng.integers(1, 4)),
        blur=rng.uniform(0.3, 1.2),
        coarse=rng.uniform(1, 2.2) if rng.random() < 0.3 else 1.0,
        bias=rng.uniform(0, 0.4),
        noise=rng.uniform(0, 0.05),
    )


def render(labels: Array, table: Array, index: int, look: Look, rng: Rng) -> Array:
    """The image (Y, X), uint8, of one slice of labels (Z, Y, X)."""
    thick = look.thickness
    around = range(max(0, index - thick // 2), min(len(labels), index + thick // 2 + 1))
    image = np.mean([table[labels[i]] for i in around], axis=0)
    middle = labels[index]
    spread = look.spread[middle]
    image = image + spread * smooth_noise(image.shape, look.grain, rng)
    if look.stripped:
        codes = CODES[np.minimum(middle, len(CODES) - 1)]
        brain = ((codes > 0) & (codes < 200)) | (middle >= LESION)
        brain = ndimage.binary_opening(brain & ((codes != 24) | (middle >= LESION)), iterations=1)
        image = image * ndimage.binary_dilation(brain, iterations=look.rim)
    image = ndimage.gaussian_filter(image, look.blur)
    if look.coarse > 1:
        small = ndimage.zoom(image, 1 / look.coarse, order=1)
        image = ndimage.zoom(small, np.array(image.shape) / small.shape, order=1)
    image = image * np.exp(look.bias * _field(image.shape, rng))
    seen = image > 0.01 if look.stripped else True
    image = np.abs(image + seen * rng.normal(0, look.noise, image.shape))
    inner = image[image > 0.02]
    low, high = np.percentile(inner, [1, 99.5]) if inner.size > 100 else (0, 1)
    low = low if look.stripped else 0.0
    return np.clip((image - low) / max(high - low, 1e-3) * 255, 0, 255).astype(np.uint8)


def _field(shape: tuple[int, ...], rng: Rng) -> Array:
    """A smooth field in about −1…1."""
    return ndimage.zoom(rng.uniform(-1, 1, (4, 4)), np.array(shape) / 4, order=3)


def rendition(codes: Array, rng: Rng, usual: bool = False) -> Array:
    """Slices of one drawing, uint8 (SLICES, 3, Y, X): image, labels, labels nearby.

    Greys are at random, or with `usual` those of a usual sequence, lesions too.
    """
    grown = grow_lesions(numbered(codes), rng)
    labels = np.moveaxis(grown, int(rng.choice(3, p=(0.5, 0.25, 0.25))), 0)
    table = usual_table(rng) if usual else lesion_greys(greys(rng), rng)
    look = drawn_look(rng)
    ill = np.flatnonzero((labels >= LESION).any((1, 2)))
    head = np.flatnonzero((labels > 0).mean((1, 2)) > 0.05)
    kept = []
    for _ in range(SLICES):
        pool = ill if len(ill) and rng.random() < 0.75 else head
        step = int(rng.integers(1, 7)) * int(rng.choice((-1, 1)))
        index = int(rng.choice(pool))
        if len(ill) and rng.random() < 0.12:  # just beyond a lesion, where carrying has to stop
            index = int(ill[-1] + abs(step)) if step < 0 else int(ill[0] - step)
        index = int(np.clip(index, 0, len(labels) - 1))
        near = int(np.clip(index + step, 0, len(labels) - 1))
        kept.append([render(labels, table, index, look, rng), labels[index], labels[near]])
    return np.array(kept, np.uint8)
