"""What rough marks change."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from napari_unet_seg._napari.layers.layers import scan_from_layer
from napari_unet_seg._napari.layers.prediction import probability_map
from napari_unet_seg._napari.segment.probabilities import Source
from napari_unet_seg.errors import DataError

if TYPE_CHECKING:
    from napari.layers import Image, Labels
    from napari.viewer import ViewerModel

    from napari_unet_seg.config import Category
    from napari_unet_seg.correct.tools import ToolSettings


class Target(NamedTuple):
    """A category of a mask, and what is known of it."""

    mask: Labels
    category: Category
    aim: ToolSettings
    source: Source


def target_of(
    viewer: ViewerModel,
    mask: Labels,
    image: Image | None,
    categories: tuple[Category, ...],
    aim: ToolSettings,
) -> Target:
    """Join a mask with the image that it belongs to.

    Raises
    ------
    DataError
        If it is not known to which.
    """
    if image is None:
        raise DataError(f"Marks need grey values; open the image of {mask.name}.")
    scan = scan_from_layer(image)
    if scan.grid_shape != mask.data.shape:
        raise DataError(f"{image.name} is not the image of {mask.name}; choose it above.")
    category = categories[aim.value - 1]
    likely = probability_map(viewer, mask, category)
    source = Source(scan, str(image.unique_id), categories, aim.value, likely)
    return Target(mask, category, aim, source)
