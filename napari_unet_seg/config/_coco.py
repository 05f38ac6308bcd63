"""Categories, and options for writing masks as COCO."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from napari_unet_seg.config._base import Config
from napari_unet_seg.errors import DataError

RESULT_THRESHOLD = 0.5
"""Score that a model's result needs by default."""
Id = int | str
"""Id of an image, category or annotation; COCO has numbers, and some exporters write strings."""
MOST_NUMBERED = 65_535
"""Largest number of categories that are made from label values alone."""


class Category(Config):
    """A COCO category; its position in a sequence of categories, from 1, is its label value."""

    id: Id
    name: str
    supercategory: str = ""

    @property
    def is_lesion(self) -> bool:
        """Whether it is a lesion, as its supercategory tells."""
        return self.supercategory == "lesion"

    @property
    def is_numbered(self) -> bool:
        """Whether the category has no name but its number; see `numbered_categories`."""
        return self.name == f"label {self.id}"


UNNAMED = Category(id=1, name="foreground")
"""The one category of masks that name none."""


def numbered_categories(highest: int, what: str = "The mask") -> tuple[Category, ...]:
    """Return categories for the label values from 1 of a mask that names none.

    Parameters
    ----------
    highest : int
        Highest label value.
    what : str
        The mask, as the error names it.

    Raises
    ------
    DataError
        If the highest value is above `MOST_NUMBERED`, as the ids of an atlas are.
    """
    if highest > MOST_NUMBERED:
        raise DataError(
            f"{what} holds the label {highest}, which no category names, and labels without "
            f"names go up to {MOST_NUMBERED}; number the labels from 1."
        )
    return tuple(Category(id=i, name=f"label {i}") for i in range(1, highest + 1))


class CocoOptions(Config):
    """Options for writing masks as COCO."""

    segmentation: Literal["auto", "rle", "polygons"] = "auto"
    """Auto: polygons along the pixel edges, and RLE for masks with holes. RLE: always. Polygons:
    always; masks with holes are cut into pieces without holes."""
    tolerance: float = Field(0.0, ge=0, le=10)
    """Largest deviation in pixels of polygons with fewer corners; 0 keeps every pixel."""
    neighbours: Literal[8, 4] = 8
    """In a mask of categories: whether pixels that share only a corner are one object (8) or two
    (4)."""


class CocoLimits(Config):
    """Sizes in COCO files beyond which an image or annotation is skipped as a mistake."""

    outline: int = Field(100_000_000, ge=1)
    """Longest outline of a polygon, in pixels."""
    pixels: int = Field(2**30, ge=1, lt=2**31)
    """Largest number of pixels of an image."""
    side: int = Field(2**18, ge=1, le=2**27)
    """Longest side of an image, in pixels."""
