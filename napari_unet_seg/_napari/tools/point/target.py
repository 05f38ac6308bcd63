"""The category of a mask that prompts change, with the image behind the mask."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from napari_unet_seg._napari.layers.conversion import scan_from_layer
from napari_unet_seg.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from napari.layers import Image, Labels

    from napari_unet_seg.config import Category
    from napari_unet_seg.correct.tools import ToolSettings
    from napari_unet_seg.io.common.scan import Scan


class PromptTarget(NamedTuple):
    """A category of a mask, and the image that the network looks at."""

    mask: Labels
    category: Category
    settings: ToolSettings
    scan: Scan
    others: tuple[Scan, ...] = ()
    """Further sequences on the grid of the image, which the network looks at too."""

    def sees_as(self, other: PromptTarget) -> bool:
        """Whether the network looks at the same pixels for another target."""
        mine, theirs = ((each.scan, *each.others) for each in (self, other))
        return len(mine) == len(theirs) and all(
            one.data is two.data for one, two in zip(mine, theirs, strict=True)
        )


def prompt_target(
    mask: Labels,
    image: Image | None,
    category: Category,
    settings: ToolSettings,
    others: Iterable[Image] = (),
) -> PromptTarget:
    """Combine a mask with its image, and with other sequences on its grid.

    Raises
    ------
    DataError
        If there is no image, or the image has another shape than the mask.
    """
    if image is None:
        raise DataError(f"Prompts need grey values; open the image of {mask.name}.")
    scan = scan_from_layer(image)
    if scan.grid_shape != mask.data.shape:
        raise DataError(f"{image.name} is not the image of {mask.name}; choose it above.")
    return PromptTarget(mask, category, settings, scan, tuple(map(scan_from_layer, others)))
