"""Frozen configurations, the one place where an option is written.

Forms, files and the program's options are all generated from these models.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Literal, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from napari_unet_seg.errors import ConfigError

IGNORE_INDEX = 255
"""Label value of pixels that nobody has reviewed; losses and metrics leave them out."""

Device = Literal["auto", "cpu", "cuda", "mps"]
Precision = Literal["auto", "float32", "bfloat16"]


class Config(BaseModel):
    """Base of the configurations: frozen, and strict about unknown keys."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    def replace(self, **changes: Any) -> Self:
        """Return a validated copy with some fields changed.

        Raises
        ------
        ConfigError
            If a changed value is not allowed.
        """
        return type(self).parse({**self.model_dump(), **changes}, "the settings")

    @classmethod
    def parse(cls, values: Any, source: str) -> Self:
        """Validate `values`; `source` names where they came from in the error message."""
        try:
            return cls.model_validate(values)
        except ValidationError as error:
            first = error.errors()[0]
            key = ".".join(str(part) for part in first["loc"]) or "the whole"
            unknown = first["type"] == "extra_forbidden"
            problem = "there is no such setting; correct or remove it" if unknown else first["msg"]
            raise ConfigError(f"{source}: {key}: {problem}.") from error

    @classmethod
    def from_file(cls, path: Path | str) -> Self:
        """Read a YAML or JSON file.

        Raises
        ------
        ConfigError
            If the file cannot be read or holds an unknown or unusable value.
        """
        path = Path(path)
        try:
            values = yaml.safe_load(path.read_text(encoding="utf-8"))
        except OSError as error:
            raise ConfigError(
                f"{path} cannot be read ({error.strerror}); check its name and its permissions."
            ) from error
        except (ValueError, RecursionError, yaml.YAMLError) as error:
            reason = " ".join(str(error).split())[:200]
            raise ConfigError(
                f"{path} cannot be read as YAML or JSON ({reason}); correct "
                "it there or choose another file."
            ) from error
        return cls.parse(values or {}, str(path))

    def to_file(self, path: Path | str) -> None:
        """Write YAML, or JSON where the name ends with `.json`."""
        path = Path(path)
        values = self.model_dump(mode="json")
        if path.suffix == ".json":
            text = json.dumps(values, indent=2) + "\n"
        else:
            text = yaml.safe_dump(values, sort_keys=False)
        path.write_text(text, encoding="utf-8")


class Category(Config):
    """A COCO category; its place in a sequence of categories, from 1, is its label value."""

    id: int
    name: str
    supercategory: str = ""


class CocoOptions(Config):
    """How masks are written as COCO."""

    segmentation: Literal["auto", "rle", "polygons"] = "auto"
    """Auto: polygons along the pixel edges, and RLE for masks with holes. RLE: always. Polygons:
    always; masks with holes are cut into pieces side by side."""
    tolerance: float = Field(0.0, ge=0, le=10)
    """By how many pixels a polygon may be off for having fewer corners; 0 keeps every pixel."""
    neighbours: Literal[8, 4] = 8
    """Of a mask of categories: whether pixels that touch at a corner alone are one object (8) or
    two (4)."""


class ModelConfig(Config):
    """A U-Net after Ronneberger et al. 2015 (arXiv:1505.04597), with padded convolutions."""

    in_channels: int = Field(1, ge=1, le=16)
    """Channels of the input image; colour images are turned to grey for one."""
    classes: int = Field(1, ge=1, le=254)
    """Foreground classes; follows the categories of the data when training starts."""
    head: Literal["sigmoid", "softmax"] = "sigmoid"
    """Sigmoid: one logit per class. Softmax: one logit per class and one for background."""
    width: int = Field(16, ge=4, le=128)
    """Channels of the first level; each level down doubles them."""
    depth: int = Field(4, ge=1, le=6)
    """How often the image is halved."""
    activation: Literal["leaky_relu", "relu"] = "leaky_relu"
    """Activation after each batch norm."""
    downsampling: Literal["average", "max"] = "average"
    """Pooling between the levels of the contracting path."""
    upsampling: Literal["bilinear", "transposed"] = "bilinear"
    """How the expansive path doubles the resolution."""
    dilation: int = Field(1, ge=1, le=4)
    """Dilation of the 3×3 convolutions; padding grows with it."""
    dropout: float = Field(0.0, ge=0, lt=1)
    """Share of channels dropped at the two deepest levels in training."""


class NormaliseConfig(Config):
    """Intensity window: percentiles over a scan without its background become 0 and 1."""

    low: float = Field(1.0, ge=0, lt=50)
    """Percentile that becomes black."""
    high: float = Field(99.5, gt=50, le=100)
    """Percentile that becomes white."""


class AugmentConfig(Config):
    """Random changes of training samples, small ones by default as patients move little."""

    translate: bool = True
    """Shift the sample at random."""
    translation: float = Field(0.1, gt=0, le=0.5)
    """Largest shift, as a share of the image's size."""
    rotate: bool = True
    """Rotate the sample at random."""
    rotation: float = Field(5.0, gt=0, le=180)
    """Largest rotation in degrees, to both sides."""
    scale: bool = False
    """Zoom in or out by up to 15 %."""
    flip: bool = False
    """Mirror left-right and up-down, each with probability one half."""
    gamma: bool = False
    """Change the contrast by a random gamma between 0.7 and 1.4."""


class TrainConfig(Config):
    """Everything that decides a training run, but for the data."""

    epochs: int = Field(20, ge=1, le=10_000)
    """Passes over the training samples."""
    batch_size: int = Field(8, ge=1, le=512)
    """Samples per step."""
    learning_rate: float = Field(1e-3, gt=0, le=1)
    """Peak step size of the optimiser (Adam)."""
    image_size: int = Field(256, ge=32, le=2048, multiple_of=16)
    """Slices are resized to this many pixels on each side."""
    loss: Literal["auto", "dice_bce", "dice_ce"] = "auto"
    """Dice + BCE with logits, or Dice + cross-entropy; auto: the second for several classes."""
    schedule: Literal["cosine", "constant"] = "cosine"
    """Learning rate over time: a short warm-up and a cosine to zero, or constant."""
    patience: int = Field(0, ge=0, le=1000)
    """Stop after this many epochs without a better validation loss; 0 never stops early."""
    valid_fraction: float = Field(0.2, ge=0, lt=1)
    """Share of patients or scans held out where the data names no validation part."""
    group_pattern: str = ""
    """Regular expression on a sample's name whose first group is the patient; empty: each scan."""
    preview_every: int = Field(1, ge=0, le=1000)
    """Show a validation prediction every so many epochs; 0 shows none."""
    seed: int = Field(0, ge=0)
    """Seed of the split, the weights, the order and the augmentation."""
    device: Device = "auto"
    """Where the network runs; auto takes a GPU where there is one."""
    precision: Precision = "auto"
    """Auto takes bfloat16 only where the processor computes with it natively."""
    threads: int = Field(0, ge=0, le=256)
    """Processor threads; 0 takes them all."""
    normalise: NormaliseConfig = NormaliseConfig()
    augment: AugmentConfig = AugmentConfig()
    model: ModelConfig = ModelConfig()

    @model_validator(mode="after")
    def _size_fits_depth(self) -> Self:
        step = 2**self.model.depth
        if self.image_size % step:
            raise ValueError(
                f"image_size {self.image_size} is no multiple of {step}, which a depth of "
                f"{self.model.depth} needs; take {self.image_size // step * step or step}"
            )
        return self


class PredictConfig(Config):
    """How a checkpoint is applied to a scan."""

    threshold: float = Field(0.5, gt=0, lt=1)
    """Pixels at least this probable belong to a class (sigmoid heads)."""
    resample: bool = True
    """Resize slices to the size the model was trained at; otherwise tile them at their own size."""
    overlap: float = Field(0.25, ge=0, le=0.9)
    """Overlap of neighbouring tiles, as a share of a tile."""
    batch_size: int = Field(2, ge=1, le=256)
    """Slices or tiles per pass through the network; halved when memory runs out."""
    probabilities: bool = False
    """Keep the probability map."""
    uncertainty: bool = False
    """Keep the entropy of the probabilities, in bits."""
    device: Device = "auto"
    """Where the network runs; auto takes a GPU where there is one."""
    precision: Precision = "auto"
    """Auto takes bfloat16 only where the processor computes with it natively."""
    threads: int = Field(0, ge=0, le=256)
    """Processor threads; 0 takes them all."""


PRESETS: dict[str, TrainConfig] = {
    "fast-cpu": TrainConfig(),
    "base": TrainConfig(
        batch_size=16,
        learning_rate=1e-4,
        image_size=224,
        schedule="constant",
        patience=3,
        model=ModelConfig(width=64, activation="relu", downsampling="max"),
    ),
    "optimised": TrainConfig(
        batch_size=16,
        learning_rate=1e-4,
        image_size=224,
        schedule="constant",
        patience=3,
        model=ModelConfig(width=64, downsampling="average", dilation=2),
    ),
}
"""Named starting points: `fast-cpu` for a laptop, the others after the published nets."""

FINE_TUNE = TrainConfig(epochs=10, batch_size=4, learning_rate=2e-4)
"""Where fine-tuning starts: few epochs and small steps, since the net knows most of it already."""
