"""Data sets on disk: `train|valid|test/{images,masks}` and `dataset.json`."""

from __future__ import annotations

import posixpath
from os.path import isdir, isfile
from pathlib import Path
from typing import TYPE_CHECKING

from napari_unet_seg.data.cases.samples import samples_of_plan
from napari_unet_seg.data.cases.sequences import UNNAMED
from napari_unet_seg.data.description import FILE_NAME, read_description
from napari_unet_seg.data.pairs import holds_pairs, read_pairs
from napari_unet_seg.data.samples import Sample, SampleSet
from napari_unet_seg.errors import DataError
from napari_unet_seg.io.cases.plan import plan_folder
from napari_unet_seg.io.cases.remembered import recall_corrections
from napari_unet_seg.io.coco.paths import clean_name
from napari_unet_seg.io.common.stacking import listed
from napari_unet_seg.io.dicom.signature import holds_dicom
from napari_unet_seg.io.disk.listing import entries

if TYPE_CHECKING:
    from collections.abc import Sequence


def open_dataset(
    folder: Path | str,
    dimensions: int | None = None,
    sequences: Sequence[str] = (),
    *,
    may_lack: bool = False,
) -> SampleSet:
    """Read the list of samples of a data set; images and masks are read later.

    Parameters
    ----------
    folder : Path
        A folder with `dataset.json`; or with `images/` and `masks/`, or `train`, `valid` and
        `test` that hold these folders, see `read_pairs`; or any folder of cases, see
        `plan_folder`.
    dimensions : int, optional
        2 for a sample for each slice, 3 for a sample for each case, in a folder of cases.
    sequences : sequence of str
        Names of the sequences to learn from, each a channel, if the cases of a folder have several.
    may_lack : bool
        Whether the folder may lack some of the sequences, or name none.

    Raises
    ------
    DataError
        If the folder is no data set, is empty, a file is missing, or it has no such sequences.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise DataError(f"{folder} is not a folder; choose the folder of a data set.")
    if not isfile(folder / FILE_NAME) or isdir(folder / "imagesTr"):
        if not holds_pairs(folder) or _needs_plan(folder, dimensions):
            plan = plan_folder(folder)
            return samples_of_plan(plan, dimensions or 2, sequences, may_lack=may_lack)
        _check_unnamed(folder, sequences, may_lack=may_lack)
        return read_pairs(folder)
    _check_unnamed(folder, sequences, may_lack=may_lack)
    description = read_description(folder)
    if not description.samples:
        raise DataError(f"{folder / FILE_NAME} lists no samples; write the data set again.")
    samples = tuple(
        Sample(e.name, _file(folder, e.image), _file(folder, e.mask), e.group, e.split)
        for e in description.samples
    )
    return SampleSet(samples, description.categories, str(folder))


def sequences_of(folder: Path) -> tuple[str, ...]:
    """Return the names of the sequences in a folder of cases; empty for any other data set.

    Raises
    ------
    DataError
        If the folder cannot be read, or holds no scans.
    """
    if isfile(folder / FILE_NAME) and not isdir(folder / "imagesTr"):
        return ()
    names = plan_folder(folder).sequences
    return () if names == (UNNAMED,) else names


def _check_unnamed(folder: Path, sequences: Sequence[str], *, may_lack: bool) -> None:
    if sequences and not may_lack:
        raise DataError(
            f"{folder} holds one image for each mask and names no sequences; leave "
            f"{listed(sequences)} out, or give a folder of cases."
        )


def _needs_plan(folder: Path, dimensions: int | None) -> bool:
    """Whether images and masks are no plain pairs: DICOM, volumes as slices, or corrected."""
    volumes = dimensions == 2 and any(True for _ in folder.glob("**/images/*.nii*"))
    below = any(any(map(_is_series, entries(place))) for place in folder.glob("images"))
    return volumes or below or bool(recall_corrections(folder))


def _is_series(path: Path) -> bool:
    return isdir(path) and holds_dicom(path)


def _file(folder: Path, name: str) -> Path:
    try:
        path = folder / posixpath.normpath(clean_name(name))
        found = path.is_file()
    except (ValueError, OSError) as error:
        reason = getattr(error, "strerror", None) or error
        raise DataError(
            f"{folder / FILE_NAME} names {name[:200]!r}: {reason}; write the data set again."
        ) from error
    if not found:
        raise DataError(f"{path} is missing; copy it back or write the data set again.")
    return path
