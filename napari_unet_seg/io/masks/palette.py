"""Colours of categories, as they are kept with masks: `#rrggbb` by name, in the order of lists."""

from __future__ import annotations

import re
from typing import Any

PALETTE_KEY = "palette"
"""Key of the colours in a mask's description."""


def is_colour_code(value: object) -> bool:
    """Whether a value is a colour as `#rrggbb`."""
    return isinstance(value, str) and re.fullmatch("#[0-9a-fA-F]{6}", value) is not None


def stored_palette(description: Any) -> dict[str, str]:
    """Return the colours in a mask's description; what is no colour is left out."""
    found = description.get(PALETTE_KEY) if isinstance(description, dict) else None
    if not isinstance(found, dict):
        return {}
    return {name: colour for name, colour in found.items() if is_colour_code(colour)}


def rgb_of(colour: str) -> tuple[int, int, int]:
    """Return red, green and blue, 0…255, of a colour as `#rrggbb`."""
    red, green, blue = bytes.fromhex(colour[1:])
    return red, green, blue


def code_of(rgb: Any) -> str:
    """Return the code of red, green and blue, 0…255; empty for anything else."""
    if not isinstance(rgb, list | tuple) or len(rgb) != 3:
        return ""
    if not all(type(part) is int and 0 <= part <= 255 for part in rgb):
        return ""
    return "#{:02x}{:02x}{:02x}".format(*rgb)
