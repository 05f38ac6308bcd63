"""Folders of which a part cannot be read: that part is told, and the rest opens."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

import pytest
from dicom_files import write_series
from other_user import as_other_user, open_folder

from napari_unet_seg.data.dataset import open_dataset
from napari_unet_seg.errors import DataError
from napari_unet_seg.evaluation.mask_sources import open_masks
from napari_unet_seg.io.cases.names import case_name
from napari_unet_seg.io.cases.plan import recognise_folder
from napari_unet_seg.io.dicom.signature import dicom_files_below, holds_dicom
from napari_unet_seg.io.find import scan_files
from napari_unet_seg.io.images.slice_stacks import stacks_in
from napari_unet_seg.io.read import read_labels, read_scan

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

CLOSED = 0o000
NAMES_ONLY = 0o444
"""Rights by which the names in a folder are seen, but none of its files."""


@pytest.fixture
def root() -> Iterator[Path]:
    """Two patients, and a DICOM series."""
    with open_folder() as root:
        for name in ("p1/t1.nii", "p2/t1.nii"):
            (root / name).parent.mkdir()
            (root / name).touch()
        write_series(root / "p3", [0.0, 1.0])
        recognise_folder(root)  # as root, who may import what this needs
        yield root


@pytest.mark.parametrize("rights", [CLOSED, NAMES_ONLY])
def test_a_folder_that_cannot_be_read_is_left_out_with_a_sentence(root: Path, rights: int) -> None:
    (root / "p2").chmod(rights)

    with as_other_user():
        plan = recognise_folder(root)

    assert [case.name for case in plan.cases] == ["p1", "p3"]
    [left] = plan.left_out
    assert left.is_problem
    assert left.reason == (
        f"{root / 'p2'} cannot be read (Permission denied); allow it, or choose another folder."
    )


def test_a_file_that_cannot_be_read_is_left_out_with_a_sentence(root: Path) -> None:
    notes = root / "p2" / "notes"
    notes.touch()
    notes.chmod(CLOSED)

    with as_other_user():
        plan = recognise_folder(root)

    assert len(plan.cases) == 3
    [left] = plan.left_out
    assert left.reason == f"{notes} cannot be read without permission; ask its owner."


@pytest.mark.parametrize("rights", [CLOSED, NAMES_ONLY])
def test_a_folder_of_which_nothing_can_be_read_is_told(root: Path, rights: int) -> None:
    root.chmod(rights)

    with as_other_user():
        for listed in (recognise_folder, scan_files, stacks_in, holds_dicom):
            with pytest.raises(DataError, match="Permission denied"):
                listed(root)


def test_dicom_is_found_beside_a_folder_that_cannot_be_read(root: Path) -> None:
    (root / "p1").chmod(CLOSED)

    with as_other_user():
        assert holds_dicom(root)
        assert len(dicom_files_below(root)) == 2


@pytest.mark.parametrize("rights", [CLOSED, NAMES_ONLY])
def test_what_is_in_a_closed_folder_is_told_in_a_sentence(root: Path, rights: int) -> None:
    folder, file = root / "p1", root / "p1" / "t1.nii"
    doors = [
        (read_scan, file), (read_labels, file), (read_scan, folder), (open_masks, folder),
        (open_dataset, folder),
    ]  # fmt: skip
    for opened, path in doors:  # as root, who may import what this needs
        with suppress(DataError):  # the file is empty
            opened(path)
    folder.chmod(rights)

    with as_other_user():
        for opened, path in doors:
            with pytest.raises(DataError, match=r"cannot be read (without p|\(P)ermission"):
                opened(path)
        assert case_name(file) == "t1"
