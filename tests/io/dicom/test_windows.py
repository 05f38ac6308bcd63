"""Windows of DICOM files, by which a series is shown."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from dicom_files import write_series

from napari_unet_seg.io.common.window import WINDOWS
from napari_unet_seg.io.dicom.series import read_dicom

if TYPE_CHECKING:
    from pathlib import Path


def windows(folder: Path, **tags: Any) -> list[tuple[str, float, float]]:
    scan = read_dicom(write_series(folder, [0.0, 1.0, 2.0], **tags))
    return [tuple(window) for window in scan.meta[WINDOWS]]


# By PS3.3 C.11.2.1.2: the lowest value of LINEAR is c - 0.5 - (w - 1) / 2.
@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        ({}, []),
        ({"WindowCenter": 50, "WindowWidth": 101}, [("", -0.5, 99.5)]),
        (
            {
                "WindowCenter": [50, 300],
                "WindowWidth": [101, 401],
                "WindowCenterWidthExplanation": ["BRAIN", "BONE"],
            },
            [("BRAIN", -0.5, 99.5), ("BONE", 99.5, 499.5)],
        ),
        (
            {"WindowCenter": 50, "WindowWidth": 100, "VOILUTFunction": "LINEAR_EXACT"},
            [("", 0, 100)],
        ),
        ({"WindowCenter": 50, "WindowWidth": 0}, []),
        ({"WindowCenter": 50}, []),
    ],
)
def test_the_windows_of_the_file(
    tmp_path: Path, tags: dict[str, Any], expected: list[tuple[str, float, float]]
) -> None:
    assert windows(tmp_path, **tags) == expected


def test_a_window_is_of_rescaled_values(tmp_path: Path) -> None:
    tags = {"RescaleSlope": 2, "RescaleIntercept": -1000}
    assert windows(tmp_path, WindowCenter=50, WindowWidth=101, **tags) == [("", -0.5, 99.5)]


def test_where_high_values_are_dark_the_window_is_inverted_with_them(tmp_path: Path) -> None:
    tags = {"PhotometricInterpretation": "MONOCHROME1", "BitsStored": 12, "HighBit": 11}
    scaled = {"RescaleSlope": 2, "RescaleIntercept": -10}
    window = {"WindowCenter": 500.5, "WindowWidth": 101}
    folder = write_series(tmp_path / "dark", [0.0, 1.0], **tags, **scaled, **window)
    ((_, low, high),) = read_dicom(folder).meta[WINDOWS]
    # The same pixels lie in the window, whichever way round the values are.
    bright = read_dicom(write_series(tmp_path / "bright", [0.0, 1.0], **scaled, **window))
    ((_, first, last),) = bright.meta[WINDOWS]
    values = read_dicom(folder).data
    np.testing.assert_array_equal(
        (values >= low) & (values <= high), (bright.data >= first) & (bright.data <= last)
    )


def test_each_slice_may_have_a_window_and_the_middle_one_counts(tmp_path: Path) -> None:
    for number, z in enumerate([0.0, 1.0, 2.0]):
        part = write_series(tmp_path / f"{z}", [z], WindowCenter=100 * number, WindowWidth=11)
        (part / "3-0.dcm").rename(tmp_path / f"{number}.dcm")
        part.rmdir()
    ((_, low, high),) = read_dicom(tmp_path).meta[WINDOWS]
    assert (low, high) == (94.5, 104.5)
