"""Tiles cover every pixel, and the seams are invisible."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_unet_seg.inference.predictor import blend_tiles
from napari_unet_seg.inference.tiling import (
    gaussian_weights,
    tile_slices,
    tile_starts,
    tile_weights,
)


@given(st.integers(1, 700), st.integers(1, 256), st.floats(0, 0.9))
def test_tiles_cover_the_axis_and_end_at_its_border(length, tile, overlap):
    starts = tile_starts(length, tile, overlap)
    covered = np.zeros(length, int)
    for start in starts:
        covered[start : start + tile] += 1
    assert covered.min() >= 1
    assert starts == sorted(set(starts))
    if length > tile:
        assert starts[0] == 0 and starts[-1] + tile == length
        widest = max(np.diff(starts))
        assert widest <= max(1, int(tile * (1 - overlap))) + 1  # starts are rounded


def test_window_is_largest_in_the_middle_and_never_zero():
    window = gaussian_weights(32, 32)
    assert window.argmax() in (15 * 32 + 15, 15 * 32 + 16, 16 * 32 + 15, 16 * 32 + 16)
    assert window.min() > 0
    assert np.allclose(window, window[::-1, ::-1])


@pytest.mark.parametrize("size", [(64, 64), (65, 130), (100, 33), (20, 20)])
@pytest.mark.parametrize("overlap", [0.0, 0.25, 0.5])
def test_tiles_of_a_pointwise_net_equal_the_whole(size, overlap):
    image = torch.rand(2, 1, *size, generator=torch.Generator().manual_seed(0))

    def net(x):
        return torch.cat([x * 3 - 1, 1 - x], dim=1)

    tiled = blend_tiles(image, net, 32, overlap)
    assert torch.allclose(tiled, net(image), atol=1e-5)


@pytest.mark.parametrize("size", [(64, 64), (65, 130), (100, 33), (20, 20)])
@pytest.mark.parametrize(("radius", "overlap"), [(1, 0.25), (1, 0.5), (3, 0.5)])
def test_no_seam_of_a_net_that_looks_at_neighbours(size, radius, overlap):
    generator = torch.Generator().manual_seed(0)
    image = torch.rand(2, 1, *size, generator=generator)
    kernel = torch.randn(1, 1, 2 * radius + 1, 2 * radius + 1, generator=generator)

    def net(x):
        return torch.nn.functional.conv2d(x, kernel, padding=radius)

    tiled = blend_tiles(image, net, 32, overlap)
    assert torch.allclose(tiled, net(image), atol=1e-4)


@settings(deadline=None)  # many tiles on a slow machine
@given(
    st.lists(st.tuples(st.integers(1, 60), st.integers(8, 40)), min_size=1, max_size=2),
    st.floats(0, 0.8),
)
def test_every_pixel_has_a_weight(axes, overlap):
    shape, size = zip(*axes, strict=True)
    weight = np.zeros(shape)
    for place in tile_slices(shape, size, overlap):
        weight[place] += tile_weights(place, shape, size, overlap)
    assert weight.min() > 0
