"""Views come invert to the grid they started from."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from napari_unet_seg.inference.tta import VIEWS, augmented_forward, rotated

VIEWS_OF_ALL = [view for views in VIEWS.values() for view in views]


def smooth(*size):
    """A blob off the middle, dark at the border."""
    rows, columns = torch.meshgrid(*(torch.linspace(-1, 1, n) for n in size[-2:]), indexing="ij")
    blob = torch.exp(-((rows - 0.2) ** 2 + (columns + 0.3) ** 2) / 0.08)
    return blob.expand(size).contiguous()


@pytest.mark.parametrize("size", [(1, 1, 64, 64), (2, 1, 80, 48), (1, 2, 5, 64, 72)])
@pytest.mark.parametrize("view", VIEWS_OF_ALL)
def test_invert_undoes_transform(view, size):
    image = smooth(*size)
    again = view.invert(view.transform(image))
    assert again.shape == image.shape
    assert (again - image).abs().max() < 0.05


def test_a_turn_keeps_the_shape_of_things_on_oblong_slices():
    image = torch.zeros(1, 1, 40, 120)
    image[..., 20, 60:100] = 1
    rows, columns = np.nonzero(rotated(image, 7.0)[0, 0].numpy() > 0.3)
    angle = np.degrees(np.arctan2(*(np.ptp(axis) for axis in (rows, columns))))
    assert np.ptp(columns) == pytest.approx(39 * np.cos(np.radians(7)), abs=2)
    assert angle == pytest.approx(7, abs=1.5)


def test_high_pixels_are_turned_as_high():
    """A row of pixels three times as high as wide rises by a third of the rows."""
    image = torch.zeros(1, 1, 60, 120)
    image[..., 30, 60:110] = 1
    rows, columns = np.nonzero(rotated(image, 7.0, 3.0)[0, 0].numpy() > 0.3)
    angle = np.degrees(np.arctan2(3 * np.ptp(rows), np.ptp(columns)))
    assert angle == pytest.approx(7, abs=2.5)
    assert np.ptp(rotated(image, 7.0)[0, 0].numpy().max(1).nonzero()[0]) > 1.5 * np.ptp(rows)


def test_views_of_a_pointwise_net_agree():
    image = smooth(2, 1, 64, 64)
    logits, disagreement = augmented_forward(
        lambda x: 4 * x - 2, image, "flips and turns", "sigmoid"
    )
    assert torch.allclose(logits, 4 * image - 2, atol=0.2)
    assert disagreement.shape == (2, 64, 64)
    assert disagreement.max() < 0.05


def test_views_of_a_net_that_prefers_one_side_disagree():
    image = torch.zeros(1, 1, 8, 8)
    side = torch.linspace(-4, 4, 8).expand(1, 1, 8, 8)
    logits, disagreement = augmented_forward(lambda x: x + side, image, "mirrored", "sigmoid")
    assert torch.allclose(logits, torch.zeros(1, 1, 8, 8), atol=1e-6)
    wanted = (side.sigmoid() - side.flip(-1).sigmoid()).abs() / 2
    assert torch.allclose(disagreement, wanted[:, 0], atol=1e-6)


def test_one_view_has_no_spread():
    _, disagreement = augmented_forward(lambda x: x, torch.rand(1, 1, 4, 4), "plain", "sigmoid")
    assert not disagreement.any()
