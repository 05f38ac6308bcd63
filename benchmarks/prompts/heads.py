"""Heads of any contrast drawn from label maps, with lesions grown in them.

Each rendition draws a grey value a label, lesions, the sharpness, the slice thickness, a bias field
and noise, and keeps some slices. Labels are numbered as in `CODES`; lesions follow from `LESION`,
three parts each.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import nibabel
import numpy as np
from scipy import ndimage

from napari_unet_seg.data.prompts.marks import anywhere, smooth_noise

if TYPE_CHECKING:
    from pathlib import Path

Array = np.ndarray[Any, np.dtype[Any]]
Rng = np.random.Generator

HELD_OUT = ("head-18", "head-19", "head-20")
SLICES = 20
"""Slices kept of a rendition."""
_INSIDE = (
    "2 3 4 5 7 8 10 11 12 13 14 15 16 17 18 24 25 26 28 30 41 42 43 44 46 47 49 50 51 52 53 54 57 "
    "58 60 62 72 85 136 137 163 164"
)
_OUTSIDE = "502 506 507 508 509 511 512 514 515 516 530"
CODES = np.array([int(code) for code in f"0 {_INSIDE} {_OUTSIDE}".split()])
"""FreeSurfer's codes: of the brain up to 200 (24 is the fluid around it), and outside it."""
LESION = 100
CORE, RIM, OEDEMA = range(3)
MOST = 12
"""Lesions in a head."""
BACKGROUND = 0.0
TISSUES: dict[str, tuple[int, ...]] = {
    "white": (2, 41, 85, 7, 46),
    "cortex": (3, 42, 8, 47),
    "ventricles": (4, 5, 14, 15, 43, 44, 72),
    "fluid": (24, 530),
    "deep": (10, 11, 12, 13, 49, 50, 51, 52, 26, 58, 17, 18, 53, 54, 28, 60),
    "stem": (16,),
    "vessels": (30, 62, 25, 57, 136, 137, 163, 164),
}
"""Tissues with much the same grey; everything outside the brain has one of its own."""


def load_head(path: Path) -> Array:
    """Codes (Z, Y, X) as int16, axial slices from below upwards, the face at the top."""
    image = nibabel.as_closest_canonical(nibabel.load(path))
    codes = np.asarray(image.dataobj).astype(np.int16)
    return np.ascontiguousarray(codes.transpose(2, 1, 0)[:, ::-1])


def numbered(codes: Array) -> Array:
    """The place of each code in `CODES`, uint8; codes of no map are background."""
    table = np.zeros(1000, np.uint8)
    table[CODES] = np.arange(len(CODES))
    return table[codes]


def greys(rng: Rng) -> Array:
    """A mean grey for each code: tissues at random, or in the order of a usual sequence."""
    tissue = dict(zip(TISSUES, rng.uniform(0.1, 0.95, len(TISSUES)), strict=True))
    usual = rng.choice(["random", "t1", "t2", "flair"], p=[0.4, 0.25, 0.15, 0.2])
    if usual != "random":
        white, cortex, fluid = {
            "t1": (0.75, 0.55, 0.15),
            "t2": (0.35, 0.55, 0.95),
            "flair": (0.45, 0.6, 0.12),
        }[usual]
        tissue |= {
            "white": white,
            "stem": white,
            "cortex": cortex,
            "deep": (white + cortex) / 2,
            "ventricles": fluid,
            "fluid": fluid,
        }
    wide = 0.03 if rng.random() < 0.6 else 0.12
    found = {code: grey for name, grey in tissue.items() for code in TISSUES[name]}
    means = [found.get(int(v), rng.uniform(0, 1)) + rng.normal(0, wide) for v in CODES]
    means[0] = BACKGROUND
    return np.clip(means, 0, 1)


def grow_lesions(labels: Array, rng: Rng) -> Array:
    """Write lesions into labels (Z, Y, X), of which a copy is returned."""
    labels = labels.copy()
    codes = CODES[labels]
    head = (codes > 0) & (codes < 200)
    brain = head & (codes != 24)
    white = np.isin(codes, TISSUES["white"])
    many = rng.random() < 0.2
    count = (
        int(rng.integers(4, MOST + 1))
        if many
        else int(rng.choice((0, 1, 2, 3), p=(0.1, 0.5, 0.25, 0.15)))
    )
    for number in range(count):
        radius = rng.uniform(2, 6) if many else float(np.exp(rng.uniform(np.log(4), np.log(32))))
        where = white if rng.random() < 0.7 else brain
        room = (brain, head, labels > 0)[rng.choice(3, p=(0.3, 0.6, 0.1))]
        _grow(labels, room, white, number, anywhere(where, rng), radius, rng)
    return labels


def _grow(
    labels: Array, room: Array, white: Array, number: int, centre: Array, radius: float, rng: Rng
) -> None:
    reach = round(2.2 * radius + 3)
    window = tuple(
        slice(max(0, c - reach), min(n, c + reach + 1))
        for c, n in zip(centre, labels.shape, strict=True)
    )
    grid = np.stack(
        np.meshgrid(
            *[np.arange(w.start, w.stop) - c for w, c in zip(window, centre, strict=True)],
            indexing="ij",
        ),
        -1,
    )
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


def render(labels: Array, table: Array, index: int, look: dict[str, Any], rng: Rng) -> Array:
    """The image (Y, X), uint8, of one slice of labels (Z, Y, X)."""
    thick = look["thickness"]
    around = range(max(0, index - thick // 2), min(len(labels), index + thick // 2 + 1))
    image = np.mean([table[labels[i]] for i in around], axis=0)
    middle = labels[index]
    spread = look["spread"][middle]
    image = image + spread * smooth_noise(image.shape, look["grain"], rng)
    if look["stripped"]:
        codes = CODES[np.minimum(middle, len(CODES) - 1)]
        brain = ((codes > 0) & (codes < 200)) | (middle >= LESION)
        brain = ndimage.binary_opening(brain & ((codes != 24) | (middle >= LESION)), iterations=1)
        image = image * ndimage.binary_dilation(brain, iterations=look["rim"])
    image = ndimage.gaussian_filter(image, look["blur"])
    if look["coarse"] > 1:
        small = ndimage.zoom(image, 1 / look["coarse"], order=1)
        image = ndimage.zoom(small, np.array(image.shape) / small.shape, order=1)
    image = image * np.exp(look["bias"] * _field(image.shape, rng))
    seen = image > 0.01 if look["stripped"] else True
    image = np.abs(image + seen * rng.normal(0, look["noise"], image.shape))
    inner = image[image > 0.02]
    low, high = np.percentile(inner, [1, 99.5]) if inner.size > 100 else (0, 1)
    low = low if look["stripped"] else 0.0
    return np.clip((image - low) / max(high - low, 1e-3) * 255, 0, 255).astype(np.uint8)


def _field(shape: tuple[int, ...], rng: Rng) -> Array:
    """A smooth field in about −1…1."""
    return ndimage.zoom(rng.uniform(-1, 1, (4, 4)), np.array(shape) / 4, order=3)


def drawn_look(rng: Rng) -> dict[str, Any]:
    """What a scanner and its operator decide."""
    return {
        "thickness": int(rng.choice((1, 3, 5), p=(0.5, 0.3, 0.2))),
        "spread": np.concatenate([[0], rng.uniform(0, 0.06, LESION - 1), rng.uniform(0, 0.1, 156)]),
        "grain": rng.uniform(1.5, 6),
        "stripped": rng.random() < 0.4,
        "rim": int(rng.integers(1, 4)),
        "blur": rng.uniform(0.3, 1.2),
        "coarse": rng.uniform(1, 2.2) if rng.random() < 0.3 else 1.0,
        "bias": rng.uniform(0, 0.4),
        "noise": rng.uniform(0, 0.05),
    }


def rendition(codes: Array, rng: Rng) -> Array:
    """Slices of one drawing, uint8 (SLICES, 3, Y, X): image, labels, labels nearby."""
    grown = grow_lesions(numbered(codes), rng)
    labels = np.moveaxis(grown, int(rng.choice(3, p=(0.5, 0.25, 0.25))), 0)
    table = lesion_greys(greys(rng), rng)
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


def heads(folder: Path, held_out: bool) -> list[Path]:
    """The label maps of one side."""
    return [p for p in sorted(folder.glob("*.nii.gz")) if (p.name[:7] in HELD_OUT) == held_out]
