"""Construction of a network from its configuration."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_unet_seg.nn.encoders import EncoderUNet
from napari_unet_seg.nn.unet import UNet
from napari_unet_seg.nn.vnet import VNet

if TYPE_CHECKING:
    from napari_unet_seg.config import ModelConfig

Net = UNet | VNet | EncoderUNet


def build_net(config: ModelConfig) -> Net:
    """Build a network with random weights.

    The network maps (B, channels, …) to logits (B, K, …), with one logit per class, and one for
    background under softmax; its method `supervised` returns the logits of all supervised levels.

    Raises
    ------
    DataError, ConfigError
        As `EncoderUNet`, for a configuration with an encoder.
    """
    if config.encoder:
        return EncoderUNet(config)
    return VNet(config) if config.architecture == "vnet" else UNet(config)
