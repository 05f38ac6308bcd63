"""Data sets on disk: `train|valid|test/{images,masks}` and `dataset.json`."""

from __future__ import annotations

import posixpath
from pathlib import Path

from napari_unet_seg.data.cases.samples import samples_of_plan
from napari_unet_seg.data.description import FILE_NAME, read_description
from napari_unet_seg.data.pairs import holds_pairs, read_pairs
from napari_unet_seg.data.samples import Sample, SampleSet
from napari_unet_seg.errors import DataError
from napari_unet_seg.io.cases.plan import plan_folder
from napari_unet_seg.io.coco.paths import clean_name


def open_dataset(
    folder: Path | str, dimensions: int | None = None, sequence: str | None = None
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
    sequence : str, optional
        Name of the sequence to learn from, if the cases of a folder have several.

    Raises
    ------
    DataError
        If the folder is no data set, is empty, or a file is missing.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise DataError(f"{folder} is not a folder; choose the folder of a data set.")
    if not (folder / FILE_NAME).is_file() or (folder / "imagesTr").is_dir():
        if holds_pairs(folder) and not (dimensions == 2 and _holds_volumes(folder)):
            return read_pairs(folder)
        return samples_of_plan(plan_folder(folder), dimensions or 2, sequence)
    description = read_description(folder)
    if not description.samples:
        raise DataError(f"{folder / FILE_NAME} lists no samples; write the data set again.")
    samples = tuple(
        Sample(e.name, _file(folder, e.image), _file(folder, e.mask), e.group, e.split)
        for e in description.samples
    )
    return SampleSet(samples, description.categories, str(folder))


def _holds_volumes(folder: Path) -> bool:
    return any(True for _ in folder.glob("**/images/*.nii*"))


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
