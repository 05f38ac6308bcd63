"""Slices to learn prompts on: real ones of BRISC and synthetic heads, out of a cache."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from scipy import ndimage

from benchmarks.prompts.lesions import LESION
from benchmarks.prompts.targets import Rng, labelled, visible
from napari_unet_seg.config import AugmentConfig
from napari_unet_seg.data.augment.augment import augment
from napari_unet_seg.data.prompts.marks import (
    BOX,
    PREVIOUS,
    anywhere,
    box_around,
    corrected,
    first_prompts,
    no_prompts,
    smooth_noise,
)
from napari_unet_seg.data.prompts.neighbours import beside_simulated, carried_maps
from napari_unet_seg.data.prompts.prior_masks import nearly
from napari_unet_seg.data.prompts.superpixels import superpixel
from napari_unet_seg.models import BUNDLED
from napari_unet_seg.nn.checkpoint import load_net

if TYPE_CHECKING:
    from pathlib import Path

    from napari_unet_seg.arrays import Array

ZOOM = (0.5, 1.6)
"""Pixels of a slice for one that the network sees."""
USUAL = 500
"""Pixels of a lesion from which on all are taken."""
BOXES = 0.25
"""Share of the fresh starts with a box alone."""
BOXED = 0.4
"""Share of the automatic model's masks that come with a box around the target, cut at it."""
CHANGES = AugmentConfig(
    probability=0.25,
    translate=False,
    rotate=False,
    gamma=True,
    bias_field=True,
    blur=True,
    noise=True,
)


class Case(NamedTuple):
    """A slice and what is meant on it."""

    image: Array
    """(Y, X), uint8."""
    target: Array
    """(Y, X), bool."""
    prior: Array
    """A mask that was there before, (Y, X), bool; empty for none."""
    record_of: bool
    """Whether the mask before is of the slice beside."""


class Shares(NamedTuple):
    """How often each kind of case is drawn."""

    synthetic: float = 0.4
    """Of all: drawn from label maps."""
    pieces: float = 0.06
    """Of the real ones: with a piece between edges as the target."""
    found: float = 0.2
    """Of the lesions: with what the automatic model finds as the mask before."""
    carried: float = 0.24
    """Of the lesions: with the mask of another slice."""


LESIONS = Shares(synthetic=0, pieces=0.25, found=0.15, carried=0.15)
"""Real slices alone, so that a click means the whole lesion, whatever its greys."""


class Slices:
    """Random cases of one cache.

    Parameters
    ----------
    cache : Path
        The folder.
    shares : Shares
        What is drawn how often.
    """

    def __init__(self, cache: Path, shares: Shares) -> None:
        self._shares = shares
        self._brisc = np.load(cache / "brisc-train.npy", mmap_mode="r")
        self._drawn = (cache / "heads", cache / "usual")
        self._automatic = load_net(BUNDLED)[1].eval()
        self.refresh()

    def refresh(self) -> None:
        """Take in what has been written since."""
        files = sorted(file for folder in self._drawn for file in folder.glob("[0-9]*.npy"))
        self._synthetic = [np.load(file, mmap_mode="r") for file in files]

    def case(self, rng: Rng) -> Case:
        """One case with a target or a mask of the slice beside."""
        while True:
            draw = self._head if rng.random() < self._shares.synthetic else self._real
            case = draw(rng)
            if case.target.any() or (case.record_of and case.prior.any()):
                return case

    def _head(self, rng: Rng) -> Case:
        rendition = self._synthetic[rng.integers(len(self._synthetic))]
        image, labels, near = rendition[rng.integers(len(rendition))]
        if rng.random() < 0.05:
            return _plain(image, _elsewhere(superpixel(image, rng), labels >= LESION))
        target, beside = labelled(image, labels, near, rng)
        if target.any() and not (visible(image, target) and _large_enough(target, rng)):
            return _plain(image, np.zeros_like(target))
        record_of = bool(beside.any()) and (not target.any() or rng.random() < 0.5)
        return Case(image, target, beside if record_of else np.zeros_like(target), record_of)

    def _real(self, rng: Rng) -> Case:
        image, truth = self._brisc[rng.integers(len(self._brisc))]
        truth = truth > 0
        if rng.random() < self._shares.pieces:
            image = recoloured(image, rng)
            return _plain(image, _elsewhere(superpixel(image, rng), truth))
        if not truth.any():
            return _plain(image, truth)
        if rng.random() < 0.5:
            image = other_lesion(image, truth, rng)
        chance = rng.random()
        if chance < self._shares.found:
            image = recoloured(image, rng)
            return Case(image, truth, self._found(image), False)
        if chance < self._shares.found + self._shares.carried:
            return _carried(recoloured(image, rng), truth, rng)
        return _plain(recoloured(image, rng), truth)

    @torch.no_grad()
    def _found(self, image: Array) -> Array:
        """What the bundled model finds."""
        seen = torch.from_numpy(image.copy())[None, None].float() / 255
        with torch.autocast("cpu", torch.bfloat16):
            return (self._automatic(seen)[0, 0] > 0).numpy()


def _elsewhere(target: Array, lesions: Array) -> Array:
    """A target, or none where it takes a part of a lesion: a click there means the whole."""
    return np.zeros_like(target) if (target & lesions).any() else target


def _large_enough(target: Array, rng: Rng) -> bool:
    """Whether to keep a target: all large ones, few of the small ones, which are many."""
    return bool(rng.random() < max(0.15, (np.count_nonzero(target) / USUAL) ** 0.7))


def _plain(image: Array, target: Array) -> Case:
    return Case(image, target, np.zeros_like(target), False)


def _carried(image: Array, truth: Array, rng: Rng) -> Case:
    """A case of which the mask before is of another slice, which may not hold the lesion."""
    prior, stays = beside_simulated(image, truth, rng)
    return Case(image, truth if stays else np.zeros_like(truth), prior, True)


def recoloured(image: Array, rng: Rng) -> Array:
    """Grey values through a random broken line, half of the time; black stays."""
    if rng.random() < 0.5:
        return image
    knots = np.concatenate([[0, 12], np.sort(rng.uniform(12, 255, rng.integers(1, 5))), [255]])
    greys = rng.uniform(0, 255, len(knots))
    greys[0] = 0
    if rng.random() < 0.4:
        greys = np.sort(greys)
    return np.interp(np.arange(256), knots, greys).astype(np.uint8)[image]


def other_lesion(image: Array, truth: Array, rng: Rng) -> Array:
    """A lesion of another grey and texture, mostly with a core, cysts or patches of yet others."""
    patchy = rng.random() < 0.7
    texture = rng.uniform(0, 25) * smooth_noise(image.shape, rng.uniform(2, 8), rng)
    grey = rng.uniform(20, 255) + texture
    for _ in range(int(rng.integers(1, 4)) if patchy else 0):
        patch = _core(truth, rng) if rng.random() < 0.5 else _patch(truth, rng)
        grey = grey + _soft(patch, rng) * (rng.uniform(0, 255) - grey)
    kept = rng.uniform(0, 0.35 if patchy else 0.8)
    lesion = kept * image + (1 - kept) * grey
    weight = _soft(truth, rng)
    return np.clip(image * (1 - weight) + lesion * weight, 0, 255).astype(np.uint8)


def _core(truth: Array, rng: Rng) -> Array:
    """What lies deep inside, to an uneven depth."""
    depth = ndimage.distance_transform_edt(truth)
    uneven = depth + 0.2 * depth.max() * smooth_noise(truth.shape, rng.uniform(6, 20), rng)
    return np.asarray(uneven > rng.uniform(0.1, 0.6) * depth.max())


def _patch(truth: Array, rng: Rng) -> Array:
    """Random patches, of the size of cysts to that of half the lesion."""
    size = np.sqrt(np.count_nonzero(truth)) * rng.uniform(0.2, 0.8)
    return smooth_noise(truth.shape, max(3.0, size), rng) > rng.uniform(0, 1.5)


def _soft(mask: Array, rng: Rng) -> Array:
    return ndimage.gaussian_filter(mask.astype(np.float32), rng.uniform(0.5, 1.5))


def batch(slices: Slices, size: int, count: int, rng: Rng) -> tuple[torch.Tensor, Array, Array]:
    """Images (B, 1, Y, X) in 0…1, targets (B, Y, X) of 0 and 1, and first maps (B, 4, Y, X)."""
    cases = [slices.case(rng) for _ in range(count)]
    warped = [_warped(case, size, rng) for case in cases]
    images = torch.cat([image for image, _ in warped])
    masks = torch.cat([mask for _, mask in warped])
    generator = torch.Generator().manual_seed(int(rng.integers(2**62)))
    images, masks = augment(images, masks, CHANGES, generator)
    bits = masks.numpy()
    targets, priors = bits & 1, (bits & 2) > 0
    maps = [first_maps(c, t > 0, p, rng) for c, t, p in zip(cases, targets, priors, strict=True)]
    return images, targets, np.stack(maps)


def first_maps(case: Case, target: Array, prior: Array, rng: Rng) -> Array:
    """Maps of the first round: a fresh start, or a mask from elsewhere with or without prompts."""
    if case.record_of:
        return carried_maps(prior, target, rng)
    if prior.any() and target.any() and rng.random() < BOXED:
        maps = no_prompts(target.shape)
        maps[BOX] = box_around(target, rng)
        maps[PREVIOUS] = prior & maps[BOX]
        return maps
    if prior.any() or rng.random() < 0.2:
        before = prior if prior.any() else nearly(target, rng)
        maps = first_prompts(target, rng) if rng.random() < 0.3 else no_prompts(target.shape)
        return corrected(maps, before, target, rng)
    if target.any() and rng.random() < BOXES:
        maps = no_prompts(target.shape)
        maps[BOX] = box_around(target, rng)
        return maps
    return first_prompts(target, rng)


def _warped(case: Case, size: int, rng: Rng) -> tuple[torch.Tensor, torch.Tensor]:
    """Image (1, 1, Y, X), and masks as bits (1, Y, X), turned, zoomed and cut around the target."""
    meant = case.target if case.target.any() else case.prior
    height, width = case.image.shape
    zoom = np.exp(rng.uniform(*np.log(ZOOM)))
    angle = rng.choice(4) * np.pi / 2 + rng.uniform(-0.3, 0.3)
    flip = rng.choice((-1, 1))
    reach = zoom * size / np.array([width, height])  # in a grid that is 2 wide
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    centre = (anywhere(meant, rng)[::-1] * 2 + 1) / np.array([width, height]) - 1
    off = rng.uniform(-0.35, 0.35, 2) * reach
    theta = np.column_stack([reach[:, None] * turn * [flip, 1], 0.6 * centre + off])
    if rng.random() < 0.7:
        theta[:, 2] = centre + off
    grid = F.affine_grid(torch.tensor(theta[None], dtype=torch.float32), [1, 1, size, size], False)
    stack = np.stack([case.image, case.target * np.uint8(255), case.prior * np.uint8(255)])
    seen = F.grid_sample(torch.from_numpy(stack)[None].float() / 255, grid, align_corners=False)
    bits = (seen[:, 1] > 0.5).byte() | ((seen[:, 2] > 0.5).byte() << 1)
    return seen[:, :1], bits
