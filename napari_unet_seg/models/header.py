"""The header of a checkpoint, readable without torch."""

from __future__ import annotations

import json
import struct
from typing import TYPE_CHECKING, Any, Self

from pydantic import Field, FiniteFloat, model_validator

from napari_unet_seg.config import Category, ModelConfig, NormaliseConfig, Stored, Version
from napari_unet_seg.errors import CheckpointError, ConfigError, NewerVersionError

if TYPE_CHECKING:
    from pathlib import Path

HEADER_KEY = "napari_unet_seg"
_LARGEST_HEADER = 100 * 2**20


class CheckpointInfo(Stored):
    """Header of a checkpoint."""

    format: Version = "1.2"
    version: str
    """Version of the package that wrote it."""
    model: ModelConfig
    categories: tuple[Category, ...] = Field(min_length=1)
    normalise: NormaliseConfig
    sequences: tuple[str, ...] = ()
    """Names of the sequences that the input channels are, in order; empty if they have none."""
    image_size: int = Field(ge=1)
    """Pixels on each side of the slices or patches it was trained on."""
    patch_slices: int = Field(1, ge=1)
    """Slices of the patches of a network of volumes."""
    summary: dict[str, Any] = Field(default_factory=dict)
    """Training data and options, for the model card."""
    metrics: dict[str, float] = Field(default_factory=dict)
    """Metrics on the validation samples; empty if no samples were held out."""
    calibration: tuple[tuple[FiniteFloat, FiniteFloat], ...] = ()
    """Knots from the expected Dice of a slice to the Dice that held-out slices had; see
    `inference.predicted_dice`. Without knots the Dice of a mask is not known."""
    calibration_prior: float = Field(1e-3, gt=0, le=1)
    """Prior of the expected Dice that the calibration was fitted to; of format 1.1 always this."""
    epoch: int = 0
    parent: str = ""
    """SHA-256 of the checkpoint that the model was fine-tuned from, or empty."""

    @property
    def own_dice(self) -> float | None:
        """Dice on the held-out data of its own training; None if none were held out."""
        return self.metrics.get("dice", self.metrics.get("valid_dice"))

    @property
    def bears_missing(self) -> bool:
        """Whether sequences were left out at random in training."""
        augment = self.summary.get("options", {}).get("augment", {})
        return bool(augment.get("leave_out", 0)) and len(self.sequences) > 1

    @model_validator(mode="after")
    def _sequences_are_the_channels(self) -> Self:
        if len(self.sequences) not in (0, self.model.in_channels):
            raise ValueError(
                f"it names {len(self.sequences)} sequences for {self.model.in_channels} channels"
            )
        return self

    @model_validator(mode="after")
    def _categories_fit_classes(self) -> Self:
        # A network of prompts has one class, whatever the categories of its training data.
        if not self.model.prompts and len(self.categories) != self.model.classes:
            raise ValueError(
                f"it has {len(self.categories)} categories for {self.model.classes} classes"
            )
        return self


def read_header(path: Path) -> CheckpointInfo:
    """Read a checkpoint's header (safetensors format: its length, then JSON, then the tensors).

    Raises
    ------
    CheckpointError
        If the file is missing, truncated, or not a checkpoint of this package.
    """
    if path.exists() and not (path.is_file() or path.is_dir()):
        raise CheckpointError(f"The model {path} is a pipe or a device; choose a file.")
    try:
        with path.open("rb") as file:
            (length,) = struct.unpack("<Q", file.read(8))
            if not 2 <= length <= _LARGEST_HEADER:
                raise ValueError("no header")
            header = json.loads(file.read(length))
        metadata = json.loads(header["__metadata__"][HEADER_KEY])
        _check_whole(path, header, length)
        return CheckpointInfo.parse(metadata, f"The model {path}")
    except NewerVersionError as error:
        raise CheckpointError(str(error)) from error
    except OSError as error:
        raise CheckpointError(
            f"The model {path} cannot be opened ({error.strerror}); choose another file."
        ) from error
    except (ConfigError, ValueError, LookupError, TypeError, RecursionError, struct.error) as error:
        reason = f" ({_reason(error)})" if isinstance(error, ConfigError) else ""
        raise CheckpointError(
            f"{path} is not a model of this plugin{reason}; choose a run folder, or a .safetensors "
            "file that a training of this plugin wrote."
        ) from error


def _reason(error: ConfigError) -> str:
    """Return what is wrong in a header, without the file's name."""
    return str(error).partition(": ")[2].rstrip(".")


def _check_whole(path: Path, header: dict[str, Any], length: int) -> None:
    ends = [v["data_offsets"][1] for k, v in header.items() if k != "__metadata__"]
    expected = 8 + length + max(ends, default=0)
    if path.stat().st_size < expected:
        raise CheckpointError(
            f"The model {path} is truncated ({path.stat().st_size} of {expected} bytes); "
            "copy it again."
        )
