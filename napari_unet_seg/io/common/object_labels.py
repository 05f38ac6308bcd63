"""Masks whose labels are single objects, and which category each object is of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from napari_unet_seg.config import Category

Array = np.ndarray[Any, np.dtype[Any]]

KEY = "instances"
"""Where the objects stand in a mask's description: rows of label, category id, annotation id."""


def objects_of(description: Any, categories: Sequence[Category]) -> dict[int, Category] | None:
    """Return the category of every label of a mask, None if its labels are no objects.

    Parameters
    ----------
    description : Any
        What the mask's file says of itself; rows that make no sense are left out.
    categories : sequence of Category
        Those that the description names.
    """
    rows = description.get(KEY) if isinstance(description, dict) else None
    if not isinstance(rows, list):
        return None
    known = {category.id: category for category in categories}
    found = (row[:2] for row in rows if isinstance(row, list) and len(row) > 1)
    return {
        value: known[identity]
        for value, identity in found
        if isinstance(value, int) and isinstance(identity, int) and value > 0 and identity in known
    }


def to_classes(
    labels: Array, objects: Mapping[int, Category], categories: Sequence[Category]
) -> Array:
    """Return labels of categories, from 1, for labels of objects; those of none become 0."""
    places = {category: place for place, category in enumerate(categories, 1)}
    values = np.array(sorted(objects), np.int64)
    classes = np.array([places[objects[v]] for v in values.tolist()])
    result = np.zeros(labels.shape, np.min_scalar_type(len(categories)))
    held = labels != 0
    found = np.searchsorted(values, labels[held])
    known = (found < len(values)) & (np.append(values, -1)[found] == labels[held])
    result[held] = np.where(known, np.append(classes, 0)[found], 0)
    return result
