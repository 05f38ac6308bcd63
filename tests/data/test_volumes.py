"""RandomPatches of volumes."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from napari_unet_seg.config import IGNORE_INDEX, ModelConfig, TrainConfig
from napari_unet_seg.data.samples import Sample
from napari_unet_seg.data.volumes import GridPatches, RandomPatches, Volume, read_volumes
from napari_unet_seg.errors import DataError

SHAPES = [(9, 20, 31), (4, 7, 5), (16, 16, 16), (17, 33, 16)]
SIZE = (8, 16, 16)


def volume(shape: tuple[int, ...], labels: float = 0.3) -> Volume:
    rng = np.random.default_rng(0)
    image = rng.integers(1, 255, (1, *shape)).astype(np.uint8)
    return Volume(image, (rng.random(shape) < labels).astype(np.uint8))


def generator() -> torch.Generator:
    return torch.Generator().manual_seed(0)


@pytest.mark.parametrize("shape", SHAPES)
def test_tiles_count_every_voxel_once(shape):
    known = volume(shape)
    tiles = GridPatches([known, known], SIZE)
    _, masks = tiles.take(np.arange(len(tiles)))
    owners = np.array([tiles.owner(i) for i in range(len(tiles))])
    for owner in (0, 1):
        mine = masks.numpy()[owners == owner]
        assert np.count_nonzero(mine != IGNORE_INDEX) == known.mask.size
        assert np.count_nonzero(mine == 1) == known.mask.sum()


@pytest.mark.parametrize("shape", SHAPES)
def test_patches_are_cut_from_image_and_mask_alike(shape):
    known = volume(shape)
    known = Volume(known.image, (known.image[0] > 128).astype(np.uint8))
    patches = RandomPatches([known], SIZE)
    images, masks = patches.take(np.zeros(50, int), generator())
    assert images.shape == (50, 1, *SIZE) and masks.shape == (50, *SIZE)
    inside = masks != IGNORE_INDEX
    assert torch.equal((images[:, 0] * 255 > 128)[inside], (masks > 0)[inside])
    assert not images[:, 0][~inside].any()


def test_patches_reach_every_corner_and_half_of_them_a_small_lesion():
    lesion = volume((24, 48, 48), labels=0)
    lesion.mask[20, 5, 40] = 1
    lesion.image[:] = np.arange(24, dtype=np.uint8)[:, None, None]
    images, masks = RandomPatches([lesion], SIZE).take(np.zeros(400, int), generator())
    firsts = (images[:, 0, 0, 0, 0] * 255).round().int().tolist()
    assert min(firsts) == 0 and max(firsts) == 16
    share = float((masks == 1).flatten(1).any(1).float().mean())
    assert share == pytest.approx(0.5 + 0.5 * 0.05, abs=0.07)


def test_an_epoch_sees_a_volume_as_often_as_patches_fit_into_it():
    patches = RandomPatches([volume((16, 32, 32)), volume((8, 16, 16)), volume((3, 4, 5))], SIZE)
    assert [patches.owner(i) for i in range(len(patches))] == [0] * 8 + [1, 2]


def test_unlabelled_volumes_are_known_as_such():
    blank = volume((8, 16, 16), labels=0)
    blank.mask[0] = IGNORE_INDEX
    assert RandomPatches([blank], SIZE).labels == GridPatches([blank], SIZE).labels == set()
    assert RandomPatches([blank, volume((8, 16, 16))], SIZE).labels == {1}


def test_a_slice_is_refused():
    flat = Sample("flat", np.ones((8, 8)), np.ones((8, 8), np.uint8), "flat")
    config = TrainConfig(image_size=32, model=ModelConfig(dimensions=3, depth=2))
    with pytest.raises(DataError, match=r"flat is a slice .* set model.dimensions to 2"):
        list(read_volumes([flat], config, 1))
