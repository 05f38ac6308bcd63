"""Where a network of prompts looks, and how it sees what is marked."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from napari_unet_seg.config import Category, ModelConfig, NormaliseConfig
from napari_unet_seg.inference.prompted.window import marks, window_around
from napari_unet_seg.models.header import CheckpointInfo


def info(size: int = 256, **model: object) -> CheckpointInfo:
    return CheckpointInfo(
        version="0",
        model=ModelConfig(prompts=True, **model),
        categories=(Category(id=1, name="target"),),
        normalise=NormaliseConfig(),
        image_size=size,
        patch_slices=32,
    )


def marked(shape: tuple[int, ...], *boxes: tuple[tuple[int, int], ...]) -> np.ndarray:
    found = np.zeros(shape, bool)
    for box in boxes:
        found[tuple(slice(*side) for side in box)] = True
    return found


@pytest.mark.parametrize(
    ("shape", "box", "sides", "size"),
    [
        # a point in an image of the size of training: three quarters of it, as it is
        ((256, 256), ((128, 129), (128, 129)), ((32, 224), (32, 224)), (192, 192)),
        # at the border the window stays within
        ((256, 256), ((3, 4), (250, 251)), ((0, 192), (64, 256)), (192, 192)),
        # a large image is seen closer, in as many pixels
        ((1024, 1024), ((512, 513), (512, 513)), ((263, 762), (263, 762)), (192, 192)),
        # what is large is seen whole, with a margin
        ((1024, 1024), ((100, 900), (500, 501)), ((0, 1000), (0, 1000)), (256, 256)),
        # a small one is enlarged, as in training
        ((128, 128), ((64, 65), (64, 65)), ((16, 112), (16, 112)), (192, 192)),
        # a narrow one is no wider than it is
        ((256, 64), ((128, 129), (30, 31)), ((32, 224), (0, 64)), (192, 64)),
        # without a mark the whole is seen
        ((256, 256), None, ((0, 256), (0, 256)), (205, 205)),
    ],
)
def test_the_window_is_around_the_marks(shape, box, sides, size):
    found = window_around(marked(shape, *([box] if box else [])), info())
    assert tuple((s.start, s.stop) for s in found.sides) == sides
    assert found.size == size


@pytest.mark.parametrize("length", [64, 200, 256, 500, 640, 2000])
@pytest.mark.parametrize("seed", range(5))
def test_the_network_sees_no_more_in_a_larger_image(length, seed):
    rng = np.random.default_rng(seed)
    low = rng.integers(0, length - 8, 2)
    high = low + rng.integers(1, 8 + (length - low) // 2)
    image = marked((length, length), tuple(zip(low, high, strict=True)))
    sides, size = window_around(image, info())
    assert max(size) <= 256 + 1
    assert image[sides].sum() == image.sum()


def test_of_a_volume_some_slices_are_seen():
    image = marked((100, 256, 256), ((50, 51), (128, 129), (128, 129)))
    sides, size = window_around(image, info(dimensions=3))
    assert (sides[0].start, sides[0].stop) == (34, 66) and size == (32, 192, 192)
    deep = window_around(marked((100, 256, 256), ((10, 74), (9, 12), (9, 12))), info(dimensions=3))
    assert (deep.sides[0].start, deep.sides[0].stop) == (10, 74) and deep.size[0] == 32


@pytest.mark.parametrize("shape", [(60, 60), (12, 40, 40)])
def test_a_single_pixel_is_still_seen_when_the_image_shrinks(shape):
    prompts = np.zeros((3, *shape), bool)
    prompts[(0, *[n // 2 for n in shape])] = True
    size = tuple(max(4, n // 3) for n in shape)
    seen = marks(prompts, size)
    assert seen.shape == (3, *size)
    assert seen[0].sum() == 3 ** len(shape) and not seen[1:].any()


def test_a_broad_stroke_and_a_box_stay_as_they_are():
    prompts = np.zeros((3, 40, 40), bool)
    prompts[1, 10:14, 5:30] = prompts[2, 3:4, 3:30] = True
    assert torch.equal(marks(prompts, (40, 40)), torch.from_numpy(prompts).float())
