"""Samples read into memory."""

from __future__ import annotations

import numpy as np
import pytest
import tifffile
from PIL import Image

from napari_unet_seg.config import IGNORE_INDEX, NormaliseConfig
from napari_unet_seg.data.cache import build_cache, read_sample
from napari_unet_seg.data.samples import Sample
from napari_unet_seg.data.twins import thumbnails, twin_groups
from napari_unet_seg.errors import DataError

NORMALISE = NormaliseConfig()


def finish(generator):
    try:
        while True:
            next(generator)
    except StopIteration as end:
        return end.value


def sample(image, mask, **more):
    return Sample("slice", image, mask, "scan", **more)


def test_images_and_masks_are_brought_to_one_size():
    rng = np.random.default_rng(0)
    samples = []
    for size in [(40, 60), (64, 64), (200, 100)]:
        mask = np.zeros(size, np.uint8)
        mask[: size[0] // 2] = 1
        samples.append(sample(rng.random(size), mask))
    cache = finish(build_cache(samples, 64, 1, 1, NORMALISE))
    assert cache.images.shape == (3, 1, 64, 64) and cache.images.dtype == np.uint8
    wide, square, tall = cache.masks
    # the proportions stay: 40 of 60 rows are 43 of 64
    assert (wide[:10] == IGNORE_INDEX).all() and (wide[53:] == IGNORE_INDEX).all()
    assert (wide[11:31] == 1).all() and (wide[33:52] == 0).all()
    assert (square[:32] == 1).all() and (square[32:] == 0).all()
    assert (tall[:, :16] == IGNORE_INDEX).all() and (tall[:, 48:] == IGNORE_INDEX).all()
    assert (tall[:32, 16:48] == 1).all() and (tall[32:, 16:48] == 0).all()
    assert not cache.images[0, 0, :10].any() and cache.images[0, 0, 11:52].any()


def test_turned_copies_that_are_not_square_stay_twins():
    rng = np.random.default_rng(0)
    image = np.kron(rng.random((8, 12)), np.ones((8, 8)))
    samples = [
        sample(np.rot90(image, turns), np.zeros(np.rot90(image, turns).shape, np.uint8))
        for turns in range(4)
    ]
    cache = finish(build_cache(samples, 64, 1, 1, NORMALISE))
    assert len(set(twin_groups(thumbnails(cache.images)).tolist())) == 1


def test_progress_is_told():
    blank = np.zeros((32, 32), np.uint8)
    events = list(build_cache([sample(blank, blank)] * 70, 32, 1, 1, NORMALISE))
    assert [(e.index, e.count) for e in events] == [(32, 70), (64, 70)]


@pytest.mark.parametrize("on", [1, 255, True])
def test_binary_mask_files_mean_the_first_class(tmp_path, on):
    mask = np.zeros((32, 32), np.uint8)
    mask[4:9] = on
    tifffile.imwrite(tmp_path / "m.tif", mask)
    _, read = read_sample(sample(np.ones((32, 32)), tmp_path / "m.tif"), 1, NORMALISE)
    assert np.array_equal(read, mask > 0)


def test_a_mask_file_of_fractions_is_refused(tmp_path):
    tifffile.imwrite(tmp_path / "m.tif", np.full((32, 32), 0.5, np.float32))
    with pytest.raises(DataError, match=r"m\.tif holds fractions"):
        read_sample(sample(np.ones((32, 32)), tmp_path / "m.tif"), 1, NORMALISE)


def test_unreviewed_pixels_beside_labels_stay_unreviewed(tmp_path):
    mask = np.zeros((32, 32), np.uint8)
    mask[4:9], mask[20:] = 2, IGNORE_INDEX
    tifffile.imwrite(tmp_path / "m.tif", mask)
    _, read = read_sample(sample(np.ones((32, 32)), tmp_path / "m.tif"), 1, NORMALISE)
    assert np.array_equal(read, mask)


def test_one_bit_png_masks_are_read(tmp_path):
    mask = np.zeros((32, 32), bool)
    mask[3:5] = True
    Image.fromarray(mask).save(tmp_path / "m.png")
    _, read = read_sample(sample(np.ones((32, 32)), tmp_path / "m.png"), 1, NORMALISE)
    assert np.array_equal(read, mask)


def test_the_window_of_a_volume_is_used():
    image = np.linspace(0, 50, 1024).reshape(32, 32)
    read, _ = read_sample(
        sample(image, np.zeros((32, 32), np.uint8), window=(0.0, 100.0)), 1, NORMALISE
    )
    assert read.max() == 127


def test_nan_and_colour_are_read():
    image = np.random.default_rng(0).random((32, 32, 3))
    image[0, 0] = np.nan
    read, _ = read_sample(sample(image, np.zeros((32, 32), np.uint8)), 1, NORMALISE)
    assert read.shape == (32, 32, 1) and read[0, 0, 0] == 0


@pytest.mark.parametrize(
    ("image", "mask", "channels", "message"),
    [
        (np.ones((32, 32)), np.ones((32, 31), int), 1, "image"),
        (np.ones((32, 32)), np.full((32, 32), 999), 1, "holds the label 999"),
        (np.ones((32, 32)), np.ones((32, 32), int), 2, "takes 2"),
    ],
)
def test_what_does_not_fit_is_refused(image, mask, channels, message):
    with pytest.raises(DataError, match=message):
        read_sample(sample(image, mask), channels, NORMALISE)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_a_window_of_the_range_is_that_of_the_file_in_colour_too(dtype):
    grey = np.linspace(0, np.iinfo(dtype).max, 1024).reshape(32, 32).astype(dtype)
    how = NormaliseConfig(window="range", low=20, high=60)
    mask = np.zeros((32, 32), np.uint8)
    plain, _ = read_sample(sample(grey, mask), 1, how)
    colour, _ = read_sample(sample(np.stack([grey] * 3, -1), mask), 1, how)
    assert 0 < plain.mean() < 255
    np.testing.assert_allclose(colour, plain, atol=1)
