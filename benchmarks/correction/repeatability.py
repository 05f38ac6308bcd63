"""How well the true masks repeat: what the best of all models could save an annotator.

    python -m benchmarks.correction.repeatability BRISC

BRISC holds many slices twice, the second time mirrored and annotated anew. Pairs that correlate
above 0.99 are taken, one mask mirrored back, and the Dice of the two is measured. Of some of them
the annotator of `strokes.py` brings the one mask to a Dice of 0.95 with the other, by brush, and
draws it from nothing too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from benchmarks.common.options import given_to, parser_of
from benchmarks.common.records import write_record
from benchmarks.common.synthetic import brisc
from benchmarks.correction.annotator import by_brush, effort
from benchmarks.correction.strokes import GOOD, dice

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from napari_unet_seg.arrays import Array


ALIKE = 0.99
SIDE = 64
"""Pixels of the small pictures that are compared."""
SOME = 200
SEED = 0


def copies(images: Sequence[Path]) -> Array:
    """Indices of the pairs of slices that are mirror images of each other, of shape (N, 2)."""
    small = np.stack([_small(path) for path in images])
    likeness = _unit(small) @ _unit(small[:, :, ::-1]).T
    return np.argwhere(np.triu(likeness > ALIKE, 1))


def _small(path: Path) -> Array:
    with Image.open(path) as image:
        shown = image.convert("L").resize((SIDE, SIDE), Image.Resampling.BOX)
    return np.asarray(shown, np.float32)


def _unit(images: Array) -> Array:
    vectors = images.reshape(len(images), -1)
    vectors = vectors - vectors.mean(1, keepdims=True)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def _mask(image: Path) -> Array:
    with Image.open(image.parents[1] / "masks" / f"{image.stem}.png") as mask:
        return np.asarray(mask.convert("1"))


def _strokes(start: Array, truth: Array) -> int:
    return len(effort(start, truth, by_brush(truth)).used)


def main() -> None:
    parser = parser_of(__doc__, "BRISC")
    parser.set_defaults(slices=SOME)
    with given_to(parser, brisc, slices=2) as given:
        images = sorted((given.folder / "images").glob("*.jpg"))
        pairs = [(_mask(images[a]), _mask(images[b])[:, ::-1]) for a, b in copies(images)]
        agreement = np.array([dice(*pair) for pair in pairs])
        some = np.random.default_rng(SEED).permutation(len(pairs))[: given.slices]
        from_copy = np.mean([_strokes(pairs[i][1], pairs[i][0]) for i in some])
        from_nothing = np.mean([_strokes(np.zeros_like(pairs[i][0]), pairs[i][0]) for i in some])
        record = {
            "pairs": len(pairs),
            "dice": round(float(agreement.mean()), 3),
            "median": round(float(np.median(agreement)), 3),
            "good": round(float((agreement >= GOOD).mean()), 3),
            "slices": len(some),
            "strokes": round(float(from_copy), 3),
            "of_nothing": round(float(from_copy / from_nothing), 3),
        }
        write_record("repeatability", "brisc", record, keep=not given.smoke)


if __name__ == "__main__":
    main()
