"""What the cards of all models tell alike."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from napari_unet_seg.models.header import CheckpointInfo


def model_facts(info: CheckpointInfo, parameters: int) -> dict[str, Any]:
    """The network and its input, by the names that the cards' texts have for them."""
    return {
        "width": info.model.width,
        "depth": info.model.depth,
        "parameters": parameters,
        "image_size": info.image_size,
        "low": info.normalise.low,
        "high": info.normalise.high,
    }
