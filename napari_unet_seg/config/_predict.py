"""How a model is applied."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from napari_unet_seg.config._base import Config, Device, Precision

Views = Literal["plain", "mirrored", "flips and turns"]
Across = Literal["Z", "Y", "X", "all"]


class PredictConfig(Config):
    """How a checkpoint is applied to a scan."""

    threshold: float = Field(0.5, gt=0, lt=1)
    """Pixels at least this probable belong to a class (sigmoid heads)."""
    resample: bool = True
    """Resize slices to the size the model was trained at; otherwise tile them at their own size."""
    overlap: float = Field(0.25, ge=0, le=0.9)
    """Overlap of neighbouring tiles, as a share of a tile."""
    views: Views = "plain"
    """Average over each slice and its mirror image, or over eight flipped and slightly turned
    copies: fewer false alarms, and two or eight times slower."""
    across: Across = "Z"
    """Axis that a volume is cut across by a model of slices; all three are averaged with all."""
    batch_size: int = Field(0, ge=0, le=256)
    """Slices per pass through the network; halved when memory runs out. 0 takes 2 on a processor,
    where more are no faster, and 64 on a GPU."""
    probabilities: bool = False
    """Keep the probability map."""
    uncertainty: bool = False
    """Keep the entropy of the probabilities, in bits."""
    disagreement: bool = False
    """Keep the standard deviation of the probabilities over the views."""
    device: Device = "auto"
    """Where the network runs; auto takes a GPU where there is one."""
    precision: Precision = "auto"
    """Auto takes bfloat16 where it is measured to be a fifth faster or more."""
    threads: int = Field(0, ge=0, le=256)
    """Processor threads; 0 takes them all."""

    @model_validator(mode="after")
    def _several_views(self) -> Self:
        if self.disagreement and self.views == "plain":
            raise ValueError("one view cannot disagree; set views to mirrored")
        return self
