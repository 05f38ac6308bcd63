"""Studies of DICOM: each study is a case, each of its series a sequence."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from napari_unet_seg import log
from napari_unet_seg.io.cases.case import Case, LeftOut, Source, usual_order
from napari_unet_seg.io.cases.layouts.dicom_masks import (
    StudyMask,
    masks_of,
    study_masks,
    without_study,
)
from napari_unet_seg.io.common.names import COLLECTIONS, free_name, sequence_in
from napari_unet_seg.io.disk.files import reading
from napari_unet_seg.io.distinct_names import distinct_names

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Sequence
    from pathlib import Path

    from napari_unet_seg.io.cases.tree import Tree
    from napari_unet_seg.io.dicom.frames import Series


@dataclass(slots=True)
class _Study:
    """A study and the folders of its series."""

    patient: str
    uid: str
    series: dict[str, tuple[Series, Path]] = field(default_factory=dict)
    """By key."""

    def takes(self, patient: str, uid: str, series: Series) -> bool:
        """Whether a series is of this study, and no copy of one that is known."""
        return (patient, uid) == (self.patient, self.uid) and series.key not in self.series


def cases(tree: Tree) -> Generator[Path, Any, tuple[list[Case], list[LeftOut]]]:
    """Sort the DICOM files below a root into studies by their headers, and yield each file.

    Cases are named after their folders, not after the patient, whose name and number stay where
    they are: in the files.
    """
    studies: list[_Study] = []
    masks: list[StudyMask] = []
    left_out = []
    for folder, files in _by_folder(tree.dicom).items():
        try:
            found = yield from _series(files)
            masks += study_masks(files, (series for series, *_ in found))
            for series, patient, uid in found:
                known = (study for study in studies if study.takes(patient, uid, series))
                study = next(known, None) or _Study(patient, uid)
                study.series[series.key] = series, folder
                studies += [study] * (study not in studies)
        except Exception as error:
            left_out.append(LeftOut(folder, log.problem(error, folder), is_problem=True))
    problems = {left.path for left in left_out}
    folders = [_folder(tree, study, studies, problems) for study in studies]
    patients: dict[str, str] = {}
    planned: list[Case] = []
    for study, folder, name in zip(studies, folders, distinct_names(folders), strict=True):
        named = patients.setdefault(study.patient, name) if study.patient else name
        own = masks_of(masks, study.patient, study.uid)
        sequences = usual_order(_sequences(study, folder))
        planned.append(Case(name, sequences, own, "headers of DICOM", named))
    uids = {(study.patient, study.uid) for study in studies}
    return planned, [*left_out, *without_study(masks, uids)]


def _by_folder(files: Sequence[Path]) -> dict[Path, list[Path]]:
    folders: dict[Path, list[Path]] = {}
    for path in files:
        folders.setdefault(path.parent, []).append(path)
    return folders


def _series(files: list[Path]) -> Generator[Path, Any, list[tuple[Series, str, str]]]:
    """Return the series among files, each with its patient's number and its study's UID."""
    from napari_unet_seg.io.dicom.files import open_dataset
    from napari_unet_seg.io.dicom.frames import grouping_series

    found = []
    for series in (yield from grouping_series(files)):
        path = series.frames[0].path
        with reading(path, "DICOM"):
            tags = ["PatientID", "StudyInstanceUID"]
            header = open_dataset(path, stop_before_pixels=True, specific_tags=tags)
            patient, uid = (str(header.get(tag, "")) for tag in tags)
        found.append((series, patient, uid))
    return found


def _folder(tree: Tree, study: _Study, studies: Iterable[_Study], problems: set[Path]) -> Path:
    """Return the highest folder with the series of one study and no others.

    This is the root only if nothing else is in it but DICOM without images, such as reports;
    `problems` are folders that cannot be read.
    """
    own = [folder for _, folder in study.series.values()]
    others = [folder for other in studies for _, folder in other.series.values()]
    others = [folder for folder in others if folder not in own]
    if not tree.files and not others and not problems:
        return tree.root
    first = own[0]
    above = [first, *first.parents]
    above = above[: above.index(tree.root) + 1]
    holding = [p for p in above if all(folder.is_relative_to(p) for folder in own)]
    alone = [p for p in holding if not any(folder.is_relative_to(p) for folder in others)]
    named = (p for p in reversed(alone) if p != tree.root and p.name.lower() not in COLLECTIONS)
    return next(named, holding[0])


def _sequences(study: _Study, folder: Path) -> dict[str, Source]:
    """Return the series by what their descriptions tell, or by their numbers."""
    sequences: dict[str, Source] = {}
    for key, (series, _) in study.series.items():
        title = sequence_in(series.description) or series.description or f"series {series.number}"
        if title in sequences:
            title = f"{title} ({series.number})"
        sequences[free_name(title, sequences, " ")] = Source((folder,), series=key)
    return sequences
