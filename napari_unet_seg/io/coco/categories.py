"""The categories of a COCO document: those that were added, renamed or recoloured are written."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from napari_unet_seg.io.common.ids import identity
from napari_unet_seg.io.masks.palette import code_of, rgb_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from napari_unet_seg.config import Category

_COLOUR = "color"
"""Key of red, green and blue, as in COCO's categories of panoptic segmentation."""


def with_categories(
    document: dict[str, Any], wanted: Iterable[Category], colours: Mapping[str, str]
) -> dict[str, Any]:
    """Return a document that has all wanted categories; what they do not change stays as it is.

    Parameters
    ----------
    document : dict
        A COCO document, which is not changed.
    wanted : iterable of Category
        Categories by id: a new one is added at the end, one with another name is renamed.
    colours : mapping of str to str
        Colours to write, `#rrggbb` by name.
    """
    given = document.get("categories")
    items = list(given) if isinstance(given, list) else []
    places = {identity(c.get("id")): n for n, c in enumerate(items) if isinstance(c, dict)}
    for category in wanted:
        if category.id not in places:
            places[category.id] = len(items)
            items.append(category.model_dump())
        item = items[places[category.id]]
        changes: dict[str, Any] = {}
        # A category without a name is shown by its id.
        if category.name not in (str(item.get("name")), str(category.id)):
            changes["name"] = category.name
        colour = colours.get(category.name)
        if colour is not None and code_of(item.get(_COLOUR)) != colour:
            changes[_COLOUR] = list(rgb_of(colour))
        if changes:
            items[places[category.id]] = item | changes
    return document if items == given else {**document, "categories": items}


def colours_in(document: Mapping[str, Any]) -> dict[str, str]:
    """Return the colours of a document's categories, `#rrggbb` by name."""
    found = (c for c in document.get("categories") or [] if isinstance(c, dict))
    codes = {str(c.get("name")): code_of(c.get(_COLOUR)) for c in found}
    return {name: code for name, code in codes.items() if code}
