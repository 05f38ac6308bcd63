"""Which frames share a position, and what tells them apart."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pydicom
import pytest
from dicom_files import write_series

from napari_unet_seg.io.dicom.series import read_dicom

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pydicom.dataset import Dataset

DISTANCE = 2.97


def rewrite(folder: Path, change: Callable[[Dataset, int], None]) -> Path:
    """Change every file of a series; the number counts the slices."""
    for i, path in enumerate(sorted(folder.iterdir())):
        ds = pydicom.dcmread(path)
        change(ds, i)
        ds.save_as(path)
    return folder


def echoes(folder: Path, place: Callable[[int, int], float], **tags: Any) -> Path:
    """Write two echoes of five slices, at `place(echo, slice)`."""
    for echo in (1, 2):
        zs = [place(echo, i) for i in range(5)]
        made = write_series(folder / f"{echo}", zs, EchoTime=10 * echo, **tags)
        for path in made.iterdir():
            path.rename(folder / f"{echo}{path.name}")
        made.rmdir()
    return folder


@pytest.mark.parametrize(
    "place",
    [
        lambda echo, i: DISTANCE * i + 0.02 * (echo - 1),
        lambda echo, i: DISTANCE * i + 0.037 if echo == 1 else round(DISTANCE * i + 0.037, 1),
        lambda _, i: DISTANCE * i,
    ],
    ids=["drift", "rounded", "equal"],
)
def test_rounded_positions_are_one_place(
    tmp_path: Path, place: Callable[[int, int], float]
) -> None:
    scan = read_dicom(echoes(tmp_path, place, SliceThickness=3))
    assert (scan.axes, scan.data.shape[:2]) == ("TZYX", (2, 5))
    assert scan.spacing[1] == pytest.approx(DISTANCE)
    assert scan.meta["notes"] == ()


@pytest.mark.parametrize("distance", [0.005, 0.02, 0.3])
def test_thin_slices_are_not_one_place(tmp_path: Path, distance: float) -> None:
    scan = read_dicom(
        write_series(tmp_path / "s", [distance * i for i in range(6)], SliceThickness=distance)
    )
    assert (scan.axes, len(scan.data)) == ("ZYX", 6)
    assert scan.spacing[0] == pytest.approx(distance)


def test_slabs_far_apart_keep_their_slices(tmp_path: Path) -> None:
    zs = [0.0, 3.0, 6.0, 206.0, 209.0, 212.0]
    assert len(read_dicom(write_series(tmp_path / "s", zs, SliceThickness=3)).data) == 6


TIMES = [
    {"AcquisitionTime": "100000", "ContentTime": "100000"},
    {"AcquisitionTime": "100010", "ContentTime": "100010"},
    {"AcquisitionTime": "100020.5", "ContentTime": "100020"},
]


@pytest.mark.parametrize(
    ("moment", "notes"),
    [
        (lambda t, _: TIMES[t], ()),
        # Every slice has a time of its own.
        (lambda t, i: {"AcquisitionTime": f"1000{20 * t + i:02d}"}, ()),
        (lambda t, i: {"ContentTime": f"1000{20 * t + i:02d}"}, ()),
        (lambda t, i: {"TriggerTime": 100 * t + i}, ()),
        (lambda t, i: {"AcquisitionNumber": 7 * t + i}, ()),
        (
            lambda t, i: {"InstanceNumber": 7 * t + i},
            ("The 3 images at each position differ by their numbers only; these order them.",),
        ),
    ],
)
def test_phases_are_told_apart(
    tmp_path: Path, moment: Callable[[int, int], dict[str, Any]], notes: tuple[str, ...]
) -> None:
    for t in (2, 0, 1):
        for i in range(3):
            folder = write_series(tmp_path / "w", [2.0 * i], **{"InstanceNumber": 1} | moment(t, i))
            ds = pydicom.dcmread(folder / "3-0.dcm")
            ds.PixelData = np.full((16, 16), 10 * t + i, np.uint16).tobytes()
            (tmp_path / "s").mkdir(exist_ok=True)
            ds.save_as(tmp_path / "s" / f"{9 - t}{i}.dcm")
    scan = read_dicom(tmp_path / "s")
    assert scan.axes == "TZYX"
    assert scan.data[..., 0, 0].tolist() == [[0, 1, 2], [10, 11, 12], [20, 21, 22]]
    assert scan.meta["notes"] == notes


def test_copies_of_files_are_not_phases(tmp_path: Path) -> None:
    folder = write_series(tmp_path / "s", [0.0, 2.0])
    for path in sorted(folder.iterdir()):
        (folder / f"copy {path.name}").write_bytes(path.read_bytes())
    scan = read_dicom(folder)
    assert (scan.axes, len(scan.data)) == ("ZYX", 2)
    assert "2 slices have the position of another slice" in scan.meta["notes"][0]


def test_the_frames_of_a_film_are_times(tmp_path: Path) -> None:
    folder = write_series(tmp_path / "s", [0.0])

    def film(ds: Dataset, _: int) -> None:
        ds.NumberOfFrames, ds.FrameTime = 4, 40
        ds.PixelData = np.arange(4, dtype=np.uint16).repeat(256).tobytes()

    scan = read_dicom(rewrite(folder, film))
    assert (scan.axes, scan.data[..., 0, 0].tolist()) == ("TZYX", [[0], [1], [2], [3]])


def without_position(ds: Dataset, i: int) -> None:
    ds.SliceLocation = [7.5, 2.5, 0.0, 5.0][i]
    del ds.ImagePositionPatient, ds.ImageOrientationPatient
    ds.PixelData = np.full((16, 16), i, np.uint16).tobytes()


def test_slice_location_orders_slices_without_position(tmp_path: Path) -> None:
    folder = rewrite(write_series(tmp_path / "s", [0.0] * 4), without_position)
    scan = read_dicom(folder)
    assert scan.data[:, 0, 0].tolist() == [2, 1, 3, 0]
    assert (scan.spacing, scan.affine) == ((2.5, 0.5, 0.5), None)
    assert scan.meta["notes"] == (
        "The slices have no positions; they are in the order of their SliceLocation.",
    )


def test_the_order_without_any_number_is_told(tmp_path: Path) -> None:
    def bare(ds: Dataset, i: int) -> None:
        without_position(ds, i)
        del ds.SliceLocation, ds.InstanceNumber

    folder = rewrite(write_series(tmp_path / "s", [0.0] * 4), bare)
    assert read_dicom(folder).meta["notes"] == (
        "The slices have no positions; they are in the order of their file names.",
    )


@pytest.mark.parametrize(("zs", "is_told"), [([0.0], True), ([0.0, 3.0], False)])
def test_a_mosaic_is_told(tmp_path: Path, zs: list[float], is_told: bool) -> None:
    kind = ["ORIGINAL", "PRIMARY", "M", "ND", "MOSAIC"]
    scan = read_dicom(write_series(tmp_path / "s", zs, ImageType=kind))
    assert any("mosaic" in note and "dcm2niix" in note for note in scan.meta["notes"]) is is_told
