"""The bundled models against stored answers on a made picture.

`python -m benchmarks.bundled.store_answers` stores the answers, after a model has changed. Run as
`python -m napari_unet_seg.doctor.model_check`, since a driver may end the process.
"""

from __future__ import annotations

import json
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from napari_unet_seg.config import PredictConfig
from napari_unet_seg.events import PredictFinished, Refined
from napari_unet_seg.io.common.scan import Scan
from napari_unet_seg.io.hashing import sha256
from napari_unet_seg.models import ANY_SEQUENCE, BRAIN, BUNDLED, PROMPT_NETWORK

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari_unet_seg.arrays import Array

ANSWERS = Path(__file__).with_name("answers.json")
TOLERANCE = 0.02
"""Largest difference of a mean probability: processors round differently."""
_SIZE = 96
_BLOCK = 24
"""Pixels of a block along each axis; the answer is the mean of each block."""


class Model(NamedTuple):
    """A model that comes with the package."""

    file: Path
    answer: Callable[[], Array]
    """Computes the mean probabilities of the blocks of the made picture, float, flat."""


def picture() -> Array:
    """Return a bright ellipse with a brighter spot, uint8 of shape (Y, X), the same everywhere."""
    y, x = np.mgrid[:_SIZE, :_SIZE] - _SIZE / 2
    head = (y / 42) ** 2 + (x / 34) ** 2 < 1
    spot = (y + 10) ** 2 + (x - 8) ** 2 < 81
    grey: Array = 60 * head + 3 * np.sin(y / 5) * head + 120 * (head & spot)
    return grey.clip(0).astype(np.uint8)


def answers() -> dict[str, dict[str, object]]:
    """Compute the answer of each model, with the hash of its file."""
    return {
        name: {"sha256": sha256(model.file), "answer": model.answer().round(4).tolist()}
        for name, model in MODELS.items()
    }


def check() -> tuple[list[str], bool]:
    """Compare each model with its stored answer; return a line for each, and whether all agree."""
    stored = json.loads(ANSWERS.read_text("utf-8"))
    lines, good = [], True
    for name, now in answers().items():
        before = stored[name]
        if now["sha256"] != before["sha256"]:
            verdict = "its file has changed; install napari-unet-seg again"
        elif (apart := _difference(now["answer"], before["answer"])) > TOLERANCE:
            verdict = f"its answer differs by {apart:.3f}; install torch and numpy again"
        else:
            lines.append(f"{name}: as stored")
            continue
        lines.append(f"{name}: {verdict}")
        good = False
    return lines, good


def _difference(now: object, before: object) -> float:
    return float(np.max(np.abs(np.asarray(now, float) - np.asarray(before, float))))


def _predicted(model: Path) -> Array:
    from napari_unet_seg.engine import predict

    config = PredictConfig(device="cpu", precision="float32", probabilities=True)
    for event in predict(config, model, Scan(picture(), "YX")):
        if isinstance(event, PredictFinished):
            return _blocks(np.asarray(event.probabilities, float))
    raise AssertionError("a prediction without an end")


def _prompted() -> Array:
    from napari_unet_seg.engine import refine

    config = PredictConfig(device="cpu", precision="float32")
    prompts = np.zeros((3, _SIZE, _SIZE), bool)
    prompts[0, 36:41, 54:59] = True  # on the spot
    probable = np.zeros((_SIZE, _SIZE))
    for event in refine(config, PROMPT_NETWORK, Scan(picture(), "YX"), prompts):
        if isinstance(event, Refined):
            probable[event.window] = event.probabilities
    return _blocks(probable)


def _blocks(maps: Array) -> Array:
    count = _SIZE // _BLOCK
    means: Array = maps.reshape(-1, count, _BLOCK, count, _BLOCK).mean(axis=(2, 4))
    return means.ravel()


MODELS = {
    "bundled": Model(BUNDLED, partial(_predicted, BUNDLED)),
    "any-sequence": Model(ANY_SEQUENCE, partial(_predicted, ANY_SEQUENCE)),
    "brain": Model(BRAIN, partial(_predicted, BRAIN)),
    "prompts": Model(PROMPT_NETWORK, _prompted),
}

if __name__ == "__main__":
    found, agree = check()
    sys.stdout.write("\n".join(found) + "\n")
    sys.exit(not agree)
