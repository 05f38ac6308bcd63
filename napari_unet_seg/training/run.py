"""A training run on disk: settings, split, history and checkpoints."""

from __future__ import annotations

import csv
import json
import math
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from napari_unet_seg import __version__
from napari_unet_seg.config import TrainConfig
from napari_unet_seg.errors import CheckpointError, DataError, SegmentationError
from napari_unet_seg.io.disk.files import atomic, reading, within
from napari_unet_seg.io.disk.temporary import in_use, remove_litter
from napari_unet_seg.models.header import CheckpointInfo, read_header

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from napari_unet_seg.data.samples import Split
    from napari_unet_seg.events import EpochEnd
    from napari_unet_seg.training.loop import TrainingLoop

LEFT_OUT = "left_out"
"""Samples that are neither trained nor validated on, in `split.json`."""
_HISTORY = (
    "epoch",
    "train_loss",
    "valid_loss",
    "valid_dice",
    "learning_rate",
    "is_best",
    "seconds",
)
_FILES = (
    "config.yaml",
    "split.json",
    "history.csv",
    "best.safetensors",
    "last.safetensors",
    "preview",
)


@dataclass(frozen=True, slots=True)
class Run:
    """Folder of a training run: its checkpoints, and its configuration, split and history."""

    folder: Path

    @property
    def best(self) -> Path:
        """The checkpoint with the best validation Dice."""
        return self.folder / "best.safetensors"

    @property
    def last(self) -> Path:
        """The newest checkpoint, with the optimiser's state."""
        return self.folder / "last.safetensors"

    @property
    def preview(self) -> Path:
        """Folder of validation predictions."""
        return self.folder / "preview"

    @property
    def holds_model(self) -> bool:
        """Whether there is a checkpoint, which no other training may replace."""
        # A full disk can leave a run with only one of the checkpoints.
        return self.best.exists() or self.last.exists()

    @property
    def can_resume(self) -> bool:
        """Whether there is a checkpoint to resume from."""
        return self.last.is_file()

    def unfinished(self) -> str:
        """Return how far a run came that has epochs left, `epoch 3 of 40`.

        Returns
        -------
        str
            Empty if the run has ended, or the folder holds no run that can be resumed.
        """
        if not self.can_resume:
            return ""
        try:
            config = TrainConfig.from_file(self.folder / "config.yaml")
            info = read_header(self.last)
        except SegmentationError:
            return ""  # damaged, so that it cannot be resumed
        stalled = info.summary.get("progress", {}).get("epochs_without_gain", 0)
        left = has_next_epoch(config, info.epoch, stalled)
        return f"epoch {info.epoch} of {config.epochs}" if left else ""

    @contextmanager
    def in_use(self) -> Iterator[None]:
        """Mark the folder as in use until the block ends; remove what killed trainings left."""
        with in_use(self.folder, folder=True):
            remove_litter(self.folder)
            remove_litter(self.preview)
            yield

    def check_resumable(self, info: CheckpointInfo, tensors: Iterable[str]) -> None:
        """Raise CheckpointError if the run cannot be resumed from a checkpoint.

        Parameters
        ----------
        info : CheckpointInfo
            Header of the checkpoint.
        tensors : iterable of str
            Names of its tensors.
        """
        if not any(key.startswith("optimiser.") for key in tensors):
            raise CheckpointError(
                f"The checkpoint given for the run {self.folder} holds no optimiser state; "
                "resume from last.safetensors."
            )
        if not {"precision", "progress"} <= info.summary.keys():
            raise CheckpointError(
                f"The run {self.folder} was written by version {info.version} of this plugin "
                "without the state that resuming needs; fine-tune its model, or train a new run."
            )

    def inside(self, name: str) -> Path:
        """Return the path of a file to write in the folder of the run; see `files.within`."""
        return within(self.folder, self.folder / name)

    def check_links(self) -> None:
        """Raise WriteError if a link leads a file of the run out of its folder."""
        for name in _FILES:
            self.inside(name)

    def start(self, config: TrainConfig, split: dict[str, Any]) -> None:
        """Create the folder and write the configuration and the split.

        Raises
        ------
        DataError
            If the folder cannot be created.
        """
        try:
            self.inside(self.preview.name).mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise DataError(
                f"The run folder {self.folder} cannot be created ({error.strerror}); choose "
                "another output folder."
            ) from error
        with atomic(self.inside("config.yaml")) as path:
            config.to_file(path)
        with atomic(self.inside("split.json")) as path:
            path.write_text(json.dumps(split, indent=1) + "\n", encoding="utf-8")

    def split(self) -> dict[str, list[str]]:
        """Read the names of the samples of each split.

        Raises
        ------
        DataError
            If the file is missing or damaged.
        """
        path = self.folder / "split.json"
        with reading(path, "JSON"):
            splits: dict[str, list[str]] = json.loads(path.read_text(encoding="utf-8"))
            if not all(isinstance(splits[name], list) for name in ("train", "valid")):
                raise ValueError("train and valid are not lists")
        return splits

    def split_of(self) -> dict[str, Split]:
        """Read the split of each sample by its name; of those that were left out `test`.

        Raises
        ------
        DataError
            If the file is missing or damaged.
        """
        stored = self.split().items()
        splits: dict[str, Any] = {name: split for split, names in stored for name in names}
        return {name: "test" if split == LEFT_OUT else split for name, split in splits.items()}

    def history(self, epochs: int) -> list[dict[str, str]]:
        """Read the rows of the history up to an epoch, as text; no rows if there is no file."""
        path = self.folder / "history.csv"
        if not path.is_file():
            return []
        with reading(path, "CSV"), path.open(newline="", encoding="utf-8") as file:
            return [row for row in csv.DictReader(file) if int(row["epoch"]) <= epochs]

    def write_history(self, rows: Iterable[dict[str, str]]) -> None:
        """Write the whole history, atomically."""
        with (
            atomic(self.inside("history.csv")) as path,
            path.open("w", newline="", encoding="utf-8") as file,
        ):
            writer = csv.DictWriter(file, _HISTORY)
            writer.writeheader()
            writer.writerows(rows)


def has_next_epoch(config: TrainConfig, epoch: int, epochs_without_gain: int) -> bool:
    """Whether a run continues after an epoch: neither its last epoch nor its patience has ended."""
    return epoch < config.epochs and not 0 < config.patience <= epochs_without_gain


def history_row(epoch: EpochEnd) -> dict[str, str]:
    """Return the metrics of one epoch as text; floats with all digits, to compare runs exactly."""
    return {name: repr(getattr(epoch, name)) for name in _HISTORY}


def header_of(loop: TrainingLoop) -> CheckpointInfo:
    """Return the header of a checkpoint of the present state of a run."""
    progress = {
        **loop.best.progress(),
        "lowest_loss": loop.lowest_loss,
        "epochs_without_gain": loop.epochs_without_gain,
    }
    metrics = {"valid_dice": loop.best.dice, "train_loss": loop.train_loss}
    return CheckpointInfo(
        version=__version__,
        model=loop.config.model,
        categories=loop.samples.categories,
        normalise=loop.config.normalise,
        sequences=loop.samples.sequences,
        image_size=loop.config.image_size,
        patch_slices=loop.config.patch_slices if loop.config.model.dimensions == 3 else 1,
        summary={
            "source": loop.samples.source,
            "train": len(loop.splits["train"]),
            "valid": len(loop.splits["valid"]),
            "options": loop.config.model_dump(mode="json", exclude={"model", "normalise"}),
            "precision": str(loop.trainer.dtype).removeprefix("torch."),
            "progress": {k: v for k, v in progress.items() if v != math.inf},
        },
        metrics={k: v for k, v in metrics.items() if math.isfinite(v)},
        calibration=loop.calibration.knots,
        calibration_prior=loop.calibration.prior,
        epoch=loop.epoch,
        parent=loop.parent,
    )
