"""How well a tumour is outlined from the box around it, against GrabCut and simpler guesses.

    pip install opencv-python-headless
    python -m benchmarks.correction.box_outline BRISC [--split valid] [--every 1]

Every held-out slice of BRISC with a tumour: the box is that of the true mask, and the careless one
has its sides moved at random by a twentieth of the box. `not found` are the slices where the model
finds less than a tenth of the box.
"""

from __future__ import annotations

import importlib.util
from collections import defaultdict
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.common.brisc_boxes import careless, iou, tumours
from benchmarks.common.options import given_to, parser_of
from benchmarks.common.prompting import outlined
from benchmarks.common.records import write_record
from benchmarks.common.synthetic import brisc

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from benchmarks.common.brisc_boxes import Tumour
    from napari_unet_seg.arrays import Array


def box(tumour: Tumour) -> Array:
    """The whole box."""
    mask = np.zeros(tumour.image.shape, bool)
    top, left, bottom, right = tumour.box
    mask[top:bottom, left:right] = True
    return mask


def ellipse(tumour: Tumour, share: float = 1.0) -> Array:
    """The ellipse inscribed in the box, or a smaller one within it."""
    top, left, bottom, right = tumour.box
    radii = np.array([bottom - top, right - left]) / 2
    middle = np.array([top + bottom - 1, left + right - 1]) / 2
    rows, columns = np.ogrid[: tumour.image.shape[0], : tumour.image.shape[1]]
    squared = ((rows - middle[0]) / radii[0]) ** 2 + ((columns - middle[1]) / radii[1]) ** 2
    return box(tumour) & (squared <= share**2)


def network(tumour: Tumour) -> Array:
    """The network's mask, cut at the box."""
    return box(tumour) & (tumour.probability >= 0.5)


def grabcut(tumour: Tumour) -> Array:
    """GrabCut as OpenCV starts it from a rectangle (Rother et al. 2004)."""
    import cv2

    marks = np.where(box(tumour), cv2.GC_PR_FGD, cv2.GC_BGD).astype(np.uint8)
    return _divide(np.dstack([tumour.image] * 3), marks)


def grabcut_helped(tumour: Tumour) -> Array:
    """GrabCut at its best here: near the box, on three scales, a third of the ellipse certain."""
    import cv2

    scales = [tumour.image, *(cv2.GaussianBlur(tumour.image, (0, 0), s) for s in (1, 2))]
    marks = np.where(box(tumour), cv2.GC_PR_BGD, cv2.GC_BGD).astype(np.uint8)
    marks[ellipse(tumour)] = cv2.GC_PR_FGD
    marks[ellipse(tumour, 1 / 3)] = cv2.GC_FGD
    top, left, bottom, right = tumour.box
    margin = -(-max(bottom - top, right - left) // 4)
    near = (
        slice(max(0, top - margin), bottom + margin),
        slice(max(0, left - margin), right + margin),
    )
    mask = np.zeros(tumour.image.shape, bool)
    mask[near] = _divide(np.dstack(scales)[near], marks[near].copy(), 1)
    return mask


def _divide(colours: Array, marks: Array, rounds: int = 5) -> Array:
    import cv2

    cv2.setRNGSeed(0)
    cv2.setNumThreads(1)
    models = np.zeros((2, 1, 65))
    try:
        cv2.grabCut(
            np.ascontiguousarray(colours), marks, None, *models, rounds, cv2.GC_INIT_WITH_MASK
        )
    except cv2.error:  # no pixel of one kind: nothing is cut out
        return np.zeros(marks.shape, bool)
    return (marks == cv2.GC_FGD) | (marks == cv2.GC_PR_FGD)


def prompted(tumour: Tumour) -> Array:
    """By the prompt network, which also sees the automatic model's mask."""
    return outlined(tumour.image, tumour.probability >= 0.5, tumour.box)


GRABCUT = {"GrabCut, by rectangle": grabcut, "GrabCut, ellipse and core": grabcut_helped}
METHODS: dict[str, Callable[[Tumour], Array]] = {
    "the box": box,
    "ellipse in the box": ellipse,
    **GRABCUT,
    "network, cut at the box": network,
    "prompt network": prompted,
}


def figures_of(found: list[Tumour], names: Iterable[str]) -> dict[str, Any]:
    rng = np.random.default_rng(0)
    scores: dict[str, list[tuple[float, float]]] = defaultdict(list)
    for tumour in found:
        drawn = careless(tumour, rng)
        for name in names:
            method = METHODS[name]
            pair = (iou(method(tumour), tumour.truth), iou(method(drawn), tumour.truth))
            scores[name].append(pair)
    silent = np.array([network(t).sum() < 0.1 * box(t).sum() for t in found])
    methods = {name: _summary(np.array(pairs), silent) for name, pairs in scores.items()}
    return {"slices": len(found), "not_found": int(silent.sum()), "methods": methods}


def _summary(pairs: Array, silent: Array) -> dict[str, float]:
    tight, loose = pairs.T
    return {
        "iou": round(float(tight.mean()), 4),
        "median": round(float(np.median(tight)), 4),
        "below_half": round(float((tight < 0.5).mean()), 4),
        "not_found": round(float(tight[silent].mean()), 4) if silent.any() else float("nan"),
        "careless": round(float(loose.mean()), 4),
    }


def _names(smoke: bool) -> list[str]:
    """Return the methods to compare; the smallest size does without a library that is missing."""
    if importlib.util.find_spec("cv2"):
        return list(METHODS)
    if not smoke:
        raise SystemExit("install opencv-python-headless, which GrabCut is taken from")
    return [name for name in METHODS if name not in GRABCUT]


def main() -> None:
    parser = parser_of(__doc__, "BRISC")
    parser.add_argument("--split", default="valid", choices=("valid", "train"))
    parser.add_argument("--every", type=int, default=1)
    parser.add_argument("--threads", type=int, default=0)
    with given_to(parser, brisc, every=2) as given:
        names = _names(given.smoke)
        found = list(tumours(given.folder, given.split, given.threads))[:: given.every]
        write_record(
            "box_outline",
            given.split,
            {"split": given.split} | figures_of(found, names),
            keep=not given.smoke,
        )


if __name__ == "__main__":
    main()
