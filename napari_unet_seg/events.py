"""Events of the engine: frozen dataclasses of floats, strings, paths and numpy arrays."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from napari_unet_seg.arrays import Array
    from napari_unet_seg.config import Category


class Command(Enum):
    """Command that a front end may send into a running generator, at any event."""

    STOP = "stop"


@dataclass(frozen=True, slots=True)
class TrainStarted:
    """The data are in memory and the first step is about to run."""

    run: Path
    """Folder of the run."""
    train: int
    """Number of training samples."""
    valid: int
    """Number of validation samples."""
    epochs: int
    steps: int
    """Steps per epoch."""
    device: str
    notes: tuple[str, ...] = ()
    """Notes for the user, for example that no scan is held out for validation."""
    recipe: str = ""
    """Sentence on the recipe that fine-tuning has chosen, and why; empty if the user chose it."""


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
    """One epoch is trained and validated; validation metrics are NaN if no scan is held out."""

    epoch: int
    train_loss: float
    valid_loss: float
    valid_dice: float
    """Mean Dice over validation scans and classes that occur in the truth or the prediction."""
    learning_rate: float
    is_best: bool
    seconds: float


@dataclass(frozen=True, slots=True, eq=False)
class Preview:
    """A validation slice with its truth and the network's labels, all of shape (Y, X)."""

    epoch: int
    name: str
    image: Array
    """uint8 grey values."""
    truth: Array
    """uint8 label values."""
    labels: Array
    """uint8 label values."""


@dataclass(frozen=True, slots=True, eq=False)
class AugmentationPreview:
    """A few augmented samples, as the training uses them."""

    names: tuple[str, ...]
    images: Array
    """uint8 of shape (N, Y, X)."""
    masks: Array
    """uint8 label values of shape (N, Y, X)."""


@dataclass(frozen=True, slots=True)
class CheckpointSaved:
    """A checkpoint file has been written completely."""

    path: Path
    kind: str
    """`best` or `last`."""
    epoch: int


@dataclass(frozen=True, slots=True)
class TrainFinished:
    """Training ended; `stopped` is True if the user stopped it early."""

    best: Path
    last: Path
    epochs: int
    best_epoch: int
    """0 if no epoch was better on the held-out samples, beyond chance, than the model that the
    training started from, whose weights `best` then holds."""
    valid_dice: float
    stopped: bool

    @property
    def is_unchanged(self) -> bool:
        """Whether the best model is the one that the training started from."""
        return self.best_epoch == 0


@dataclass(frozen=True, slots=True)
class PredictStarted:
    """The network is ready to predict `count` tiles or slices."""

    device: str
    precision: str
    count: int


@dataclass(frozen=True, slots=True)
class DeviceFallback:
    """Memory ran out; prediction continues in smaller batches or on the CPU, see `message`."""

    device: str
    batch_size: int
    message: str


@dataclass(frozen=True, slots=True)
class TileDone:
    """`index` of `count` tiles or slices are predicted; 0 while the scan is still being read."""

    index: int
    count: int


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Parts of a mask that were removed."""

    parts: int = 0
    voxels: int = 0

    def __add__(self, other: LeftOut) -> LeftOut:
        """Sum up."""
        return LeftOut(self.parts + other.parts, self.voxels + other.voxels)


@dataclass(frozen=True, slots=True, eq=False)
class PredictFinished:
    """The result on the scan's own grid, without its channel axis."""

    labels: Array
    """uint8 label values, of the scan's shape."""
    probabilities: Array | None
    """float16 of shape (classes, *labels.shape), or None if not requested."""
    uncertainty: Array | None
    """float16 entropy in bits, of the labels' shape, or None if not requested."""
    disagreement: Array | None
    """float16 standard deviation over the views, of the labels' shape, or None if not requested."""
    dice: Array
    """float32 predicted Dice of each slice, of the shape of the leading axes."""
    categories: tuple[Category, ...]
    device: str
    seconds: float
    left_out: LeftOut = LeftOut()
    """Small parts that were removed from the masks of volumes."""
    outside: LeftOut = LeftOut()
    """Parts of slices outside the brain that were removed."""
    carried: int = 0
    """Parts of volumes that the prompt network outlined anew and carried."""


@dataclass(frozen=True, slots=True, eq=False)
class SlicePredicted:
    """One slice of a scan is predicted."""

    index: int
    """Running number of the slice along the flattened leading axes."""
    labels: Array
    """uint8 label values, of shape (Y, X)."""
    dice: float
    """Predicted Dice of the slice, the same as in a prediction of the whole scan."""
    done: int
    """Number of slices predicted so far."""
    count: int
    """Number of slices to predict."""


@dataclass(frozen=True, slots=True, eq=False)
class HeadFitted:
    """A head was fitted to corrected slices, and compared with its model on held-out ones."""

    slices: int
    """Number of slices; each was held out once."""
    before: float
    """Dice of the model; NaN, as the other, if the slices show nothing."""
    after: float
    """Dice of heads that were fitted without the slice."""
    is_used: bool
    """Whether the head is better and predicts from now on."""
    seconds: float


@dataclass(frozen=True, slots=True, eq=False)
class Refined:
    """Segmentation of the object that prompts mark, in a window; outside it the mask is empty."""

    window: tuple[slice, ...]
    """The predicted part of the image."""
    mask: Array
    """bool, of the window's shape."""
    probabilities: Array
    """float16, of the window's shape."""
    device: str
    seconds: float


@dataclass(frozen=True, slots=True, eq=False)
class SliceCarried:
    """An object is carried to a slice; a later event for the same slice replaces an earlier one."""

    index: int
    """Running number of the slice along the flattened leading axes."""
    mask: Array
    """bool of shape (Y, X)."""
    certainty: float
    """Mean distance of the probabilities from chance on the mask and its border, 0…1."""
    done: int
    """Number of slices that were reached so far."""
    count: int
    """Number of slices that may be reached; the object ends before."""


@dataclass(frozen=True, slots=True, eq=False)
class SliceRefined:
    """The prompts of an object on a slice are answered."""

    number: int
    """Number of the object, from 1."""
    index: int
    """Running number of the slice along the flattened leading axes."""
    mask: Array
    """bool of shape (Y, X); empty if the network found nothing there."""
    certainty: float
    """As that of `SliceCarried`."""
    done: int
    """Number of slices with prompts that are answered so far."""
    count: int
    """Number of slices with prompts of all objects."""


@dataclass(frozen=True, slots=True, eq=False)
class ScanRefined:
    """The objects that prompts mark in a scan, on the scan's own grid."""

    labels: Array
    """uint8 label values, of the scan's shape without its channel axis."""
    certainty: Array
    """float32 certainty of the least certain object of each slice, of the shape of the leading
    axes; NaN where there is none."""
    categories: tuple[Category, ...]
    device: str
    seconds: float


@dataclass(frozen=True, slots=True)
class Progress:
    """Parts of a job that are done."""

    done: int
    count: int
    """Number of all parts; 0 while it is not known."""


@dataclass(frozen=True, slots=True)
class ItemDone:
    """One of several items is processed; `index` starts at 1, `problem` is empty on success."""

    index: int
    count: int
    name: str
    problem: str = ""


@dataclass(frozen=True, slots=True)
class SampleMeasured:
    """A checkpoint was measured on one sample; `index` starts at 1."""

    index: int
    count: int
    name: str


@dataclass(frozen=True, slots=True)
class Evaluated:
    """Mean metrics of a checkpoint over samples with their truth."""

    checkpoint: Path
    dice: float
    """Mean over samples and categories that occur in truth or prediction; NaN if there are none."""
    iou: float
    samples: int
    empty: int
    """Number of pairs of sample and category without Dice, since both masks are empty."""


@dataclass(frozen=True, slots=True)
class DiceChange:
    """Mean Dice of a model before and after fine-tuning; None if it could not be measured."""

    before: float | None
    after: float | None
    samples: int


@dataclass(frozen=True, slots=True)
class FineTuned:
    """The result of fine-tuning."""

    finished: TrainFinished
    new: DiceChange
    """Gain on the held-out samples of the new data."""
    old: DiceChange | None
    """Loss on held-out samples of the previous data; None if these data cannot be read."""
    train: int
    """Number of new training samples."""
    replayed: int
    """Number of replayed samples of the previous data."""


TrainEvent = (
    ItemDone | TrainStarted | BatchEnd | EpochEnd | Preview | CheckpointSaved | TrainFinished
)
RefineEvent = SliceRefined | SliceCarried | DeviceFallback | ScanRefined
PredictEvent = PredictStarted | DeviceFallback | TileDone | PredictFinished
