"""Values of single slices, which copies of a layer share."""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Iterator, Mapping
from typing import TypeVar

from napari_unet_seg.io.common.places import Place

Value = TypeVar("Value")


class SliceValues(Mapping[Place, Value]):
    """An immutable mapping from the place of a slice, along the leading axes, to a value.

    `mapping | changes` is a new mapping that shares the unchanged parts with the old mapping: to
    set the values of n slices one by one takes n log n steps, not n².

    Parameters
    ----------
    values : mapping
        Value by place; the mapping is copied.
    """

    __slots__ = ("_parts",)

    def __init__(self, values: Mapping[Place, Value] | None = None) -> None:
        self._parts: tuple[dict[Place, Value], ...] = (dict(values),) if values else ()
        """Later parts hold newer values; each part is more than twice as long as the next."""

    def __getitem__(self, place: Place) -> Value:
        for part in reversed(self._parts):
            if place in part:
                return part[place]
        raise KeyError(place)

    def __iter__(self) -> Iterator[Place]:
        return iter(ChainMap(*reversed(self._parts)))

    def __len__(self) -> int:
        return len(set().union(*self._parts))

    def __or__(self, changes: Mapping[Place, Value]) -> SliceValues[Value]:
        if not changes:
            return self
        parts, newest = [*self._parts], dict(changes)
        while parts and len(parts[-1]) <= 2 * len(newest):
            newest = parts.pop() | newest
        result: SliceValues[Value] = SliceValues()
        result._parts = (*parts, newest)
        return result
