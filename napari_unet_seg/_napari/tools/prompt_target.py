"""The category of a mask that prompts change, with the image behind the mask."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from napari_unet_seg._napari.layers.conversion import scan_from_layer
from napari_unet_seg._napari.layers.prediction import probability_map
from napari_unet_seg._napari.segment.chosen_model import current_model
from napari_unet_seg._napari.segment.model_input import input_by_name
from napari_unet_seg._napari.segment.probabilities import CategorySource
from napari_unet_seg.errors import DataError

if TYPE_CHECKING:
    from napari.layers import Image, Labels
    from napari.viewer import ViewerModel

    from napari_unet_seg.config import Category
    from napari_unet_seg.correct.tools import ToolSettings


class PromptTarget(NamedTuple):
    """A category of a mask, and the input for its probabilities."""

    mask: Labels
    category: Category
    settings: ToolSettings
    source: CategorySource


def prompt_target(
    viewer: ViewerModel,
    mask: Labels,
    image: Image | None,
    categories: tuple[Category, ...],
    settings: ToolSettings,
) -> PromptTarget:
    """Combine a mask with its image.

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
    category = categories[settings.value - 1]
    probabilities = probability_map(viewer, mask, category)
    taken = input_by_name(image, viewer.layers, current_model())
    own = categories, settings.value, probabilities
    source = CategorySource(scan, str(image.unique_id), *own, taken)
    return PromptTarget(mask, category, settings, source)
