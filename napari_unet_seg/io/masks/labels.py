"""Label values of masks: their categories, and the dtype that they are stored in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from napari_unet_seg.config import IGNORE_INDEX, Category, Id
from napari_unet_seg.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Container, Mapping, Sequence

    from napari_unet_seg.arrays import Array


INSTANCES_KEY = "instances"
"""Key of the objects in a mask's description: rows of label, category id, annotation id."""


def objects_of(description: Any, categories: Sequence[Category]) -> dict[int, Category] | None:
    """Return the category of each label of a mask of objects; None for other masks.

    Parameters
    ----------
    description : Any
        Description stored in the mask's file; invalid rows are skipped.
    categories : sequence of Category
        The categories in the description.
    """
    rows = description.get(INSTANCES_KEY) if isinstance(description, dict) else None
    if not isinstance(rows, list):
        return None
    by_id = {category.id: category for category in categories}
    found = (row[:2] for row in rows if isinstance(row, list) and len(row) > 1)
    return {
        value: by_id[identity]
        for value, identity in found
        if isinstance(value, int) and isinstance(identity, Id) and value > 0 and identity in by_id
    }


def to_classes(
    labels: Array, objects: Mapping[int, Category], categories: Sequence[Category]
) -> Array:
    """Convert labels of objects to labels of categories, from 1; other labels become 0."""
    places = {category: place for place, category in enumerate(categories, 1)}
    values = np.array(sorted(objects), np.int64)
    classes = np.array([places[objects[v]] for v in values.tolist()])
    result = np.zeros(labels.shape, np.min_scalar_type(len(categories)))
    held = labels != 0
    found = np.searchsorted(values, labels[held])
    is_object = (found < len(values)) & (np.append(values, -1)[found] == labels[held])
    result[held] = np.where(is_object, np.append(classes, 0)[found], 0)
    return result


def smallest(labels: Any, name: str) -> Array:
    """Convert labels to the smallest of uint8, uint16 and uint32 that holds all values.

    Parameters
    ----------
    labels : array
        Integers or booleans, numpy or dask.
    name : str
        Name for the error message, for example of their file.

    Raises
    ------
    DataError
        If the labels are not integers, or a value is negative or above 2³² - 1.
    """
    array = np.asarray(labels)
    return np.ascontiguousarray(array.astype(smallest_type(array, name), copy=False))


def smallest_type(labels: Any, name: str) -> np.dtype[Any]:
    """Return the smallest of uint8, uint16 and uint32 that holds all labels; see `smallest`.

    A dask array is read chunk by chunk.
    """
    if labels.dtype.kind not in "bui":
        raise DataError(
            f"The labels for {name} are of type {labels.dtype}; convert them to integers first."
        )
    low, high = (int(labels.min()), int(labels.max())) if labels.size else (0, 0)
    if low < 0 or high > np.iinfo(np.uint32).max:
        raise DataError(
            f"The labels for {name} reach from {low} to {high}; renumber them to values from 0 "
            "to 4294967295 first."
        )
    return np.min_scalar_type(high)


def stored_categories(description: Any) -> tuple[Category, ...]:
    """Return the categories in a mask's description; none if the description is invalid."""
    found = description.get("categories") if isinstance(description, dict) else None
    if not isinstance(found, list):
        return ()
    try:
        return tuple(_category(number, item) for number, item in enumerate(found, 1))
    except (TypeError, ValueError):
        # Written by another program, or damaged; the labels can still be used.
        return ()


def _category(number: int, item: Any) -> Category:
    named = item if isinstance(item, dict) else {"name": item}
    return Category(
        id=named.get("id", number),
        name=str(named.get("name", number)),
        supercategory=str(named.get("supercategory") or ""),
    )


def label_dtype(categories: int) -> np.dtype[Any]:
    """Return the smallest unsigned dtype for a number of categories and `IGNORE_INDEX`."""
    return np.min_scalar_type(categories + 1)


def ignored(values: Array, categories: int) -> Array:
    """Return which pixels are unreviewed; with 255 categories the value 255 is a category."""
    result: Array = (values == IGNORE_INDEX) & (categories < IGNORE_INDEX)
    return result


def check_values(labels: Array, what: str, categories: int) -> None:
    """Raise DataError if an array holds values other than 0, categories and unreviewed pixels."""
    if labels.dtype.kind not in "biu":
        raise DataError(f"{what} holds {labels.dtype} numbers; give whole label values.")
    if not labels.size or (labels.min() >= 0 and labels.max() <= categories):
        return
    wrong = labels[((labels < 0) | (labels > categories)) & ~ignored(labels, categories)]
    if len(wrong):
        raise DataError(
            f"{what} holds the label {wrong[0]}, but there are only {categories} categories; "
            "add the category or correct the mask."
        )


def check_instances(labels: Array, what: str, categorised: Container[int]) -> None:
    """Raise DataError if an array of numbered objects holds a value without a category."""
    if labels.dtype.kind not in "biu":
        raise DataError(f"{what} holds {labels.dtype} numbers; give whole label values.")
    wrong = [value for value in np.unique(labels[labels != 0]).tolist() if value not in categorised]
    if wrong:
        raise DataError(
            f"{what} holds the label {wrong[0]}, which has no category; select this label and "
            "click on its category in the legend, or erase it."
        )
