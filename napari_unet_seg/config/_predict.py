"""Configuration of a prediction."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from napari_unet_seg.config._base import Config, Device, Precision

Views = Literal["plain", "mirrored", "flips and turns"]
Carry = Literal["auto", "always", "never"]
Across = Literal["Z", "Y", "X", "all"]


class PredictConfig(Config):
    """Configuration of a prediction: how a checkpoint is applied to a scan."""

    threshold: float = Field(0.5, gt=0, lt=1)
    """Pixels at least this probable belong to a class (sigmoid heads)."""
    remove_small: bool = True
    """Remove small parts from the mask of a volume; mostly they are false."""
    small: float = Field(0.05, gt=0, le=0.5)
    """A part is small if it holds less than this share of the largest one of its category."""
    inside_brain: bool = False
    """Remove what lies outside the brain, which a model of its own finds."""
    carry: Carry = "auto"
    """Outline the large parts of a volume's mask anew: the packaged prompt network is clicked on
    them and carries them through the volume. Auto does so with models of one kind of lesion in one
    sequence."""
    resample: bool = True
    """Resize slices to the size the model was trained at; otherwise tile them at their own size."""
    overlap: float = Field(0.25, ge=0, le=0.9)
    """Overlap of neighbouring tiles, as a share of a tile."""
    views: Views = "plain"
    """Test-time augmentation: average over each slice and its mirror image, or over eight flipped
    and slightly rotated copies; fewer false positives, and two or eight times slower."""
    across: Across = "Z"
    """Axis that a model of slices takes the slices of a volume across; all: the mean of the three
    axes."""
    batch_size: int = Field(0, ge=0, le=256)
    """Slices per forward pass; halved when memory runs out. 0 uses 2 to 4 on a CPU, where more are
    no faster, and 64 on a GPU."""
    probabilities: bool = False
    """Keep the probability map."""
    uncertainty: bool = False
    """Keep the entropy of the probabilities, in bits."""
    disagreement: bool = False
    """Keep the standard deviation of the probabilities over the views."""
    device: Device = "auto"
    """Device of the network; auto uses a GPU if there is one."""
    precision: Precision = "auto"
    """Auto uses bfloat16 if it is at least a fifth faster."""
    threads: int = Field(0, ge=0, le=256)
    """Number of CPU threads; 0 uses all cores."""

    @model_validator(mode="after")
    def _several_views(self) -> Self:
        if self.disagreement and self.views == "plain":
            raise ValueError("one view cannot disagree; set views to mirrored")
        return self
