"""What the cards of all models tell alike."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from napari_unet_seg.models.header import CheckpointInfo


def model_facts(info: CheckpointInfo, parameters: int) -> dict[str, Any]:
    """The network and its input, by the names that the cards' texts have for them."""
    low, high = info.normalise.low, info.normalise.high
    return {
        "grey_slice": (
            f"one grey slice, scaled so that its longer side is {info.image_size} pixels; "
            f"percentiles {low:g} and {high:g} of its pixels that are not background (of a whole "
            "volume's) become black and white"
        ),
        "width": info.model.width,
        "depth": info.model.depth,
        "parameters": parameters,
        "image_size": info.image_size,
        "low": low,
        "high": high,
    }
