"""Held-out slices with what a prompt may mean on them, for `prompts.py`."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from PIL import Image

from benchmarks.common.brisc_data import brisc_samples
from benchmarks.prompts.head_labels import CODES, heads, load_head, within_brain
from benchmarks.prompts.rendering import rendition
from benchmarks.prompts.targets import SMALLEST, lesion, visible
from napari_unet_seg.config import NormaliseConfig
from napari_unet_seg.data.prompts.marks import largest_part
from napari_unet_seg.io.common.window import scan_window, to_uint8
from napari_unet_seg.io.read import read_labels, read_scan

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from napari_unet_seg.arrays import Array


NORMALISE = NormaliseConfig()
STRUCTURE = 50
"""Pixels of a structure that is worth a prompt."""
RENDITIONS = 12
"""Drawings of the held-out heads."""


class Case(NamedTuple):
    """A slice and what is meant on it."""

    image: Array
    """(Y, X), uint8 in the scan's window."""
    truth: Array
    """(Y, X), bool, not empty."""


def brisc(folder: Path) -> Iterator[Case]:
    """The held-out fifth of BRISC, as far as there is a tumour."""
    for sample in brisc_samples(folder / "brisc-256").samples:
        if sample.split == "valid" and not isinstance(sample.mask, np.ndarray):
            yield _slice(_grey(sample.image), _grey(sample.mask))


def lgg(folder: Path) -> Iterator[Case]:
    """FLAIR slices of twelve patients."""
    for patient in sorted((folder / "lgg-flair" / "test").glob("*")):
        yield from _patient(patient)


def _patient(folder: Path) -> Iterator[Case]:
    for path in sorted(folder.glob("*_mask.png")):
        yield _slice(_grey(path.with_name(path.name.replace("_mask", ""))), _grey(path))


def _grey(path: Path) -> Array:
    with Image.open(path) as image:
        return np.asarray(image.convert("L"))


def _slice(image: Array, mask: Array) -> Case:
    return Case(to_uint8(image, scan_window(image, NORMALISE)), mask > 0)


def brats_flair(folder: Path) -> Iterator[Case]:
    """The whole lesion on FLAIR."""
    return _brats(folder, "Flair", (1, 2, 3, 4))


def brats_t1c(folder: Path) -> Iterator[Case]:
    """The core on T1 with contrast, without the oedema."""
    return _brats(folder, "T1c", (1, 3, 4))


def _brats(folder: Path, sequence: str, values: tuple[int, ...]) -> Iterator[Case]:
    patient = folder / "nifti" / "brats_2013_pat0005_1"
    volume = np.asarray(read_scan(patient / f"{sequence}_subtrMeanDivStd.nii.gz").data)
    labels = read_labels(patient / "OTMultiClass.nii.gz").data
    grey = to_uint8(volume, scan_window(volume, NORMALISE))
    for image, label in zip(grey, labels, strict=True):
        yield Case(image, np.isin(label, values))


def head_structures(folder: Path) -> Iterator[Case]:
    """The largest part of a random structure of the brain in heads that were never trained on."""
    return _heads(folder, _some_structure)


def _some_structure(_: Array, labels: Array, rng: np.random.Generator) -> Array:
    sizes = np.bincount(labels.ravel(), minlength=256)[: len(CODES)]
    present = np.flatnonzero((sizes >= STRUCTURE) & within_brain(CODES))
    return largest_part(labels == rng.choice(present)) if len(present) else labels < 0


def head_lesions(folder: Path) -> Iterator[Case]:
    """Lesions, and parts of them, in such heads."""
    return _heads(folder, lambda image, labels, rng: lesion(image, labels, labels, rng)[0])


def _heads(
    folder: Path, meant: Callable[[Array, Array, np.random.Generator], Array]
) -> Iterator[Case]:
    rng = np.random.default_rng(3)
    maps = [load_head(path) for path in heads(folder / "head-labels", held_out=True)]
    for number in range(RENDITIONS):
        for image, labels, _ in rendition(maps[number % len(maps)], rng):
            target = meant(image, labels, rng)
            if visible(image, target):
                yield Case(image, target)


SETS: dict[str, Callable[[Path], Iterator[Case]]] = {
    "BRISC": brisc,
    "LGG FLAIR": lgg,
    "BraTS FLAIR, whole": brats_flair,
    "BraTS T1c, core": brats_t1c,
    "heads, structures": head_structures,
    "heads, lesions": head_lesions,
}


def volumes(folder: Path) -> dict[str, list[Case]]:
    """Whole scans (Z, Y, X) with a lesion each; each slice of LGG is in a window of its own."""
    patients = sorted((folder / "lgg-flair" / "test").glob("*"))
    return {
        "LGG FLAIR": [_stacked(_patient(patient)) for patient in patients],
        "BraTS FLAIR, whole": [_stacked(brats_flair(folder))],
        "BraTS T1c, core": [_stacked(brats_t1c(folder))],
    }


def _stacked(slices: Iterable[Case]) -> Case:
    images, truths = zip(*slices, strict=True)
    return Case(np.stack(images), np.stack(truths))


def drawn(name: str, folder: Path, count: int) -> list[Case]:
    """Some cases of a set, all if `count` is 0; the same each time."""
    cases = [case for case in SETS[name](folder) if np.count_nonzero(case.truth) >= SMALLEST]
    order = np.random.default_rng(0).permutation(len(cases))
    return [cases[i] for i in order[: count or None]]
