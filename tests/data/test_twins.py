"""Near-duplicates in eight orientations."""

from __future__ import annotations

import numpy as np
import pytest

from napari_unet_seg.data.twins import twin_groups


@pytest.fixture
def slices() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 255, (20, 32, 32)).astype(np.uint8)


@pytest.mark.parametrize("turns", range(4))
@pytest.mark.parametrize("mirror", [False, True])
def test_a_turned_copy_joins_its_original(slices, turns, mirror):
    copy = np.rot90(slices[3][:, ::-1] if mirror else slices[3], turns)
    noisy = np.clip(copy + np.random.default_rng(1).normal(0, 5, copy.shape), 0, 255)
    groups = twin_groups(np.concatenate([slices, noisy[None].astype(np.uint8)]))
    assert groups[-1] == groups[3]
    assert len(set(groups)) == 20


def test_strangers_stay_apart(slices):
    assert len(set(twin_groups(slices))) == 20


def test_twins_of_twins_share_a_group(slices):
    a, b = slices[0].astype(float), slices[1].astype(float)
    chain = np.stack([a, 0.92 * a + 0.08 * b, 0.84 * a + 0.16 * b, b])
    first_to_third = np.corrcoef(chain[0].ravel(), chain[2].ravel())[0, 1]
    assert first_to_third < 0.99
    assert len(set(twin_groups(chain, threshold=0.99))) == 2
