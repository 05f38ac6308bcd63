"""Signs that the masks of a training can hardly be meant."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari_unet_seg.arrays import Array
    from napari_unet_seg.config import Category

_SMALL = 1e-3
"""Share of a slice that a category should fill at least once."""
_MANY = 100
"""Number of categories without names that come from grey values rather than from labels."""
_NAMED = 3


def doubts(categories: Sequence[Category], shares: Array) -> str:
    """Return a sentence for each sign that the masks of a training can hardly be meant.

    Parameters
    ----------
    categories : sequence of Category
        Categories of the label values from 1, in order.
    shares : array
        Of `largest_shares`, over the training and validation masks.
    """
    sentences = []
    if sum(category.is_numbered for category in categories) >= _MANY:
        sentences.append(
            f"The masks name no categories, and their labels reach {len(categories)}, as grey "
            "levels do; categories are numbered from 1."
        )
    small = [
        f"{category.name} (at most {shares[value]:.2g})"
        for value, category in enumerate(categories, 1)
        if 0 < shares[value] < _SMALL
    ]
    if small:
        sentences.append(f"Under a thousandth of every slice is all that {joined(small)} fills.")
    return " ".join(sentences)


def joined(names: Sequence[str], word: str = "and") -> str:
    """Join a few names by commas and a word, and count the others: `a, b, c and 4 more`."""
    first, others = list(names[:_NAMED]), len(names) - _NAMED
    if others > 0:
        first.append(f"{others} more")
    return f" {word} ".join(filter(None, (", ".join(first[:-1]), first[-1])))
