"""Changes of the categories of a mask: added, renamed, recoloured, moved in the list.

The categories of an open mask are those of its layer's record. Who shows or stores them listens to
`layer.events.features`, and to `layer.events.colormap` for their colours.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from napari_unet_seg._napari.categories.pixels import change_labels
from napari_unet_seg._napari.layers.colours import (
    category_colormap,
    choose_colour,
    in_list_order,
    keep_colour,
)
from napari_unet_seg._napari.layers.conversion import categories_of, category_features
from napari_unet_seg._napari.layers.instances import is_instances, object_colormap
from napari_unet_seg._napari.layers.layer_record import record_of, update_record
from napari_unet_seg.config import IGNORE_INDEX, Category, numbered_categories
from napari_unet_seg.errors import DataError
from napari_unet_seg.io.common.ids import new_ids

if TYPE_CHECKING:
    from collections.abc import Iterable

    from napari.layers import Labels, Layer


def shown_categories(layer: Labels) -> tuple[Category, ...]:
    """Return the categories of a mask; numbered ones for the labels of a layer that names none.

    Empty for a layer whose labels are objects, or are not in memory.
    """
    found = categories_of(layer)
    if found or not isinstance(layer.data, np.ndarray):
        return found
    values = layer.data
    highest = int(values.max(where=values != IGNORE_INDEX, initial=0))
    return numbered_categories(highest) if highest < IGNORE_INDEX else ()


def can_name(layer: Labels) -> bool:
    """Whether the labels of a layer can be given categories."""
    if categories_of(layer) or layer.multiscale:
        return not layer.multiscale
    return isinstance(layer.data, np.ndarray) and int(layer.data.max(initial=0)) <= IGNORE_INDEX


def listed_categories(layer: Labels) -> list[tuple[int, Category]]:
    """Return the label and the category of each row of a list, in the order that was chosen."""
    return in_list_order(shown_categories(layer), record_of(layer).order)


def default_name(layer: Labels) -> str:
    """Return a name for a new category that no other one has: "category 2" for the second."""
    taken = {category.name.casefold() for category in shown_categories(layer)}
    number = len(taken) + 1
    while f"category {number}" in taken:
        number += 1
    return f"category {number}"


def name_problem(layer: Labels, name: str, label: int = 0) -> str:
    """Return why a category cannot have a name, as a message; empty if it can.

    Parameters
    ----------
    layer : Labels
        The mask.
    name : str
        The name wanted.
    label : int
        The label of the category that is to get the name, 0 for a new one.
    """
    if not name.strip():
        return "A category needs a name; type one."
    others = enumerate(shown_categories(layer), 1)
    if any(c.name.casefold() == name.strip().casefold() for value, c in others if value != label):
        return f"There is a category {name.strip()} already; type another name."
    return ""


def add_category(layer: Labels, name: str, layers: Iterable[Layer], label: int = 0) -> int:
    """Add a category to a mask, after the others, and choose it for the brush.

    Parameters
    ----------
    layer : Labels
        The mask, also one that has no categories yet.
    name : str
        Name of the category.
    layers : iterable of Layer
        All layers of the window, whose categories have ids that stay their own.
    label : int
        A label without a category that gets this one; its pixels are given the label that follows
        the others, as one step of undo.

    Returns
    -------
    int
        The label of the category; 0 in a mask of objects, where a click starts an object of it.

    Raises
    ------
    DataError
        If the name is empty or in use, or the mask has as many categories as it can have.
    """
    if problem := name_problem(layer, name):
        raise DataError(problem)
    categories = shown_categories(layer)
    value = len(categories) + 1
    if value >= IGNORE_INDEX and not is_instances(layer):
        raise DataError(
            f"{layer.name} has {value - 1} categories, as many as there are labels; remove one "
            "first."
        )
    ids = [c.id for other in layers for c in categories_of(other)] + [c.id for c in categories]
    # Files of a session may still hold the labels of a removed category, by its id.
    ids += [gone for gone, _ in record_of(layer).merged]
    if coco := record_of(layer).coco:
        ids += [c.id for c in coco.source.dataset().categories]
    new = Category(id=next(new_ids(ids)), name=name.strip())
    set_categories(layer, (*categories, new), order=(*listed_names(layer), new.name))
    if is_instances(layer):
        return 0
    if label > value:
        change_labels(layer, {label: value})
    layer.selected_label = value
    return value


def rename_category(layer: Labels, label: int, name: str) -> None:
    """Give a category another name; it keeps its colour.

    Raises
    ------
    DataError
        If the name is empty or in use.
    """
    if problem := name_problem(layer, name, label):
        raise DataError(problem)
    categories = list(shown_categories(layer))
    old = categories[label - 1]
    keep_colour(old.name, name.strip())
    categories[label - 1] = new = old.model_copy(update={"name": name.strip()})
    order = tuple(new.name if n == old.name else n for n in listed_names(layer))
    set_categories(layer, tuple(categories), order=order)


def recolour_category(layer: Labels, label: int, colour: str) -> None:
    """Give a category another colour, `#rrggbb`, in all layers and lists."""
    categories = shown_categories(layer)
    if categories_of(layer) != categories:
        set_categories(layer, categories)
    choose_colour(categories[label - 1].name, colour)
    draw_colours(layer)


def move_category(layer: Labels, label: int, by: int) -> None:
    """Move a category some rows down the list, or up if negative; labels do not change."""
    rows = [value for value, _ in listed_categories(layer)]
    place = rows.index(label)
    target = min(max(place + by, 0), len(rows) - 1)
    rows.insert(target, rows.pop(place))
    categories = shown_categories(layer)
    set_categories(layer, categories, order=tuple(categories[v - 1].name for v in rows))


def set_categories(layer: Labels, categories: tuple[Category, ...], **changes: Any) -> None:
    """Replace the categories of a mask, and further fields of its record; listeners are told."""
    update_record(layer, categories=categories, **changes)
    if not is_instances(layer):
        layer.features = category_features(categories)
    draw_colours(layer)


def draw_colours(layer: Labels) -> None:
    """Draw a mask in the present colours of its categories."""
    if is_instances(layer):
        if "category_id" not in layer.features:
            return
        names = {category.id: category.name for category in categories_of(layer)}
        table = layer.features.copy()
        table["category"] = table["category_id"].map(names).fillna(table["category"])
        layer.features = table
        if colormap := object_colormap(table):
            layer.colormap = colormap
    elif categories_of(layer):
        layer.colormap = category_colormap(categories_of(layer))


def listed_names(layer: Labels) -> tuple[str, ...]:
    """Return the names of the categories in the order of the list."""
    return tuple(category.name for _, category in listed_categories(layer))
