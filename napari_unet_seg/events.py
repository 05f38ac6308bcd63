"""What the engine tells: frozen facts of floats, strings, paths and numpy arrays."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np

    from napari_unet_seg.config import Category

    Array = np.ndarray[Any, np.dtype[Any]]


class Command(Enum):
    """What a front end may send into a running generator of events, at any event."""

    STOP = "stop"


@dataclass(frozen=True, slots=True)
class TrainStarted:
    """The data are cached and the first step is about to run."""

    run: Path
    train: int
    valid: int
    epochs: int
    steps: int
    """Steps per epoch."""
    device: str
    notes: tuple[str, ...] = ()
    """What the user should know, a validation set that is empty for example."""


@dataclass(frozen=True, slots=True)
class BatchEnd:
    """One optimiser step is done; counts start at 1."""

    epoch: int
    step: int
    steps: int
    loss: float
    samples_per_second: float
    seconds_left: float


@dataclass(frozen=True, slots=True)
class EpochEnd:
    """One epoch is trained and validated; validation figures are NaN where none is held out."""

    epoch: int
    train_loss: float
    valid_loss: float
    valid_dice: float
    """Mean Dice per validation slice that holds the class, as labels."""
    learning_rate: float
    is_best: bool
    seconds: float


@dataclass(frozen=True, slots=True, eq=False)
class Preview:
    """A validation slice with its truth and the network's labels, all of shape (Y, X)."""

    epoch: int
    name: str
    image: Array
    truth: Array
    labels: Array


@dataclass(frozen=True, slots=True, eq=False)
class Augmented:
    """A few samples as a training would see them."""

    names: tuple[str, ...]
    images: Array
    """uint8 of shape (N, Y, X)."""
    masks: Array
    """uint8 label values of shape (N, Y, X)."""


@dataclass(frozen=True, slots=True)
class CheckpointSaved:
    """A checkpoint file is whole on disk."""

    path: Path
    kind: str
    """`best` or `last`."""
    epoch: int


@dataclass(frozen=True, slots=True)
class TrainFinished:
    """Training ended; `stopped` tells that it ended early by the user's wish."""

    best: Path
    last: Path
    epochs: int
    best_epoch: int
    valid_dice: float
    stopped: bool


@dataclass(frozen=True, slots=True)
class PredictStarted:
    """The network is ready; `count` tiles or batches of slices will follow."""

    device: str
    precision: str
    count: int


@dataclass(frozen=True, slots=True)
class DeviceFallback:
    """Memory ran out, and the work goes on in a smaller way; `message` is for the user."""

    device: str
    batch_size: int
    message: str


@dataclass(frozen=True, slots=True)
class TileDone:
    """One tile or batch of slices is predicted; `index` is 0 while the scan is still read."""

    index: int
    count: int


@dataclass(frozen=True, slots=True, eq=False)
class PredictFinished:
    """The result on the scan's own grid, without its channel axis."""

    labels: Array
    """uint8 label values, of the scan's shape."""
    probabilities: Array | None
    """float16 of shape (classes, *labels.shape), or None where not asked for."""
    uncertainty: Array | None
    """float16 entropy in bits, of the labels' shape, or None where not asked for."""
    disagreement: Array | None
    """float16 standard deviation over the views, likewise."""
    dice: Array
    """float32, one figure a slice of the scan: the Dice that its mask is likely to have."""
    categories: tuple[Category, ...]
    device: str
    seconds: float


@dataclass(frozen=True, slots=True, eq=False)
class SlicePredicted:
    """One slice of a scan, counted along its leading axes flattened."""

    index: int
    labels: Array
    """uint8 label values, of shape (Y, X)."""
    dice: float
    """The Dice that its mask is likely to have."""
    done: int
    count: int


@dataclass(frozen=True, slots=True, eq=False)
class Refined:
    """What the prompts on an image mean; outside the window nothing does."""

    window: tuple[slice, ...]
    """The part of the image that the answer is of."""
    mask: Array
    """bool, of the window's shape."""
    probabilities: Array
    """float16, of the window's shape."""
    device: str
    seconds: float


@dataclass(frozen=True, slots=True)
class ItemDone:
    """One of many files is done; `index` starts at 1, `problem` is empty if it went well."""

    index: int
    count: int
    name: str
    problem: str = ""


@dataclass(frozen=True, slots=True)
class SampleMeasured:
    """A checkpoint was compared with the truth of one sample; `index` starts at 1."""

    index: int
    count: int
    name: str


@dataclass(frozen=True, slots=True)
class Evaluated:
    """Mean figures of a checkpoint over samples with their truth."""

    checkpoint: Path
    dice: float
    """Mean over samples and categories that are in the truth or the prediction; else NaN."""
    iou: float
    samples: int
    empty: int
    """Pairs of sample and category left out, since both masks are empty."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """Mean Dice of a model before and after fine-tuning; None where it could not be measured."""

    before: float | None
    after: float | None
    samples: int


@dataclass(frozen=True, slots=True)
class FineTuned:
    """What fine-tuning brought."""

    finished: TrainFinished
    new: Comparison
    """On the held-out samples of the new data: what was gained."""
    old: Comparison | None
    """On held-out samples of the earlier data: what was lost; None where they are not at hand."""
    train: int
    """New samples that were trained on."""
    replayed: int
    """Earlier samples that were trained on again."""


TrainEvent = (
    ItemDone | TrainStarted | BatchEnd | EpochEnd | Preview | CheckpointSaved | TrainFinished
)
PredictEvent = PredictStarted | DeviceFallback | TileDone | PredictFinished
