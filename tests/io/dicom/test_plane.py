"""Where the slices of a series lie, and their plane, which is said unless it is axial."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pydicom
import pytest
from dicom_files import write_series

from napari_unet_seg.io.common.grids.placement import offset
from napari_unet_seg.io.dicom.series import read_dicom

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("plane", "orientation", "place"),
    [
        ("", [1, 0, 0, 0, 1, 0], (2, 20, 10)),
        ("sagittal", [0, 1, 0, 0, 0, -1], (-12, -2, 20)),
        ("coronal", [1, 0, 0, 0, 0, -1], (20, -2, 10)),
    ],
)
def test_place_and_plane_of_a_series(
    tmp_path: Path, plane: str, orientation: list[int], place: tuple[int, int, int]
) -> None:
    folder = write_series(tmp_path / "series", [0, 1, 2], ImageOrientationPatient=orientation)
    axis = {"sagittal": 0, "coronal": 1}.get(plane, 2)
    for i, path in enumerate(sorted(folder.iterdir())):
        dataset = pydicom.dcmread(path)
        position = [10, 20, 2]
        position[axis] += i
        dataset.ImagePositionPatient = position
        dataset.save_as(path)
    scan = read_dicom(folder)
    assert offset(scan) == pytest.approx(place)
    said = [note for note in scan.meta["notes"] if f"slices are {plane}" in note]
    assert len(said) == bool(plane)
