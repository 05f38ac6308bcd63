"""Keys of annotations, by which two versions of a COCO file are compared."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Iterable

Key = tuple[Any, int]
"""Id of an annotation, and its number among those with this id, from 0."""
Keep = Literal["mine", "theirs"]
"""Which version of an annotation stays that was changed both here and by another program."""


def keyed(annotations: Iterable[Any]) -> dict[Key, Any]:
    """Return annotations by their keys, in their order."""
    numbers: dict[Any, count[int]] = {}
    found = {}
    for item in annotations:
        identity = identity_of(item)
        found[identity, next(numbers.setdefault(identity, count()))] = item
    return found


def identity_of(entry: Any, name: str = "id") -> Any:
    """Return an id in an entry of a list, None if it has none; as a text if it is unusable."""
    found = entry.get(name) if isinstance(entry, dict) else None
    return found if isinstance(found, int | float | str | None) else repr(found)
