"""Configuration of a training run."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, Self

from pydantic import Field, field_validator, model_validator

from napari_unet_seg.config._augment import AugmentConfig
from napari_unet_seg.config._base import Config, Device, Precision
from napari_unet_seg.config._model import ModelConfig


class NormaliseConfig(Config):
    """Intensity window: two intensities become 0 and 1, values outside are clipped."""

    window: Literal["percentile", "range"] = "percentile"
    """Percentile: of a scan without its background. Range: per cent of the range of the file's data
    type, which is 255 for 8 bits; the same for every scan."""
    low: float = Field(1.0, ge=0, lt=50)
    """Percentile, or per cent of the range, that becomes black."""
    high: float = Field(99.5, gt=50, le=100)
    """Percentile, or per cent of the range, that becomes white."""
    per_channel: bool = False
    """A window for each channel, as several sequences always get; colours share one."""


class LossConfig(Config):
    """Weights of loss terms in addition to Dice and cross-entropy, and weights of classes."""

    focal: float = Field(0.0, ge=0, le=10)
    """Weight of the focal loss (Lin et al. 2017), which emphasises hard pixels; 0: without."""
    tversky: float = Field(0.0, ge=0, le=10)
    """Weight of the Tversky loss (Salehi et al. 2017), which counts missed pixels more; 0:
    without."""
    tversky_beta: float = Field(0.7, ge=0, le=1)
    """Cost of a missed pixel in the Tversky loss; a false positive pixel costs 1 minus this."""
    boundary: float = Field(0.0, ge=0, le=10)
    """Weight of the boundary loss (Kervadec et al. 2019), by distance from the outline; 0:
    without."""
    class_weights: tuple[float, ...] = ()
    """Weight of each foreground class, in the order of the categories; empty: equal weights."""


class TrainConfig(Config):
    """Configuration of a training run: everything except the data."""

    epochs: int = Field(20, ge=1, le=10_000)
    """Passes over the training samples."""
    batch_size: int = Field(8, ge=1, le=512)
    """Samples per step."""
    learning_rate: float = Field(1e-3, gt=0, le=1)
    """Peak step size of the optimiser (Adam)."""
    image_size: int = Field(256, ge=16, le=2048)
    """Slices are resized to this many pixels on each side; patches of volumes have this height and
    width."""
    patch_slices: int = Field(32, ge=2, le=512)
    """Slices of a patch of a volume."""
    loss: Literal["auto", "dice_bce", "dice_ce"] = "auto"
    """Dice + BCE with logits, or Dice + cross-entropy; auto: the latter for several classes."""
    schedule: Literal["cosine", "constant"] = "cosine"
    """Learning rate over time: warm-up and a cosine to zero, or constant."""
    warm_up: float = Field(0.03, ge=0, le=0.5)
    """Share of the steps over which the rate of the cosine schedule rises to its peak."""
    patience: int = Field(0, ge=0, le=1000)
    """Stop after this many epochs without a better validation loss; 0 never stops early."""
    min_delta: float = Field(0.001, ge=0, le=1)
    """Smallest decrease of the validation loss that counts as better."""
    ema: float = Field(0.0, ge=0, lt=1)
    """Keep an exponential moving average of the weights with this decay and use it for
    validation and prediction; 0: without."""
    clip: float = Field(12.0, ge=0)
    """Largest norm of the gradient, to which larger gradients are scaled; 0: without."""
    valid_fraction: float = Field(0.2, ge=0, lt=1)
    """Share of patients or scans held out, if the data set has no validation split."""
    group_pattern: str = ""
    """Regular expression on a sample's path whose first group is the patient; empty: each scan."""
    twins: bool = True
    """Keep near-copies of a slice, also mirrored or rotated, in one split."""
    preview_every: int = Field(1, ge=0, le=1000)
    """Number of epochs between previews of a validation prediction; 0: no previews."""
    seed: int = Field(0, ge=0)
    """Seed of the split, the weights, the order and the augmentation."""
    deterministic: bool = False
    """Use only operations with bitwise reproducible results, in float32 unless precision is
    bfloat16; slower."""
    freeze: int = Field(0, ge=0, le=7)
    """Number of levels of the contracting path that fine-tuning does not change; a pretrained
    encoder is one level."""
    keep_statistics: bool = False
    """Do not change the means and variances of batch normalisation in fine-tuning: a few slices in
    small batches estimate them worse than the data that the model was trained on."""
    encoder_weights: Path | None = None
    """File with the weights of the encoder, .safetensors or a state dict of torch; empty: train it
    from scratch."""
    recipe: Literal["auto", "gentle", "thorough"] = "gentle"
    """Fine-tuning with the settings as they are (gentle), or with large steps, more augmentation
    and averaged weights in place of those that nobody has changed (thorough), for a contrast or an
    object that the model does not know. Auto chooses by the model's Dice on the new slices."""
    replay: float = Field(0.25, ge=0, lt=1)
    """Share of the samples in fine-tuning that are drawn from the data that the model was trained
    on, if they can be read, so that the model does not forget them."""
    device: Device = "auto"
    """Device of the network; auto uses a GPU if there is one."""
    precision: Precision = "auto"
    """Auto uses bfloat16 if it is at least a fifth faster."""
    threads: int = Field(0, ge=0, le=256)
    """Number of CPU threads; 0 uses all cores."""
    sequences: tuple[str, ...] = ()
    """Names of the sequences to learn from, each a channel of the network; empty if the data have
    one."""
    normalise: NormaliseConfig = NormaliseConfig()
    augment: AugmentConfig = AugmentConfig()
    terms: LossConfig = LossConfig()
    model: ModelConfig = ModelConfig()

    @field_validator("encoder_weights", mode="before")
    @classmethod
    def _no_path(cls, value: object) -> object:
        """Read the empty text in files of previous versions."""
        return None if value == "" else value

    @field_validator("sequences")
    @classmethod
    def _different_sequences(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        folded = [name.casefold() for name in names]
        if len(set(folded)) < len(folded) or not all(folded):
            raise ValueError("each sequence is named once; remove those that come again")
        return names

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
