"""Intensity windows."""

from __future__ import annotations

import dask.array as da
import numpy as np
import pytest

from napari_unet_seg.config import NormaliseConfig
from napari_unet_seg.io.common.window import percentile_window, scan_window, to_grey, to_uint8


def test_zeros_and_values_that_are_not_finite_do_not_count():
    data = np.zeros((10, 20))
    data[5:] = np.linspace(100, 200, 100).reshape(5, 20)
    data[0, :2] = np.nan, np.inf
    low, high = percentile_window(data, 1, 99)
    assert low == pytest.approx(101, abs=0.1) and high == pytest.approx(199, abs=0.1)


@pytest.mark.parametrize("background", [-3.5, 0.0])
def test_the_background_of_a_shifted_scan_does_not_count(background):
    data = np.full((10, 20), background)
    data[5:] = np.linspace(-2, 6, 100).reshape(5, 20)
    assert percentile_window(data, 0, 100) == (-2, 6)


def test_a_rare_lowest_value_counts():
    data = np.linspace(-2, 6, 200).reshape(10, 20)
    assert percentile_window(data, 0, 100) == (-2, 6)


@pytest.mark.parametrize("data", [np.zeros((8, 8)), np.full((8, 8), 7), np.ones((8, 8), bool)])
def test_flat_scans_have_a_window(data):
    low, high = percentile_window(data, 1, 99)
    assert high > low
    assert to_uint8(data, (low, high)).dtype == np.uint8


def test_a_long_volume_is_sampled():
    read = []

    def load(block_id):
        read.append(block_id[0])
        return np.full((1, 16, 16), block_id[0] + 1)

    lazy = da.map_blocks(
        load, chunks=((1,) * 500, (16,), (16,)), dtype=int, meta=np.empty((0, 0, 0), int)
    )
    low, high = percentile_window(lazy, 0, 100)
    assert len(set(read)) <= 64
    assert low < 20 and high > 480


def test_grey_of_colour():
    white = np.full((2, 2, 4), 200, np.uint8)
    assert to_grey(white) == pytest.approx(200, abs=0.5)
    green = np.zeros((1, 1, 3))
    green[..., 1] = 100
    assert to_grey(green).item() == pytest.approx(58.7, abs=0.1)


def test_uint8_is_clipped_and_clean():
    data = np.array([-5, 0, 50, 100, 900, np.nan, np.inf, -np.inf])
    assert to_uint8(data, (0, 100)).tolist() == [0, 0, 127, 255, 255, 0, 255, 0]


@pytest.mark.parametrize(
    ("dtype", "expected"),
    [(np.uint8, (25.5, 204.0)), (np.uint16, (6553.5, 52428.0)), (np.float32, (0.1, 0.8))],
)
def test_a_window_of_the_range_does_not_look_at_the_scan(dtype, expected):
    how = NormaliseConfig(window="range", low=10, high=80)
    assert scan_window(np.full((4, 4), 1, dtype), how) == pytest.approx(expected)


def test_a_window_of_percentiles_is_the_default():
    data = np.arange(1, 101).reshape(10, 10)
    assert scan_window(data, NormaliseConfig()) == percentile_window(data, 1.0, 99.5)


@pytest.mark.parametrize("shape", [(3, 50), (200, 50), (2, 1), (5, 7, 90)])
def test_of_many_volumes_few_slices_are_read_and_the_brightest_counts(
    shape: tuple[int, ...],
) -> None:
    asked = []

    def read(block: np.ndarray, block_info: dict[int, dict[str, tuple[int, ...]]]) -> np.ndarray:
        asked.append(block_info[0]["chunk-location"])
        return block

    values = np.broadcast_to(
        np.arange(shape[0]).reshape(-1, *[1] * (len(shape) + 1)), (*shape, 4, 5)
    )
    lazy = da.from_array(values + 1, chunks=(*[1] * len(shape), 4, 5))
    low, high = percentile_window(da.map_blocks(read, lazy, dtype=lazy.dtype), 0, 100)
    assert min(64, np.prod(shape)) / 4 < len(asked) <= 64
    assert low == 1 and high >= 0.8 * shape[0]
