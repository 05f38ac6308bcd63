"""A volume with a bright ball, for the prompt network of the package."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from napari_unet_seg.arrays import Array

SHAPE = (20, 96, 96)
CENTRE = (10, 40, 52)
RADIUS = (5, 12, 12)


def ball() -> Array:
    """The mask of the ball, bool: slices 5 to 15."""
    grid = np.ogrid[tuple(slice(n) for n in SHAPE)]
    squares = [((g - c) / r) ** 2 for g, c, r in zip(grid, CENTRE, RADIUS, strict=True)]
    return np.asarray(sum(squares) <= 1)


def volume() -> Array:
    """The ball in a grey head, uint8."""
    rng = np.random.default_rng(0)
    rows, columns = np.ogrid[: SHAPE[1], : SHAPE[2]]
    head = np.hypot((rows - 48) / 44, (columns - 48) / 36) < 1
    grey = np.broadcast_to(head * 80.0, SHAPE) + 110 * ball()
    return (grey + rng.normal(0, 6, SHAPE)).clip(0, 255).astype(np.uint8)
