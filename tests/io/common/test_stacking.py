"""Tests of sequences as the channels of one scan, and of channels that a network names."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from napari_unet_seg.config import NormaliseConfig
from napari_unet_seg.errors import DataError
from napari_unet_seg.io.common.channels import NAMES
from napari_unet_seg.io.common.named_channels import by_name
from napari_unet_seg.io.common.scan import Scan
from napari_unet_seg.io.common.stacking import missing_note, stack
from napari_unet_seg.io.common.window import shared_window, to_uint8

RANDOM = np.random.default_rng(1)


def sequence(name: str, kind: Any = np.int16, high: int = 900) -> Scan:
    data = RANDOM.integers(1, high, (3, 16, 17)).astype(kind)
    return Scan(data, "ZYX", affine=np.eye(4), path=Path(f"{name}.nii.gz"))


def test_sequences_are_channels_in_the_order_of_the_names() -> None:
    t1c, flair = sequence("t1c"), sequence("flair", np.float32)
    both = stack({"FLAIR": flair, "T2": None, "T1c": t1c}, t1c)
    assert (both.axes, both.data.dtype, both.path) == ("ZYXC", np.float32, t1c.path)
    np.testing.assert_array_equal(both.data[..., 0], flair.data)
    np.testing.assert_array_equal(both.data[..., 2], t1c.data)
    assert not both.data[..., 1].any()
    assert missing_note(both, bears_missing=True) == "T2 is missing, and black for the network."
    assert "trained with all its sequences" in missing_note(both, bears_missing=False)
    assert missing_note(t1c, bears_missing=True) == ""


def test_a_sequence_of_another_grid_is_moved_and_told() -> None:
    t1c, flair = sequence("t1c"), sequence("flair")
    shifted = np.eye(4)
    shifted[2, 3] = 1
    both = stack({"T1c": t1c, "FLAIR": replace(flair, affine=shifted)}, t1c)
    np.testing.assert_allclose(both.data[1:, ..., 1], flair.data[:-1])
    assert both.meta["notes"] == ("FLAIR is put on the grid of T1c by interpolation.",)


def test_what_is_no_sequence_is_refused() -> None:
    t1c = sequence("t1c")
    with pytest.raises(DataError, match="has none of the sequences T1 and T2"):
        stack({"T1": None, "T2": None}, t1c)
    coloured = replace(t1c, data=np.zeros((3, 16, 17, 3), np.uint8), axes="ZYXC")
    with pytest.raises(DataError, match="has 3 colours or channels"):
        stack({"T1c": t1c, "FLAIR": coloured}, t1c)


def test_each_sequence_has_its_own_window_and_a_missing_one_is_black() -> None:
    low, high = sequence("t1c", high=100), sequence("flair", high=9000)
    both = stack({"T1c": low, "T2": None, "FLAIR": high}, low)
    for normalise in (
        NormaliseConfig(per_channel=True),
        NormaliseConfig(per_channel=True, window="range", low=0.01, high=60),
    ):
        windows = shared_window(both, normalise)
        assert windows is not None
        found = to_uint8(both.data, windows)
        alone = normalise.replace(per_channel=False)
        for channel, scan in ((0, low), (2, high)):
            window = shared_window(scan, alone)
            assert window is not None
            np.testing.assert_array_equal(found[..., channel], to_uint8(scan.data, window))
        assert not found[..., 1].any()


def many(*names: str) -> Scan:
    data = RANDOM.integers(0, 900, (3, 16, 17, len(names) or 2)).astype(np.int16)
    return Scan(data, "ZYXC", meta={NAMES: names})


def test_channels_are_found_by_their_names() -> None:
    scan = many("T1", "t1ce", "T2", "flair")
    found = by_name(scan, ("FLAIR", "T1c"))
    np.testing.assert_array_equal(found.data, scan.data[..., [3, 1]])
    assert found.meta[NAMES] == ("FLAIR", "T1c")
    lacking = by_name(many("T1", "T2"), ("T1", "FLAIR"))
    assert lacking.data.shape[-1] == 2
    assert missing_note(lacking, bears_missing=True).startswith("FLAIR is missing")
    with pytest.raises(DataError, match="that the model takes, PD and DWI; it has T1, t1ce, T2"):
        by_name(scan, ("PD", "DWI"))


def test_a_network_of_one_sequence_finds_it_among_the_channels() -> None:
    scan = many("T1", "FLAIR")
    np.testing.assert_array_equal(by_name(scan, ("FLAIR",)).data, scan.data[..., 1])
    for other in (scan, sequence("t2")):
        assert by_name(other, ("PD",)) is other


def test_a_file_of_one_sequence_is_the_channel_that_its_name_tells() -> None:
    found = by_name(sequence("patient_t2f"), ("T1c", "FLAIR"))
    assert (found.data[..., 1].any(), found.data[..., 0].any()) == (True, False)
    with pytest.raises(DataError, match="none of the sequences that the model takes"):
        by_name(sequence("scan"), ("T1c", "FLAIR"))


def test_channels_without_names_are_taken_in_their_order() -> None:
    scan = many()
    assert by_name(scan, ("T1c", "FLAIR")) is scan
    fourth = Scan(np.moveaxis(scan.data, -1, 0), "TZYX", (1.0, 3.0, 1.0, 1.0))
    moved = by_name(fourth, ("T1c", "FLAIR"))
    np.testing.assert_array_equal(moved.data, scan.data)
    assert (moved.axes, moved.spacing) == ("ZYXC", (3.0, 1.0, 1.0))
    colours = Scan(np.zeros((16, 17, 3), np.uint8), "YXC")
    assert by_name(colours, ("T1c", "FLAIR")) is colours
