"""The categories of the labels in a folder of cases."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from napari_unet_seg.config import UNNAMED, Category, numbered_categories
from napari_unet_seg.io.masks.labels import stored_categories

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from napari_unet_seg.io.cases.case import Plan, Source


def told_names(plan: Plan, descriptions: Iterable[Any] = ()) -> dict[int, str]:
    """Return the names of label values that a folder tells.

    Parameters
    ----------
    plan : Plan
        The plan of the folder, whose layout may name labels.
    descriptions : iterable
        What the masks store with them. Their names count if the layout has none, and all masks that
        store names have the same ones.
    """
    stored = _stored(plan, descriptions)
    return dict(enumerate(stored[0], 1)) if len(stored) == 1 else dict(plan.categories)


def names_note(plan: Plan, descriptions: Iterable[Any]) -> str:
    """Return a sentence on masks that name the same labels differently; empty if none do."""
    stored = _stored(plan, descriptions)
    if len(stored) < 2:
        return ""
    first, second = (", ".join(names) for names in stored[:2])
    return (
        f"The masks of {plan.root} name their labels differently ({first}; {second}), so that they "
        "are told by their numbers alone; give all masks the same categories."
    )


def _stored(plan: Plan, descriptions: Iterable[Any]) -> list[tuple[str, ...]]:
    """Return the different lists of names that masks store, if their layout names no labels."""
    if plan.categories:
        return []
    found = (tuple(c.name for c in stored_categories(each)) for each in descriptions)
    return [names for names in dict.fromkeys(found) if names]


def categories_of_mask(source: Source, description: Any) -> tuple[Category, ...]:
    """Return the categories of a mask that its layout names, or its file; none if neither does."""
    stored = stored_categories(description)
    if dict(source.categories) in ({}, dict(enumerate((c.name for c in stored), 1))):
        return stored  # with their ids
    return consecutive(dict(source.categories), 0, str(source.files[0]))


def names_of_labels(told: Mapping[int, str], values: Iterable[int], what: str) -> dict[int, str]:
    """Return names by label value: those that are told, and numbers for the others.

    Parameters
    ----------
    told : mapping
        Of `told_names`.
    values : iterable of int
        Labels in the masks, above 0. A single one that nothing names, 1, is the foreground.
    what : str
        The masks, as the error names them.

    Raises
    ------
    DataError
        If a label without a name is too high for one, see `numbered_categories`.
    """
    unnamed = set(values) - told.keys()
    if not told and unnamed == {1}:
        return {1: UNNAMED.name}
    numbered = numbered_categories(max(unnamed, default=0), what)
    return dict(sorted({**told, **{value: numbered[value - 1].name for value in unnamed}}.items()))


def consecutive(told: Mapping[int, str], highest: int, what: str) -> tuple[Category, ...]:
    """Return a category for each label value from 1 to the highest, see `names_of_labels`."""
    names = names_of_labels(told, range(1, max([highest, *told]) + 1), what)
    return tuple(Category(id=value, name=name) for value, name in names.items())
