"""Writing of a data set in nnU-Net's raw layout.

Source: "Dataset format", "Ignore label" and "How to generate custom splits" in the documentation of
nnU-Net v2 (Isensee et al. 2021).
"""

from __future__ import annotations

import json
import re
import shutil
from collections import Counter
from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np

from napari_unet_seg import log
from napari_unet_seg.errors import DataError, WriteError
from napari_unet_seg.events import ItemDone
from napari_unet_seg.io.common.channels import is_colour
from napari_unet_seg.io.common.counting import counted
from napari_unet_seg.io.common.names import free_name
from napari_unet_seg.io.common.stacking import listed
from napari_unet_seg.io.disk.whole_folder import whole_folder
from napari_unet_seg.io.nnunet.folds import FILE_NAME, folds_of
from napari_unet_seg.io.nnunet.labels import ConsecutiveLabels
from napari_unet_seg.io.nnunet.volumes import (
    ENDING,
    CaseVolumes,
    channels_of,
    shows_colours,
    write_channel,
    write_labels,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Sequence
    from pathlib import Path

    from napari_unet_seg.events import Command

_DATASET = re.compile(r"Dataset\d{3}_.+")


@dataclass(frozen=True, slots=True, eq=False)
class RawCase:
    """A case to write."""

    name: str
    group: str
    """Patient; cases of one patient stay on one side of a fold."""
    split: Literal["train", "valid", "test"] | None
    read: Callable[[], CaseVolumes]


@dataclass(frozen=True, slots=True, eq=False)
class RawSet:
    """A data set to write."""

    cases: tuple[RawCase, ...]
    categories: dict[int, str]
    """Name of each category by its label value, in increasing order."""
    notes: tuple[str, ...] = ()
    """What the user has to know."""


class RawWritten(NamedTuple):
    """A data set that was written."""

    folder: Path
    training: int
    """Number of cases that nnU-Net trains on."""
    test: int
    """Number of other cases, in imagesTs."""
    notes: tuple[str, ...]


def dataset_folder(out: Path, source: Path) -> Path:
    """Return the folder of a new data set: `out` if it has a name of nnU-Net's, else one in it.

    Parameters
    ----------
    out : Path
        Folder `DatasetNNN_NAME`, or the folder of nnU-Net's data sets (`nnUNet_raw`).
    source : Path
        Folder that the data set is made from, which gives the name.
    """
    if _DATASET.fullmatch(out.name):
        return out
    taken = {path.name[7:10] for path in out.glob("Dataset*_*")} if out.is_dir() else set()
    number = next(f"{n:03d}" for n in count(1) if f"{n:03d}" not in taken)
    return out / f"Dataset{number}_{_clean(source.absolute().name) or 'cases'}"


def write_raw(data: RawSet, out: Path) -> Generator[ItemDone | RawWritten, Command | None, None]:
    """Write a data set to a new folder, which appears at the end, with all of its cases.

    Cases without a mask, and those of the split `test`, go to `imagesTs`, which nnU-Net does not
    train on.

    Yields
    ------
    ItemDone
        For every case, with its problem if it is left out; `Command.STOP` stops.
    RawWritten
        At the end, unless stopped.

    Raises
    ------
    DataError
        If no case can be used, the folder exists, or it cannot be written.
    """
    with whole_folder(out) as part:
        writer = _Writer(part, data)
        for index, case in enumerate(data.cases, 1):
            problem = writer.attempt(case)
            command = yield ItemDone(index, len(data.cases), case.name, problem)
            if command is not None:
                shutil.rmtree(part)
                return
        training, test = writer.finish()
    yield RawWritten(out, training, test, (*data.notes, *writer.notes()))


class _Writer:
    """Writes the cases of a data set, then what describes them."""

    def __init__(self, folder: Path, data: RawSet) -> None:
        self._folder, self._data = folder, data
        self._coloured = _are_coloured(data.cases)
        self._labels = ConsecutiveLabels(tuple(data.categories))
        self._channels: tuple[str, ...] = ()
        self._resampled: Counter[str] = Counter()
        self._names: dict[str, RawCase] = {}
        self._trained: dict[str, RawCase] = {}
        self._problem = ""

    def attempt(self, case: RawCase) -> str:
        """Write a case; return why it is left out, or an empty text."""
        try:
            self._write(case)
        except (WriteError, OSError):
            # For example a full disk, which the following cases would meet too.
            raise
        except Exception as error:
            problem = log.problem(error, case.name)
            self._problem = self._problem or problem
            return problem
        return ""

    def finish(self) -> tuple[int, int]:
        """Write the description; return the number of cases to train on and of others.

        Raises
        ------
        DataError
            If there is no case to train on.
        """
        if not self._trained:
            why = f": {self._problem}" if self._problem else "; annotate at least one."
            raise DataError(f"No case of {len(self._data.cases)} has a mask to train on{why}")
        described = {
            "channel_names": {str(i): name for i, name in enumerate(self._channels)},
            "labels": self._labels.named(self._data.categories.values()),
            "numTraining": len(self._trained),
            "file_ending": ENDING,
        }
        self._write_json("dataset.json", described)
        sides = {name: case.split for name, case in self._trained.items()}
        folds = folds_of(sides, {name: case.group for name, case in self._trained.items()})
        if folds:
            self._write_json(FILE_NAME, folds)
        return len(self._trained), len(self._names) - len(self._trained)

    def notes(self) -> tuple[str, ...]:
        """Return a sentence on the sequences that were interpolated; none if there are none."""
        if not self._resampled:
            return ()
        told = [f"{name} of {counted(n, 'case')}" for name, n in self._resampled.items()]
        return (f"Put on the voxels of the mask by linear interpolation: {listed(told)}.",)

    def _write(self, case: RawCase) -> None:
        volumes = case.read()
        channels = channels_of(volumes, coloured=self._coloured)
        labels, described = None, {}
        if volumes.mask is not None:
            what = f"The mask of {case.name}"
            labels = self._labels.renumber(np.asarray(volumes.mask.data), what)
            names, stored = self._data.categories.values(), volumes.mask.meta.get("description")
            described = self._labels.description(names, stored)
        self._check_channels(tuple(channels))
        is_trained = labels is not None and case.split != "test"
        side = "Tr" if is_trained else "Ts"
        name = free_name(_clean(case.name) or "case", self._names)
        for number, channel in enumerate(channels.values()):
            write_channel(self._place(f"images{side}", f"{name}_{number:04d}"), channel)
        if labels is not None:
            write_labels(self._place(f"labels{side}", name), labels, volumes.grid, described)
        self._names[name] = case
        self._resampled.update(volumes.resampled)
        if is_trained:
            self._trained[name] = case

    def _check_channels(self, channels: tuple[str, ...]) -> None:
        self._channels = self._channels or channels
        if channels != self._channels:
            raise DataError(
                f"It has the channels {', '.join(channels)} and the first case "
                f"{', '.join(self._channels)}; nnU-Net needs the same ones in every case."
            )

    def _place(self, folder: str, name: str) -> Path:
        place = self._folder / folder
        place.mkdir(exist_ok=True)
        return place / f"{name}{ENDING}"

    def _write_json(self, name: str, content: Any) -> None:
        text = json.dumps(content, indent=1, ensure_ascii=False)
        (self._folder / name).write_text(text + "\n", encoding="utf-8")


def _are_coloured(cases: Sequence[RawCase]) -> bool:
    """Whether a picture among the cases shows colours; volumes are not searched for any."""
    return any(shows_colours(scan) for scan in _pictures(cases))


def _pictures(cases: Iterable[RawCase]) -> Generator[Any, None, None]:
    for case in cases:
        try:
            scans = list(case.read().sequences.values())
        except Exception:
            continue  # reported when the case is written
        if not any(map(is_colour, scans)):
            return
        yield from scans


def _clean(name: str) -> str:
    """Return a name without the characters that file systems or nnU-Net give a meaning."""
    return "".join(c if c.isalnum() or c in "-_." else "_" for c in name).strip("._")
