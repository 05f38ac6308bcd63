"""The network that a configuration describes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_unet_seg.nn.encoders import EncoderUNet
from napari_unet_seg.nn.unet import UNet
from napari_unet_seg.nn.vnet import VNet

if TYPE_CHECKING:
    from napari_unet_seg.config import ModelConfig

Net = UNet | VNet | EncoderUNet


def build_net(config: ModelConfig) -> Net:
    """Build a network with fresh weights.

    It maps (B, channels, …) to logits (B, K, …), K being one per class and one for background
    under softmax; `supervised` gives all the logits that are to learn from the truth.
    """
    if config.encoder:
        return EncoderUNet(config)
    return VNet(config) if config.architecture == "vnet" else UNet(config)
