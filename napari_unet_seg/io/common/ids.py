"""Ids in JSON: whole numbers, or texts."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from napari_unet_seg.config import Id


def whole(value: object) -> int | None:
    """Return a JSON number as an integer if it is integral (some exporters write 5.0), or None."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def identity(value: object) -> Id | None:
    """Return a JSON value as an id, which is a whole number or a text; else None."""
    return value if isinstance(value, str) else whole(value)


def new_ids(ids: Iterable[object]) -> Iterator[Id]:
    """Yield unused ids: whole numbers above the highest one, as texts if there are texts."""
    used = list(ids)
    texts = {i for i in used if isinstance(i, str)}
    above = count(max((n for n in map(whole, used) if n is not None), default=0) + 1)
    return (text for text in map(str, above) if text not in texts) if texts else above
