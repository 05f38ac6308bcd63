"""Everything that decides a training run, but for the data."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, Self

from pydantic import Field, field_validator, model_validator

from napari_unet_seg.config._augment import AugmentConfig
from napari_unet_seg.config._base import Config, Device, Precision
from napari_unet_seg.config._model import ModelConfig


class NormaliseConfig(Config):
    """Intensity window: two intensities become 0 and 1, what lies beyond is cut off."""

    window: Literal["percentile", "range"] = "percentile"
    """Percentile: of a scan without its background. Range: per cent of what the file's type can
    hold, of 255 for 8 bits, the same for every scan."""
    low: float = Field(1.0, ge=0, lt=50)
    """Percentile, or per cent of the range, that becomes black."""
    high: float = Field(99.5, gt=50, le=100)
    """Percentile, or per cent of the range, that becomes white."""


class LossConfig(Config):
    """Terms beside Dice and cross-entropy, by their weight, and the weight of classes."""

    focal: float = Field(0.0, ge=0, le=10)
    """Weight of the focal loss (Lin et al. 2017), which dwells on hard pixels; 0: without."""
    tversky: float = Field(0.0, ge=0, le=10)
    """Weight of the Tversky loss (Salehi et al. 2017), which counts missed pixels more; 0:
    without."""
    tversky_beta: float = Field(0.7, ge=0, le=1)
    """What a missed pixel costs in the Tversky loss; a wrong one costs 1 less this."""
    boundary: float = Field(0.0, ge=0, le=10)
    """Weight of the boundary loss (Kervadec et al. 2019), by distance from the outline; 0:
    without."""
    class_weights: tuple[float, ...] = ()
    """Weight of each foreground class, in the order of the categories; empty: all alike."""


class TrainConfig(Config):
    """Everything that decides a training run, but for the data."""

    epochs: int = Field(20, ge=1, le=10_000)
    """Passes over the training samples."""
    batch_size: int = Field(8, ge=1, le=512)
    """Samples per step."""
    learning_rate: float = Field(1e-3, gt=0, le=1)
    """Peak step size of the optimiser (Adam)."""
    image_size: int = Field(256, ge=16, le=2048)
    """Slices are resized to this many pixels on each side; of volumes, patches of this size are
    cut."""
    patch_slices: int = Field(32, ge=2, le=512)
    """Slices of a patch of a volume."""
    loss: Literal["auto", "dice_bce", "dice_ce"] = "auto"
    """Dice + BCE with logits, or Dice + cross-entropy; auto: the second for several classes."""
    schedule: Literal["cosine", "constant"] = "cosine"
    """Learning rate over time: warm-up and a cosine to zero, or constant."""
    warm_up: float = Field(0.03, ge=0, le=0.5)
    """Share of the steps over which the rate of the cosine schedule rises to its peak."""
    patience: int = Field(0, ge=0, le=1000)
    """Stop after this many epochs without a better validation loss; 0 never stops early."""
    min_delta: float = Field(0.001, ge=0, le=1)
    """By how much the validation loss must fall to count as better."""
    ema: float = Field(0.0, ge=0, lt=1)
    """Keep an exponential moving average of the weights with this decay and use it for
    validation and prediction; 0: without."""
    clip: float = Field(12.0, ge=0)
    """Largest norm of the gradient, longer ones are shortened; 0: without."""
    valid_fraction: float = Field(0.2, ge=0, lt=1)
    """Share of patients or scans held out where the data names no validation part."""
    group_pattern: str = ""
    """Regular expression on a sample's path whose first group is the patient; empty: each scan."""
    twins: bool = True
    """Keep slices that are near-copies of each other, mirrored or turned ones too, on one side of
    the split."""
    preview_every: int = Field(1, ge=0, le=1000)
    """Show a validation prediction every so many epochs; 0 shows none."""
    seed: int = Field(0, ge=0)
    """Seed of the split, the weights, the order and the augmentation."""
    deterministic: bool = False
    """Take only operations that give the same bits each time, in float32 unless bfloat16 is asked
    for; slower."""
    freeze: int = Field(0, ge=0, le=7)
    """In fine-tuning, leave so many levels of the contracting path as they are; an encoder trained
    elsewhere counts as one."""
    keep_statistics: bool = False
    """In fine-tuning, leave the means and variances of batch normalisation as they are: a few
    slices, in small batches, tell less about them than the data that the model was trained on."""
    encoder_weights: Path | None = None
    """File with the weights of the encoder, .safetensors or a state dict of torch; empty: train it
    from scratch."""
    replay: float = Field(0.25, ge=0, lt=1)
    """In fine-tuning, share of the samples that is drawn from the data the model was trained on
    before, where they are at hand, so that it does not forget them."""
    device: Device = "auto"
    """Where the network runs; auto takes a GPU where there is one."""
    precision: Precision = "auto"
    """Auto takes bfloat16 where it is measured to be a fifth faster or more."""
    threads: int = Field(0, ge=0, le=256)
    """Processor threads; 0 takes them all."""
    normalise: NormaliseConfig = NormaliseConfig()
    augment: AugmentConfig = AugmentConfig()
    terms: LossConfig = LossConfig()
    model: ModelConfig = ModelConfig()

    @field_validator("encoder_weights", mode="before")
    @classmethod
    def _no_path(cls, value: object) -> object:
        """Read the empty text that files of earlier versions hold."""
        return None if value == "" else value

    @model_validator(mode="after")
    def _size_fits_depth(self) -> Self:
        sizes = {"image_size": self.image_size}
        if self.model.dimensions == 3:
            sizes["patch_slices"] = self.patch_slices
        step = 2**self.model.depth
        for name, size in sizes.items():
            if self.model.padded and (size % step or size < 2 * step):
                kind = "no multiple" if size % step else "not twice"
                raise ValueError(
                    f"{name} {size} is {kind} of {step}, which a depth of {self.model.depth} "
                    f"needs; take {max(2, size // step) * step}"
                )
        return self

    @model_validator(mode="after")
    def _weights_have_an_encoder(self) -> Self:
        if self.encoder_weights and not self.model.encoder:
            raise ValueError(
                "encoder_weights are given but no encoder; set model.encoder to the one they are of"
            )
        return self

    @model_validator(mode="after")
    def _frozen_levels_exist(self) -> Self:
        if self.freeze > self.model.depth + 1:
            raise ValueError(
                f"freeze {self.freeze} is more than the {self.model.depth + 1} levels of the "
                "model; take fewer"
            )
        return self
