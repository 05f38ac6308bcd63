"""Configuration of a network."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from napari_unet_seg.config._base import Config

PROMPT_CHANNELS = 4
"""Positive, negative, box, and the mask so far."""


class ModelConfig(Config):
    """A U-Net (Ronneberger et al. 2015, arXiv:1505.04597) or one of its relatives."""

    architecture: Literal["unet", "vnet"] = "unet"
    """V-Net: residual stages of kernel 5, strided convolutions down, transposed ones up."""
    encoder: str = ""
    """Name of an encoder of segmentation-models-pytorch, resnet34 for example, as the contracting
    path of a U-Net of slices; empty: the U-Net's own."""
    dimensions: Literal[2, 3] = 2
    """2 for slices, 3 for patches of volumes."""
    in_channels: int = Field(1, ge=1, le=16)
    """Channels of the input image; colour images are turned to grey for one."""
    prompts: bool = False
    """Train with prompts: clicks, scribbles, boxes and the present mask are more channels, and
    the network segments the object that they mark, of any category."""
    classes: int = Field(1, ge=1, le=254)
    """Foreground classes; follows the categories of the data when training starts."""
    head: Literal["sigmoid", "softmax"] = "sigmoid"
    """Sigmoid: one logit per class. Softmax: one logit per class and one for background."""
    width: int = Field(16, ge=4, le=128)
    """Channels of the first level; each level down doubles them."""
    depth: int = Field(4, ge=1, le=6)
    """Number of times that the image size is halved."""
    activation: Literal["leaky_relu", "relu", "prelu"] = "leaky_relu"
    """Activation after each normalisation."""
    norm: Literal["batch", "group", "instance", "none"] = "batch"
    """Normalisation between convolution and activation; group and instance suit small batches."""
    downsampling: Literal["average", "max", "strided", "dilated"] = "average"
    """Between the levels of a U-Net: pooling, or a convolution of stride 2, dilated by 2 or not."""
    upsampling: Literal["bilinear", "transposed"] = "bilinear"
    """Upsampling of the expansive path of a U-Net."""
    normalised_up: bool = False
    """Normalise and activate after each up-sampling of a U-Net."""
    dilation: int = Field(1, ge=1, le=4)
    """Dilation of a U-Net's 3×3 convolutions; padding grows with it."""
    padded: bool = True
    """Padded convolutions keep the size; without, as in 2015, the mirrored image surrounds it."""
    residual: bool = False
    """Add residual connections around the convolutions of each level of a U-Net."""
    attention: bool = False
    """Attention gates on the skips of a U-Net."""
    deep_supervision: bool = False
    """Supervise coarser levels of a U-Net too."""
    dropout: float = Field(0.0, ge=0, lt=1)
    """Share of channels dropped at the deepest levels in training."""

    @property
    def channels(self) -> int:
        """Number of input channels: those of the image, then the maps of the prompts."""
        return self.in_channels + PROMPT_CHANNELS * self.prompts

    @model_validator(mode="after")
    def _options_fit_architecture(self) -> Self:
        if self.architecture == "vnet":
            foreign = ("attention", "deep_supervision", "residual", "normalised_up")
            on = [name for name in foreign if getattr(self, name)]
            on += ["dilation"] * (self.dilation > 1) + ["padded"] * (not self.padded)
            if on:
                raise ValueError(
                    f"{on[0]} is an option of the U-Net; leave it at its default for a V-Net"
                )
        return self

    @model_validator(mode="after")
    def _options_fit_encoder(self) -> Self:
        if not self.encoder:
            return self
        if self.dimensions != 2 or self.architecture != "unet":
            raise ValueError("an encoder needs the architecture unet in 2 dimensions")
        if not 3 <= self.depth <= 5:
            raise ValueError(f"an encoder halves 3 to 5 times, not {self.depth}; change depth")
        fields = type(self).model_fields
        on = [name for name in _OWN if getattr(self, name) != fields[name].default]
        if on:
            raise ValueError(
                f"{on[0]} is an option of the U-Net's own path; leave it at its default with an "
                "encoder"
            )
        return self


_OWN = (
    "activation",
    "norm",
    "downsampling",
    "upsampling",
    "normalised_up",
    "dilation",
    "padded",
    "residual",
    "attention",
    "deep_supervision",
    "dropout",
)
"""Options that an encoder decides itself."""
