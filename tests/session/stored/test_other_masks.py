"""The other masks of a session's case are recorded, and opened again with it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import nibabel as nib
import numpy as np
import pytest

from napari_unet_seg.config import Category
from napari_unet_seg.io.cases.case import Source
from napari_unet_seg.io.read import read_scan
from napari_unet_seg.session.session import Session
from napari_unet_seg.session.stored.other_masks import OtherMask, open_masks, record_mask

if TYPE_CHECKING:
    from pathlib import Path

SHAPE, COARSE = (3, 20, 24), (3, 10, 12)
TUMOUR = (Category(id=7, name="tumour"),)


def write(path: Path, data: np.ndarray) -> Path:
    step = 24 / data.shape[-1]
    nib.save(nib.Nifti1Image(data.T, np.diag([step, step, 1, 1])), path)
    return path


def labels(shape: tuple[int, ...], row: int) -> np.ndarray:
    found = np.zeros(shape, np.uint8)
    found[1, [row, -1 - row]] = 1  # whichever way the rows are read
    return found


@pytest.fixture
def disk(tmp_path: Path) -> Path:
    """A folder with a case of two grids with a mask each, and a session on the first."""
    case = tmp_path / "disk" / "p1"
    case.mkdir(parents=True)
    scan = read_scan(write(case / "FLAIR.nii.gz", np.ones(SHAPE, np.int16)))
    write(case / "T2.nii.gz", np.ones(COARSE, np.int16))
    write(case / "brain.nii.gz", labels(SHAPE, 2))
    write(case / "coarse.nii.gz", labels(COARSE, 3))
    masks = [
        record_mask(f"p1 {name}", Source((case / f"{name}.nii.gz",)), TUMOUR)
        for name in ("brain", "coarse")
    ]
    Session.create(
        tmp_path / "disk" / "sessions" / "p1", scan, TUMOUR, labels(SHAPE, 5), masks=masks
    )
    return tmp_path / "disk"


def opened(disk: Path) -> tuple[list[OtherMask], list[str]]:
    session = Session.open(disk / "sessions" / "p1")
    scans = [session.scan, read_scan(disk / "p1" / "T2.nii.gz")]
    return open_masks(session.record.masks, scans)


def test_each_mask_is_opened_on_the_sequence_that_it_was_drawn_on(disk: Path) -> None:
    (brain, coarse), problems = opened(disk)
    assert problems == []
    assert (brain.layer, brain.sequence, brain.categories) == ("p1 brain", 0, TUMOUR)
    assert (coarse.layer, coarse.sequence) == ("p1 coarse", 1)
    np.testing.assert_array_equal(brain.labels.data, labels(SHAPE, 2))
    np.testing.assert_array_equal(coarse.labels.data, labels(COARSE, 3))


def test_masks_are_found_where_they_were_moved_with_the_session(disk: Path) -> None:
    moved = disk.rename(disk.with_name("elsewhere"))
    masks, problems = opened(moved)
    assert problems == []
    assert [mask.source.files[0].parent for mask in masks] == [moved / "p1"] * 2


def test_a_mask_that_is_missing_is_left_out_with_a_sentence(disk: Path) -> None:
    (disk / "p1" / "brain.nii.gz").unlink()
    masks, (problem,) = opened(disk)
    assert [mask.layer for mask in masks] == ["p1 coarse"]
    assert problem.startswith("The mask p1 brain was not opened again. ")
    assert "brain.nii.gz" in problem
