"""What a stroke of the brush mends when the mask is solved again around it, and how long it takes.

    python -m benchmarks.correction.scribble BRISC [--split valid] [--every 4]

On slices of BRISC with a tumour, the bundled model's mask is corrected three times: where most is
wrong, a stroke follows the middle of what is missing or too much, three pixels wide. The same
strokes are also merely painted, each after those before it.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import ndimage
from skimage.morphology import skeletonize
from skimage.transform import resize

from benchmarks.common.brisc_boxes import iou, tumours
from benchmarks.common.options import given_to, parser_of
from benchmarks.common.prompting import marked
from benchmarks.common.records import write_record
from benchmarks.common.synthetic import brisc
from napari_unet_seg.correct.scribble import solve_scribbles

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


def solve(tumour: Tumour, mask: Array, foreground: Array, background: Array) -> Array:
    return _solved(tumour, tumour.probability, mask, foreground, background)


def solve_alone(tumour: Tumour, mask: Array, foreground: Array, background: Array) -> Array:
    """Without the network's probabilities."""
    return _solved(tumour, None, mask, foreground, background)


def _solved(tumour: Tumour, probability: Array | None, mask: Array, *strokes: Array) -> Array:
    labels = mask.astype(np.uint8)
    window, new = solve_scribbles(tumour.image, probability, labels, *strokes, value=1)
    labels[window] = new
    return labels == 1


def prompted(tumour: Tumour, mask: Array, foreground: Array, background: Array) -> Array:
    """By the prompt network."""
    return marked(tumour.image, mask, foreground, background)


def paint(_tumour: Tumour, mask: Array, foreground: Array, background: Array) -> Array:
    return (mask | foreground) & ~background


METHODS: dict[str, Correct] = {
    "painted": paint,
    "solved, image alone": solve_alone,
    "solved": solve,
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


def _median(call: Callable[[], object], rounds: int) -> float:
    times = []
    for _ in range(rounds):
        begin = time.perf_counter()
        call()
        times.append(time.perf_counter() - begin)
    return float(np.median(times))


def times_of(found: list[Tumour], size: int = 640) -> dict[str, float]:
    """The first stroke on slices enlarged to 640×640, and a Gaussian blur of such a slice."""
    times = []
    for tumour in found:
        large = (resize(a * 1.0, (size, size), order=1) for a in tumour[:3])
        image, truth, probability = large
        mask = probability >= 0.5
        foreground, background = strokes_for(mask, truth >= 0.5)
        if not (foreground.any() or background.any()):
            continue
        enlarged = tumour._replace(image=image, probability=probability)
        times.append(
            _median(lambda t=enlarged, m=mask, s=(foreground, background): solve(t, m, *s), 3)
        )
    blur = _median(lambda: ndimage.gaussian_filter(image, 3), 21)
    median, slowest = float(np.median(times)), float(np.percentile(times, 95))
    return {
        "milliseconds": round(median * 1000, 1),
        "milliseconds_95": round(slowest * 1000, 1),
        "blur": round(blur * 1000, 1),
    }


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
        figures |= {"time": times_of(found[:20])}
        write_record("scribble", given.split, figures, keep=not given.smoke)


if __name__ == "__main__":
    main()
