"""Which files open as masks by their values."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from napari_unet_seg.io.common.scan import Scan
from napari_unet_seg.io.masks.guess import MOST_LABELS, labels_in

SHAPE = (8, 40, 40)


def values(*labels: float, dtype: Any = np.float32) -> np.ndarray:
    """Zeros with a block of each label."""
    result = np.zeros(SHAPE, dtype)
    for number, label in enumerate(labels):
        y, x = divmod(number, 8)
        result[2:6, 4 * y : 4 * y + 4, 4 * x : 4 * x + 4] = label
    return result


def scan(array: np.ndarray, name: str = "a.nii.gz", axes: str = "ZYX") -> Scan:
    return Scan(array, axes, path=Path(name))


@pytest.mark.parametrize(
    ("array", "expected"),
    [
        (values(1, 2, 4), (0, 1, 2, 4)),
        (values(0.99999997), (0, 1)),
        (values(255.0), (0, 1)),
        (values(1, 3, dtype=np.int16), (0, 1, 3)),
        (values(*range(1, MOST_LABELS)), tuple(range(MOST_LABELS))),
        (values(1, dtype=bool), (0, 1)),
    ],
    ids=["labels", "nearly one", "two levels", "integers", "as many as there may be", "bool"],
)
@pytest.mark.parametrize("name", ["a.nii", "a.nii.gz", "a.TIF", "a.tiff"])
def test_few_whole_numbers_are_labels(
    array: np.ndarray, expected: tuple[int, ...], name: str
) -> None:
    labels = labels_in(scan(array, name))
    assert labels is not None
    assert labels.dtype == np.uint8
    assert tuple(np.unique(labels)) == expected


@pytest.mark.parametrize(
    "array",
    [
        values(),
        values(1.5),
        values(-1, 1),
        values(np.nan),
        values(*range(1, MOST_LABELS + 1)),
        np.ones(SHAPE, np.float32),
        np.random.default_rng(0).normal(0, 1, SHAPE),
        np.random.default_rng(0).integers(0, 900, SHAPE),
        values(70_000),
        values(1, dtype=np.complex64),
    ],
    ids=[
        "empty",
        "half",
        "negative",
        "nan",
        "many",
        "ones",
        "scan",
        "whole scan",
        "huge",
        "complex",
    ],
)
def test_other_values_are_an_image(array: np.ndarray) -> None:
    assert labels_in(scan(array)) is None


def test_other_files_and_colours_are_images() -> None:
    assert labels_in(scan(values(1), "a.png")) is None
    assert labels_in(Scan(values(1), "ZYX")) is None
    assert labels_in(Scan(np.stack([values(1)] * 3, -1), "ZYXC", path=Path("a.tif"))) is None
