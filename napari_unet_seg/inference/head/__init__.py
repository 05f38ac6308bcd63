"""A head on the frozen features of a network, fitted to a few corrected slices."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from napari_unet_seg.models.header import CheckpointInfo

FEWEST = 5
"""Corrected slices from which a head is fitted."""


def has_features(info: CheckpointInfo) -> bool:
    """Whether a head can be put on a model: a U-Net of slices."""
    model = info.model
    return (model.architecture, model.dimensions, model.prompts) == ("unet", 2, False)
