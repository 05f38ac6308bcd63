"""Colours of categories: the same name has the same colour in every layer and plot."""

from __future__ import annotations

import zlib
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
from napari.utils.colormaps import DirectLabelColormap
from napari.utils.colormaps.standardize_color import transform_color
from psygnal import Signal

from napari_unet_seg.config import IGNORE_INDEX
from napari_unet_seg.io.masks.palette import is_colour_code

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

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

_colours: dict[str, str] = {}
"""The colour of each name that was shown since napari started."""
_chosen: set[str] = set()
"""Names whose colour a person chose since napari started."""


class _Palette:
    changed = Signal()


colours_changed = _Palette().changed
"""Emitted after names have got other colours; what shows them is drawn again."""


def category_colour(name: str) -> str:
    """Return the colour of a category as `#rrggbb`.

    The name alone decides on the colour, unless another one was chosen or came with a mask. If
    another name already has the same colour since napari started, the new name gets the next free
    colour.
    """
    if name not in _colours:
        preferred = zlib.crc32(name.casefold().encode()) % len(_PALETTE)
        taken = set(_colours.values())
        turns = (_PALETTE[(preferred + step) % len(_PALETTE)] for step in range(len(_PALETTE)))
        _colours[name] = next((c for c in turns if c not in taken), _PALETTE[preferred])
    return _colours[name]


def choose_colour(name: str, colour: str) -> None:
    """Give a category the colour that a person chose, `#rrggbb`, in every layer and list."""
    _chosen.add(name)
    _set_colours({name: colour})


def adopt_colours(palette: Mapping[str, str]) -> None:
    """Give categories the colours that a mask was saved with.

    Colours that a person chose since napari started stay, and what is no colour is ignored.
    """
    _set_colours({n: c for n, c in palette.items() if n not in _chosen and is_colour_code(c)})


def keep_colour(old: str, new: str) -> None:
    """Give a renamed category the colour that it had."""
    _colours.setdefault(new, category_colour(old))
    if old in _chosen:
        _chosen.add(new)


def in_list_order(
    categories: Sequence[Category], order: Sequence[str]
) -> list[tuple[int, Category]]:
    """Return label and category of each row of a list, by an order of names; the others last."""
    rows = {name: row for row, name in enumerate(order)}
    labelled = enumerate(categories, 1)
    return sorted(labelled, key=lambda row: rows.get(row[1].name, len(rows) + row[0]))


def palette_of(categories: Sequence[Category], order: Sequence[str]) -> dict[str, str]:
    """Return the colours of categories by name, in the order of lists."""
    return {c.name: category_colour(c.name) for _, c in in_list_order(categories, order)}


def chosen_colours(categories: Iterable[Category]) -> dict[str, str]:
    """Return the colours that a person chose for categories, by name."""
    return {c.name: _colours[c.name] for c in categories if c.name in _chosen}


def _set_colours(palette: Mapping[str, str]) -> None:
    changed = {name: colour for name, colour in palette.items() if _colours.get(name) != colour}
    _colours.update(changed)
    if changed:
        colours_changed.emit()


def shades(name: str) -> tuple[Colour, ...]:
    """Return a category's colour with lighter and darker shades, as RGBA, for single objects."""
    return _shades_of(category_colour(name))


@lru_cache
def _shades_of(colour: str) -> tuple[Colour, ...]:
    base = transform_color(colour)[0]
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
