"""What the names of files and folders tell: numbers, sequences, masks, patients and visits."""

from __future__ import annotations

import re
from itertools import count
from typing import TYPE_CHECKING, NamedTuple

from napari_unet_seg.io.disk.files import split_suffix

if TYPE_CHECKING:
    from collections.abc import Container, Sequence
    from pathlib import Path

_SEQUENCES = {
    "FLAIR": {"flair", "t2f", "t2flair"},
    "T1c": {"t1c", "t1ce", "t1gd", "t1post", "t1km", "t1wce"},
    "T1": {"t1", "t1w", "t1n", "mprage"},
    "T2": {"t2", "t2w"},
    "PD": {"pd", "pdw"},
    "DWI": {"dwi"},
    "ADC": {"adc"},
    "SWI": {"swi"},
}
"""Words in names by sequence, the more special first: `t2_flair` is FLAIR."""
SEQUENCES = tuple(_SEQUENCES)
"""Names of the sequences that are known by the names of files."""
_CONTRAST = {"post", "gd", "gad", "ce", "km", "contrast", "gadolinium"}
"""Words that say that a T1 was taken with contrast agent."""

_MASKS = frozenset(
    "mask masks seg segmentation segmentations label labels roi rois gt groundtruth truth "
    "annotation annotations brainmask msk wmh dseg aseg otmulticlass".split()
)
"""Words that name masks; OTMultiClass is the observer's truth of BRATS 2013."""
_KINDS = _MASKS.union(_CONTRAST, *_SEQUENCES.values())

MASK_ENDS = ("_mask", "_masks", "_seg", "_label", "_labels")
"""Ends that the name of a mask may have after the name of its scan."""

COLLECTIONS = frozenset(
    "image images img imgs scan scans slice slices stack stacks data train valid val test".split()
)
"""Names of folders that hold images of many patients."""

_WORD = re.compile(r"[A-Za-z0-9]+")
_WORDS = re.compile(r"([A-Za-z0-9]+)")
_DIGITS = re.compile(r"(\d+)")
_NUMBERED = re.compile(r"(.*?)(\d+)")
# Before a year or a date, a barcode of TCGA: project, site, participant.
_PATIENTS = (
    re.compile(r"(?P<patient>TCGA[-_]\w\w[-_]\w{4})(?:[-_](?P<visit>\d{8}))?(?![A-Za-z0-9])"),
    re.compile(r"(?P<patient>sub-[A-Za-z0-9]+)(?:_(?P<visit>ses-[A-Za-z0-9]+))?"),
    re.compile(r"(?P<patient>BraTS-[A-Za-z]+-\d+)-(?P<visit>\d{3})(?!\d)"),
    # BraTS before 2021 in its order: 2012 and 2013, 2017 to 2019, 2020, and 2021 as at Kaggle
    re.compile(r"(?P<patient>brats_\d{4}_pat\d+)_(?P<visit>\d+)(?![A-Za-z0-9])", re.IGNORECASE),
    re.compile(
        r"(?P<patient>brats1[789]_[a-z0-9]+_[a-z0-9]+)_(?P<visit>\d+)(?![a-z0-9])", re.IGNORECASE
    ),
    re.compile(r"(?P<patient>BraTS20_[A-Za-z]+_\d+|BraTS2021_\d{5})(?![A-Za-z0-9])"),
    re.compile(r"(?P<patient>UCSF-PDGM-\d+)"),
    re.compile(r"(?P<patient>UPENN-GBM-\d+)_(?P<visit>\d\d)(?!\d)"),
)
_NUMBERED_PATIENT = re.compile(
    r"(?<![a-z0-9])(?:patient|pat|subject|subj|case)[-_ ]?\d+(?![a-z0-9])", re.IGNORECASE
)


_VISIT = re.compile(
    r"(?:ses|session|visit|scan|tp|timepoint|day|week|month|year|baseline|follow-?up)?[-_ ]?\d*"
    r"|\d{4}[-_.]?\d{2}[-_.]?\d{2}",
    re.IGNORECASE,
)


class Numbered(NamedTuple):
    """A name that ends in a number, as the names of slices do."""

    start: str
    number: int


def natural(name: str) -> tuple[tuple[int, str], ...]:
    """Return a key for sorting in which numbers count as numbers: `x_2` before `x_10`."""
    parts = _DIGITS.split(name.casefold())
    return tuple((int(p), p) if p.isdigit() else (0, p) for p in parts)


def free_name(name: str, taken: Container[str], join: str = "_") -> str:
    """Return a name, with the first number from 2 at its end that makes it a new one if need be."""
    tries = (f"{name}{join}{number}" for number in count(2))
    return name if name not in taken else next(t for t in tries if t not in taken)


def numbered(stem: str) -> Numbered | None:
    """Split a name into its start and the number at its end; None without such a number."""
    match = _NUMBERED.fullmatch(stem)
    return None if match is None else Numbered(match[1], int(match[2]))


def sequence_in(stem: str) -> str | None:
    """Return the sequence that a name tells, `T1c` for `patient_t1ce`; None if it tells none."""
    words = {word.lower() for word in _WORD.findall(stem)}
    found = next((name for name, marks in _SEQUENCES.items() if words & marks), None)
    return "T1c" if found == "T1" and words & _CONTRAST else found


def names_mask(stem: str) -> bool:
    """Whether one of the words of a name says that the file is a mask."""
    return any(word.lower() in _MASKS for word in _WORD.findall(stem))


def patient_in(name: str) -> tuple[str, str]:
    """Return the patient and the visit that a name tells, each empty if the name does not.

    Known are the names of TCGA (`TCGA_DU_7299_19910417`), BIDS (`sub-01_ses-02`), BraTS
    (`BraTS-GLI-00001-000`, `Brats18_CBICA_AAB_1`), UCSF-PDGM and UPENN-GBM.
    """
    for pattern in _PATIENTS:
        if match := pattern.search(name):
            return match["patient"], match.groupdict().get("visit") or ""
    return "", ""


def group_of(name: str) -> str:
    """Return the patient that the name of an image tells, or else the name.

    `patient_03_slice_12` is of the patient `patient_03`. Roboflow writes several augmented copies
    of an image, whose names differ only after `.rf.`.
    """
    if patient := patient_in(name)[0]:
        return patient
    found = _NUMBERED_PATIENT.search(name)
    return found[0] if found else name.split(".rf.")[0]


def without_kind(stem: str) -> str:
    """Return a name without the words for sequences and masks: `A_01` for `A_01_t1ce`.

    The files of one case that lie among those of other cases share what stays.
    """
    parts = _WORDS.split(stem)
    return "".join(p for p in parts if p.lower() not in _KINDS).strip("_-. ")


def is_visit(name: str) -> bool:
    """Whether the name of a folder is that of a visit: a date, a session or a time point."""
    return _VISIT.fullmatch(name) is not None


def masks_beside_scans(files: Sequence[Path]) -> list[Path]:
    """Return the files that are named as another of the files, followed by one of `MASK_ENDS`."""
    names = {split_suffix(path)[0] for path in files}
    masks = {name + end for name in names for end in MASK_ENDS}
    return [path for path in files if split_suffix(path)[0] in masks]
