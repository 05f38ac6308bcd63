from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from scipy.ndimage import binary_fill_holes, label

from napari_unet_seg.correct.box_grid import SIDE, box_channels, from_grid
from napari_unet_seg.correct.box_net import box_logits, box_net_weights
from napari_unet_seg.correct.outline import outline_in_box

if TYPE_CHECKING:
    from napari_unet_seg.arrays import Array

Y, X = np.mgrid[:128, :128]
RNG = np.random.default_rng(0)
SILENT = np.zeros(Y.shape, np.float32)


def disc(y: int, x: int, height: int, width: int) -> tuple[Array, tuple[int, int, int, int]]:
    """An ellipse and its box."""
    mask = ((Y - y) / (height / 2)) ** 2 + ((X - x) / (width / 2)) ** 2 < 1
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    return mask, (rows[0], columns[0], rows[-1] + 1, columns[-1] + 1)


DISC, BOX = disc(60, 64, 36, 50)
IMAGE = 60 + 80 * DISC + RNG.normal(0, 12, DISC.shape)


def iou(mask: Array, truth: Array) -> float:
    return float((mask & truth).sum() / (mask | truth).sum())


CASTS = {
    "uint8": lambda image: np.clip(image, 0, 255).astype(np.uint8),
    "uint16": lambda image: np.clip(image * 200, 0, 65535).astype(np.uint16),
    "int16 below zero": lambda image: (image * 10 - 1500).astype(np.int16),
    "float32": lambda image: image.astype(np.float32),
    "with NaN": lambda image: np.where(RNG.random(image.shape) < 0.02, np.nan, image),
    "inverted": lambda image: -image,
}


@pytest.mark.parametrize("cast", CASTS.values(), ids=CASTS)
def test_a_disc_that_the_network_missed(cast: Any) -> None:
    assert iou(outline_in_box(cast(IMAGE), SILENT, BOX), DISC) > 0.9


def test_the_network_is_followed_where_grey_values_say_nothing() -> None:
    half = DISC & (X < 64 + (Y - 60))
    noise = RNG.normal(0, 1, DISC.shape)
    with_network = outline_in_box(noise, np.where(half, 0.98, 0.02), BOX)
    assert iou(with_network, half) > iou(outline_in_box(noise, SILENT, BOX), half) + 0.1


def test_a_shape_that_is_no_ellipse() -> None:
    """A crescent's bright pixels, not the ellipse of its box."""
    crescent = DISC & ((Y - 75) ** 2 + (X - 64) ** 2 > 18**2)
    image = 60 + 80 * crescent + RNG.normal(0, 8, DISC.shape)
    assert iou(DISC, crescent) < 0.65
    assert iou(outline_in_box(image, np.where(crescent, 0.9, 0.05), BOX), crescent) > 0.8


@pytest.mark.parametrize("shift", [(0, -64), (0, 60), (-60, 0), (66, 62)])
def test_a_box_over_the_border(shift: tuple[int, int]) -> None:
    truth, _ = disc(60 + shift[0], 64 + shift[1], 36, 50)
    image = 60 + 80 * truth + RNG.normal(0, 12, truth.shape)
    box = tuple(edge + step for edge, step in zip(BOX, shift * 2, strict=True))
    inside = np.zeros(truth.shape, bool)
    inside[max(box[0], 0) : box[2], max(box[1], 0) : box[3]] = True
    found = outline_in_box(image, SILENT, box)
    assert not (found & ~inside).any()
    assert iou(found, truth) > 0.75


@pytest.mark.parametrize(
    ("box", "pixels"),
    [
        ((5, 6, 6, 7), 1),
        ((127, 127, 128, 128), 1),
        ((5, 6, 5, 20), 0),
        ((20, 6, 5, 20), 0),
        ((200, 200, 220, 220), 0),
        ((-9, -9, 0, 0), 0),
    ],
)
def test_boxes_of_a_pixel_or_none(box: tuple[int, int, int, int], pixels: int) -> None:
    assert outline_in_box(IMAGE, SILENT, box).sum() == pixels


@pytest.mark.parametrize("box", [BOX, (0, 0, 128, 128), (10, 10, 11, 100), (30, 30, 33, 32)])
@pytest.mark.parametrize("value", [0, 0.1, 1e6, np.nan])
@pytest.mark.parametrize("probability", [0, 1, np.nan])
def test_an_image_without_edges(box: Any, value: float, probability: float) -> None:
    flat = np.full(DISC.shape, value)
    found = outline_in_box(flat, np.full(DISC.shape, probability), box)
    assert found.any()
    assert not found[: box[0]].any()


@pytest.mark.parametrize("seed", range(8))
def test_it_is_one_object_without_holes(seed: int) -> None:
    rng = np.random.default_rng(seed)
    image, probability = rng.random((2, *DISC.shape))
    found = outline_in_box(image, probability**4, BOX)
    assert label(found)[1] == 1
    assert (binary_fill_holes(found) == found).all()


def test_where_nothing_is_found_it_is_the_ellipse(monkeypatch: pytest.MonkeyPatch) -> None:
    """Some object is in the box, for the user has drawn it."""
    never = {name: value * 0 for name, value in box_net_weights().items()}
    never["last.bias"] = np.array([-1], np.float32)
    monkeypatch.setattr("napari_unet_seg.correct.outline.box_net_weights", lambda: never)
    assert iou(outline_in_box(IMAGE, SILENT, BOX), DISC) > 0.95


@pytest.mark.parametrize("box", [BOX, (0, 0, 128, 128), (60, 60, 63, 64), (-20, 100, 40, 140)])
def test_the_grid_lies_on_the_box(box: tuple[int, int, int, int]) -> None:
    """A ramp goes through the grid and back unchanged, up to half a pixel at the borders."""
    ramp = (Y + 2 * X).astype(np.float32)
    clipped = (max(box[0], 0), max(box[1], 0), min(box[2], 128), min(box[3], 128))
    channels = box_channels(ramp, ramp / 384, clipped)
    assert channels.shape == (5, 72, 72)
    back = from_grid(channels[1], clipped)
    part = ramp[clipped[0] : clipped[2], clipped[1] : clipped[3]]
    slope, offset = np.polyfit(back.ravel(), part.ravel(), 1)
    size = max(part.shape)
    assert abs(slope * back + offset - part).max() <= 1.5 + size / SIDE


def test_the_net_is_that_of_torch() -> None:
    """The same layers written in torch give the same logits."""
    torch = pytest.importorskip("torch")
    functional = torch.nn.functional
    weights = box_net_weights()
    tensors = {name: torch.from_numpy(value) for name, value in weights.items()}

    def block(x: Any, name: str) -> Any:
        for step in (0, 1):
            weight, bias = (tensors[f"{name}.{step}.{part}"] for part in ("weight", "bias"))
            x = functional.relu(functional.conv2d(x, weight, bias, padding=1))
        return x

    channels = RNG.normal(size=(5, 72, 72)).astype(np.float32)
    given = features = torch.from_numpy(channels)[None]
    skipped = []
    for level in range(4):
        features = functional.max_pool2d(features, 2) if level else features
        features = block(features, f"down.{level}")
        skipped.append(features)
    for level in (2, 1, 0):
        doubled = functional.interpolate(features, scale_factor=2)
        features = block(torch.cat([doubled, skipped[level]], 1), f"up.{level}")
    last = torch.cat([features, given], 1)
    expected = functional.conv2d(last, tensors["last.weight"], tensors["last.bias"])
    np.testing.assert_allclose(box_logits(channels, weights), expected[0, 0], atol=1e-3)
