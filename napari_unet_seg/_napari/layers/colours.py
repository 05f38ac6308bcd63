"""Colours of categories: the same name has the same colour in every layer and plot."""

from __future__ import annotations

import zlib
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
from napari.utils.colormaps import DirectLabelColormap
from napari.utils.colormaps.standardize_color import transform_color

from napari_unet_seg.config import IGNORE_INDEX

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari_unet_seg.config import Category

Colour = np.ndarray[Any, np.dtype[np.float32]]

_PALETTE = (
    "#e6411f",
    "#19b5c9",
    "#f2b705",
    "#8f5bd6",
    "#2fae4a",
    "#e0569b",
    "#3f7ff0",
    "#b8d134",
    "#f58a1f",
    "#5fd3a4",
    "#a8653c",
    "#c9a8f5",
)
_SHADES = ((0, 0), (1, 0.45), (0, 0.35), (1, 0.22), (0, 0.18))
"""White (1) or black (0) that is mixed into a colour, and its share."""
_UNREVIEWED = "#8c8c8c"
_UNKNOWN = "#ffffff"

_slots: dict[str, int] = {}


def category_colour(name: str) -> str:
    """Return the colour of a category as `#rrggbb`.

    The name alone decides on the colour. If another name already has the same colour since napari
    started, the new name gets the next free colour.
    """
    if name not in _slots:
        preferred = zlib.crc32(name.casefold().encode()) % len(_PALETTE)
        taken = set(_slots.values())
        turns = (preferred + step for step in range(len(_PALETTE)))
        slot = next((t for t in turns if t % len(_PALETTE) not in taken), preferred)
        _slots[name] = slot % len(_PALETTE)
    return _PALETTE[_slots[name]]


@lru_cache
def shades(name: str) -> tuple[Colour, ...]:
    """Return a category's colour with lighter and darker shades, as RGBA, for single objects."""
    base = transform_color(category_colour(name))[0]
    return tuple(_mix(base, other, share) for other, share in _SHADES)


def _mix(base: Colour, other: float, share: float) -> Colour:
    mixed: Colour = base + share * (other - base)
    mixed[3] = 1
    return mixed


def category_colormap(categories: Sequence[Category]) -> DirectLabelColormap:
    """Return a colormap of labels: transparent background, then the categories.

    Unreviewed pixels are grey, and labels of no category white.
    """
    colours: dict[int | None, str] = {
        value: category_colour(category.name) for value, category in enumerate(categories, 1)
    }
    colours |= {None: _UNKNOWN, 0: "transparent"}
    colours.setdefault(IGNORE_INDEX, _UNREVIEWED)
    return DirectLabelColormap(color_dict=colours)
