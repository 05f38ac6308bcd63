from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import tifffile

from napari_unet_seg.errors import DataError
from napari_unet_seg.io.common.channels import COLOURS, NAMES, channel_names, for_model, is_colour
from napari_unet_seg.io.common.scan import Scan
from napari_unet_seg.io.read import read_scan

if TYPE_CHECKING:
    from pathlib import Path

T1, T2 = (np.full((3, 20, 24), value, np.uint16) for value in (5, 9))


def scan(count: int, dtype: Any = np.uint16, **meta: Any) -> Scan:
    data = np.stack([np.full((3, 20, 24), i, dtype) for i in range(count)], -1)
    return Scan(data, "ZYXC", meta=meta)


@pytest.mark.parametrize(
    ("given", "colour"),
    [
        (scan(3, np.uint8), True),
        (scan(4, np.uint8), True),
        (scan(2, np.uint8), False),
        (scan(3), False),
        (scan(3, **{COLOURS: True}), True),
        (scan(3, np.uint8, **{COLOURS: False}), False),
        (scan(3, np.uint8, **{NAMES: ["T1", "T2", "FLAIR"]}), False),
        (Scan(T1, "ZYX"), False),
    ],
)
def test_colours_and_sequences(given: Scan, colour: bool) -> None:
    assert is_colour(given) is colour


@pytest.mark.parametrize(
    ("channel", "value"), [("", 0), ("1", 0), ("2", 1), ("t2", 1), ("channel 3", 2)]
)
def test_a_model_of_one_channel_takes_one_sequence(channel: str, value: int) -> None:
    given = scan(3, **{NAMES: ["T1", "T2", ""]})
    one, note = for_model(given, 1, channel)
    assert (one.axes, one.data.shape) == ("ZYX", (3, 20, 24))
    np.testing.assert_array_equal(one.data, value)
    assert note == (
        "" if channel else "Of 3 channels (1: T1, 2: T2, 3: channel 3) the first is used."
    )


@pytest.mark.parametrize("channel", ["0", "4", "FLAIR", "-1"])
def test_an_unknown_channel_is_refused_with_those_there_are(channel: str) -> None:
    with pytest.raises(DataError, match=f"no channel {channel}; choose a number from 1 to 2.*T1"):
        for_model(scan(2, **{NAMES: ["T1", "T2"]}), 1, channel)


@pytest.mark.parametrize(
    ("given", "wanted"), [(scan(2), 2), (scan(3, np.uint8), 1), (Scan(T1, "ZYX"), 1)]
)
def test_other_scans_are_taken_whole(given: Scan, wanted: int) -> None:
    assert for_model(given, wanted, "7") == (given, "")


def test_a_tiff_says_whether_its_channels_are_colours(tmp_path: Path) -> None:
    stack = np.stack([T1, T2], 1)
    tifffile.imwrite(tmp_path / "two.tif", stack, imagej=True, metadata={"axes": "ZCYX"})
    three = np.zeros((4, 3, 20, 24), np.uint8)
    tifffile.imwrite(tmp_path / "three.tif", three, imagej=True, metadata={"axes": "ZCYX"})
    wide = np.zeros((20, 24, 3), np.uint16)
    tifffile.imwrite(tmp_path / "wide.tif", wide, photometric="rgb")
    names = ("two.tif", "three.tif", "wide.tif")
    assert [is_colour(read_scan(tmp_path / name)) for name in names] == [False, False, True]
    two = read_scan(tmp_path / "two.tif")
    assert channel_names(two) == ["channel 1", "channel 2"]
    np.testing.assert_array_equal(for_model(two, 1, "2")[0].data, T2)
