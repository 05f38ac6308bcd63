"""What a stroke mends when the prompt network follows it.

    python -m benchmarks.correction.scribble BRISC [--split valid] [--every 4]

On slices of BRISC with a tumour, the bundled model's mask is corrected three times: where most is
wrong, a stroke follows the middle of what is missing or too much, three pixels wide. The same
strokes are also merely painted, each after those before it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import ndimage
from skimage.morphology import skeletonize

from benchmarks.common.brisc_boxes import iou, tumours
from benchmarks.common.options import given_to, parser_of
from benchmarks.common.prompting import marked
from benchmarks.common.records import write_record
from benchmarks.common.synthetic import brisc

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.common.brisc_boxes import Tumour
    from napari_unet_seg.arrays import Array

    Correct = Callable[[Tumour, "Array", "Array", "Array"], "Array"]

STROKES = 3
SMALLEST = 12
"""Pixels of an error that is worth a stroke."""


def largest(mask: Array) -> Array:
    """The largest component."""
    parts, count = ndimage.label(mask)
    return parts == 1 + np.argmax(np.bincount(parts.ravel())[1:]) if count else mask


def stroke_along(error: Array) -> Array:
    """A stroke along the middle of an error, clear of its border where it is wide enough."""
    core = next(
        core
        for core in (
            ndimage.binary_erosion(error, iterations=2),
            ndimage.binary_erosion(error),
            error,
        )
        if core.any()
    )
    return ndimage.binary_dilation(skeletonize(largest(core))) & error


def strokes_for(mask: Array, truth: Array) -> tuple[Array, Array]:
    """Foreground and background strokes, one of them empty; both, where the mask will do."""
    missing, excess = largest(truth & ~mask), largest(mask & ~truth)
    none = np.zeros(mask.shape, bool)
    if max(missing.sum(), excess.sum()) < SMALLEST:
        return none, none
    if missing.sum() >= excess.sum():
        return stroke_along(missing), none
    return none, stroke_along(excess)


def prompted(tumour: Tumour, mask: Array, foreground: Array, background: Array) -> Array:
    """By the prompt network."""
    return marked(tumour.image, mask, foreground, background)


def paint(_tumour: Tumour, mask: Array, foreground: Array, background: Array) -> Array:
    return (mask | foreground) & ~background


METHODS: dict[str, Correct] = {
    "painted": paint,
    "prompt network": prompted,
}


def corrected(tumour: Tumour, correct: Correct) -> list[float]:
    """IoU before and after each stroke."""
    mask = tumour.probability >= 0.5
    scores = [iou(mask, tumour.truth)]
    for _ in range(STROKES):
        foreground, background = strokes_for(mask, tumour.truth)
        if foreground.any() or background.any():
            mask = correct(tumour, mask, foreground, background)
        scores.append(iou(mask, tumour.truth))
    return scores


def main() -> None:
    parser = parser_of(__doc__, "BRISC")
    parser.add_argument("--split", default="valid", choices=("valid", "train"))
    parser.add_argument("--every", type=int, default=4)
    parser.add_argument("--threads", type=int, default=0)
    with given_to(parser, brisc, every=2) as given:
        found = list(tumours(given.folder, given.split, given.threads))[:: given.every]
        methods = {}
        for name, correct in METHODS.items():
            scores = np.array([corrected(tumour, correct) for tumour in found])
            worse = (np.diff(scores, axis=1) < -0.005).mean()
            methods[name] = {
                "iou": [round(float(score), 4) for score in scores.mean(0)],
                "worse": round(float(worse), 4),
            }
        figures: dict[str, Any] = {"split": given.split, "slices": len(found), "methods": methods}
        write_record("scribble", given.split, figures, keep=not given.smoke)


if __name__ == "__main__":
    main()
