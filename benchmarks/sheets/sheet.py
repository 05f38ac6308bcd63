"""Slices with outlines, side by side in one picture."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from PIL import Image, ImageDraw
from scipy.ndimage import binary_erosion

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari_unet_seg.arrays import Array

    Colour = tuple[int, int, int]
    Marks = Sequence[tuple[Array, Colour]]

COLUMNS = 5
SIDE = 256
"""Pixels of a side of a slice in the picture."""
GREEN, RED, YELLOW, BLUE = (0, 255, 0), (255, 60, 60), (255, 255, 0), (60, 140, 255)


class Tile(NamedTuple):
    """One slice, and what is drawn on it."""

    image: Array
    """(Y, X), uint8."""
    outlined: Marks
    """Masks (Y, X), and the colour of the outline of each."""
    note: str = ""
    dotted: Marks = ()
    """Masks whose every pixel is coloured."""


def sheet(tiles: Sequence[Tile], columns: int = COLUMNS, side: int = SIDE) -> Image.Image:
    """All of them, row by row."""
    rows = -(-len(tiles) // columns)
    page = Image.new("RGB", (columns * side, rows * side))
    for place, tile in enumerate(tiles):
        row, column = divmod(place, columns)
        page.paste(_drawn(tile, side), (column * side, row * side))
    return page


def _drawn(tile: Tile, side: int) -> Image.Image:
    image = Image.fromarray(tile.image).convert("RGB")
    image.thumbnail((side, side))
    scale = side / max(image.size)
    size = (round(image.width * scale), round(image.height * scale))
    rgb = np.array(image.resize(size))
    for mask, colour in tile.outlined:
        large = _resized(mask, size)
        rgb[large & ~binary_erosion(large)] = colour
    for mask, colour in tile.dotted:
        rgb[_resized(mask, size)] = colour
    drawn = Image.new("RGB", (side, side))
    drawn.paste(Image.fromarray(rgb))
    ImageDraw.Draw(drawn).text((6, 4), tile.note, fill="white")
    return drawn


def _resized(mask: Array, size: tuple[int, int]) -> Array:
    return np.asarray(Image.fromarray(mask).resize(size, Image.Resampling.NEAREST))
