"""Studies of DICOM: each study is a case, each of its series a sequence."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from napari_unet_seg import log
from napari_unet_seg.io.cases.case import Case, LeftOut, Source
from napari_unet_seg.io.cases.names import sequence_in
from napari_unet_seg.io.common.files import reading

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from napari_unet_seg.io.cases.tree import Tree
    from napari_unet_seg.io.dicom.frames import Series

    _Study = dict[Series, Path]
    """The series of a study, each with the folder of its files."""


def cases(tree: Tree) -> tuple[list[Case], list[LeftOut]]:
    """Sort the DICOM files below a root into studies by their headers.

    Cases are named after their folders, not after the patient, whose name and number stay where
    they are: in the files.
    """
    if not tree.dicom:
        return [], []
    studies: dict[tuple[str, str], _Study] = {}
    left_out = []
    for folder, files in _by_folder(tree.dicom).items():
        try:
            for series, key in _series(files):
                studies.setdefault(key, {})[series] = folder
        except Exception as error:
            left_out.append(LeftOut(folder, log.problem(error, folder)))
    found = [(_name(tree, study.values()), key, study) for key, study in studies.items()]
    names = [name for name, _, _ in found]
    patients: dict[str, str] = {}
    planned = []
    for place, (name, (patient, _), study) in enumerate(found):
        number = names[: place + 1].count(name)
        own = f"{name}_{number}" if names.count(name) > 1 else name
        named = patients.setdefault(patient, own) if patient else own
        planned.append(Case(own, _sequences(study), why="headers of DICOM", patient=named))
    return planned, left_out


def _by_folder(files: Sequence[Path]) -> dict[Path, list[Path]]:
    folders: dict[Path, list[Path]] = {}
    for path in files:
        folders.setdefault(path.parent, []).append(path)
    return folders


def _series(files: list[Path]) -> list[tuple[Series, tuple[str, str]]]:
    """Return the series among files, each with its patient's number and its study's UID."""
    from napari_unet_seg.io.dicom.files import open_dataset
    from napari_unet_seg.io.dicom.frames import group_series

    found = []
    for series in group_series(files):
        path = series.frames[0].path
        with reading(path, "DICOM"):
            tags = ["PatientID", "StudyInstanceUID"]
            header = open_dataset(path, stop_before_pixels=True, specific_tags=tags)
            patient, study = (str(header.get(tag, "")) for tag in tags)
        found.append((series, (patient, study)))
    return found


def _name(tree: Tree, folders: Iterable[Path]) -> str:
    """Return the name of the folder that holds all series of a study."""
    common = Path(os.path.commonpath([str(folder) for folder in folders]))
    return common.name or tree.root.name


def _sequences(study: _Study) -> dict[str, Source]:
    """Return the series by what their descriptions tell, or by their numbers."""
    sequences: dict[str, Source] = {}
    for series, folder in study.items():
        title = sequence_in(series.description) or series.description or f"series {series.number}"
        if title in sequences:
            title = f"{title} ({series.number})"
        tries = (title, *(f"{title} {n}" for n in range(2, len(study) + 2)))
        free = next(t for t in tries if t not in sequences)
        sequences[free] = Source((folder,), series=series.key)
    return sequences
