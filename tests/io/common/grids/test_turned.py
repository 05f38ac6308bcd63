"""Masks whose voxels are their scan's in another order."""

from __future__ import annotations

from itertools import permutations, product
from typing import TYPE_CHECKING

import nibabel as nib
import numpy as np
import pytest
from dicom_files import write_sagittal

from napari_unet_seg.errors import DataError
from napari_unet_seg.io.common.grids.placement import misplacement
from napari_unet_seg.io.common.grids.turned import turned_onto
from napari_unet_seg.io.common.scan import Scan
from napari_unet_seg.io.dicom.series import read_dicom
from napari_unet_seg.io.read import read_labels
from napari_unet_seg.io.write import write_mask

if TYPE_CHECKING:
    from pathlib import Path

AFFINE = np.array([[-0.5, 0.1, 0, 90.0], [0.1, -0.7, 0, 120], [0, 0, 3, -40], [0, 0, 0, 1]])
SHAPE = (4, 5, 6)
LABELS = np.random.default_rng(0).integers(0, 3, SHAPE)
TURNS = [
    (order, flips)
    for order in permutations(range(3))
    for flips in product((False, True), repeat=3)
    if order != (0, 1, 2) or any(flips)
]


def scan() -> Scan:
    return Scan(np.zeros(SHAPE), "ZYX", (3, 0.7, 0.5), "mm", affine=AFFINE)


def turned(order: tuple[int, ...], flips: tuple[bool, ...], shift: float = 0) -> Scan:
    """Return the labels as another program stores them, with the affine that says so."""
    volume = np.flip(LABELS.T.transpose(order), np.flatnonzero(flips))  # axes x, y, z
    to_scan = np.zeros((4, 4))
    to_scan[3, 3] = 1
    for axis, (source, flip) in enumerate(zip(order, flips, strict=True)):
        to_scan[source, axis] = -1 if flip else 1
        to_scan[source, 3] = volume.shape[axis] - 1 if flip else 0
    to_scan[0, 3] += shift
    return Scan(volume.T, "ZYX", affine=AFFINE @ to_scan, meta={"soft": True, "turn": 1})


@pytest.mark.parametrize(("order", "flips"), TURNS)
def test_every_order_of_the_same_voxels_is_turned_back(
    order: tuple[int, ...], flips: tuple[bool, ...]
) -> None:
    found = turned_onto(turned(order, flips), scan())
    np.testing.assert_array_equal(found.data, LABELS)
    assert (found.spacing, found.unit, found.meta) == ((3, 0.7, 0.5), "mm", {"soft": True})
    assert misplacement(found, scan()) == ""


def test_times_and_a_single_slice_are_turned_too() -> None:
    mask = turned((2, 0, 1), (True, False, False))
    times = Scan(np.stack([mask.data, 0 * mask.data]), "TZYX", affine=mask.affine)
    target = Scan(np.zeros((2, *SHAPE)), "TZYX", affine=AFFINE)
    np.testing.assert_array_equal(turned_onto(times, target).data, [LABELS, 0 * LABELS])
    upside_down = AFFINE @ np.diag([1, -1, -1, 1.0])
    upside_down[:3, 3] = AFFINE[:3] @ (0, 4, 0, 1)
    single = Scan(LABELS[:1, ::-1], "ZYX", affine=upside_down)
    plane = Scan(np.zeros(SHAPE[1:]), "YX", affine=AFFINE)
    np.testing.assert_array_equal(turned_onto(single, plane).data, LABELS[0])


@pytest.mark.parametrize(
    "mask",
    [
        Scan(LABELS, "ZYX", affine=AFFINE),
        Scan(LABELS, "ZYX", affine=AFFINE + 0.02 * np.eye(4, k=3)),
        Scan(LABELS, "ZYX"),
        Scan(LABELS, "ZYX", affine=np.zeros((4, 4))),
        turned((2, 1, 0), (False,) * 3, shift=0.5),
    ],
    ids=["the same", "elsewhere", "no place", "singular", "another grid"],
)
def test_other_masks_stay_as_they_are(mask: Scan) -> None:
    assert turned_onto(mask, scan()) is mask


def test_voxels_between_those_of_a_turned_scan_are_refused() -> None:
    mask = turned((0, 1, 2), (True, True, False), shift=0.5)
    with pytest.raises(DataError, match=r"^m\.nii has its axes in another direction than a\.dcm"):
        turned_onto(mask, scan(), ("m.nii", "a.dcm"))


def test_a_nifti_mask_comes_back_on_its_sagittal_series(tmp_path: Path) -> None:
    series = read_dicom(write_sagittal(tmp_path / "series", SHAPE[0], SHAPE[1:]))
    labels = LABELS.astype(np.uint8)
    write_mask(tmp_path / "mask.nii.gz", labels, series)
    # Another program stores the voxels in the order that it likes best.
    canonical = nib.as_closest_canonical(nib.load(tmp_path / "mask.nii.gz"))
    nib.save(canonical, tmp_path / "mask.nii.gz")

    mask = read_labels(tmp_path / "mask.nii.gz")
    assert mask.grid_shape != series.grid_shape
    np.testing.assert_array_equal(turned_onto(mask, series).data, labels)
