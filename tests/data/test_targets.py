"""What prompts are simulated for: categories, their unions, superpixels, and what lies beside."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from scipy import ndimage

from napari_unet_seg.config import IGNORE_INDEX, Category, ModelConfig, TrainConfig
from napari_unet_seg.data.cache import SliceCache
from napari_unet_seg.data.prompts import simulation
from napari_unet_seg.data.prompts.marks import BOX, NEGATIVE, POSITIVE, PREVIOUS
from napari_unet_seg.data.prompts.neighbours import of_another_slice
from napari_unet_seg.data.prompts.simulation import prompted
from napari_unet_seg.data.prompts.slices_beside import SlicesBeside, parted
from napari_unet_seg.data.prompts.superpixels import superpixel
from napari_unet_seg.data.samples import SampleSet
from napari_unet_seg.data.scan_samples import samples_from_scan
from napari_unet_seg.engine import train
from napari_unet_seg.io.common.scan import Scan
from napari_unet_seg.training.trainer import Trainer

COUNT = 600
SIZE = 48


def nothing(inputs: torch.Tensor) -> np.ndarray:
    return np.zeros((len(inputs), *inputs.shape[2:]), bool)


@cache
def heads() -> torch.Tensor:
    """Grey discs with bright and dark parts, on black."""
    rng = np.random.default_rng(0)
    grid = np.indices((SIZE, SIZE)) - SIZE / 2
    head = np.hypot(*grid) < 20
    images = [
        head * (0.5 + 0.3 * ndimage.gaussian_filter(rng.normal(0, 4, head.shape), 3)).clip(0.2, 1)
        for _ in range(COUNT)
    ]
    return torch.from_numpy(np.stack(images)[:, None]).float()


def labels(*squares: tuple[int, int, int]) -> torch.Tensor:
    """COUNT masks with squares of (value, first row, first column), ten pixels a side."""
    mask = torch.zeros(COUNT, SIZE, SIZE, dtype=torch.uint8)
    for value, row, column in squares:
        mask[:, row : row + 10, column : column + 10] = value
    return mask


def drawn(mask: torch.Tensor, beside: torch.Tensor) -> tuple[np.ndarray, np.ndarray]:
    """Inputs and targets of one batch."""
    inputs, targets = prompted(heads(), mask, beside, nothing, np.random.default_rng(1))
    return inputs.numpy(), targets.numpy()


def test_a_superpixel_lies_between_edges():
    image = np.full((60, 60), 60, np.uint8)
    image[:, 30:] = 200
    image += np.random.default_rng(0).integers(0, 5, image.shape).astype(np.uint8)
    pieces = [superpixel(image, np.random.default_rng(seed)) for seed in range(20)]
    left = np.array([piece[:, :28].sum() for piece in pieces])
    right = np.array([piece[:, 32:].sum() for piece in pieces])
    assert (np.minimum(left, right) == 0).all() and (np.maximum(left, right) > 0).all()
    assert not superpixel(np.zeros((60, 60), np.uint8), np.random.default_rng(0)).any()


def test_a_few_slices_without_a_category_get_a_superpixel():
    empty = labels()
    inputs, targets = drawn(empty, empty)
    meant = targets.any((1, 2))
    assert 0.02 < meant.mean() < 0.12
    assert inputs[meant, 1:4].any((1, 2, 3)).all()
    assert not inputs[~meant, 1:].any()


def test_a_superpixel_takes_no_part_of_a_category():
    mask = labels((1, 10, 19))
    mask[:, 30:] = IGNORE_INDEX
    _, targets = drawn(mask, labels())
    whole = (targets == 1) & (mask.numpy() == 1)
    own = whole.sum((1, 2))
    assert set(own) <= {0, 100}
    pieces = ((targets == 1).any((1, 2))) & (own == 0)
    assert 0 < pieces.sum() < 0.12 * COUNT
    assert (targets[:, 30:] == IGNORE_INDEX).all()


THREE = labels((1, 10, 10), (2, 10, 25), (3, 28, 19))


def meant_on(mask: torch.Tensor, targets: np.ndarray) -> list[set[int]]:
    """Return the categories of each target."""
    return [set(m[t == 1].tolist()) for m, t in zip(mask.numpy(), targets, strict=True)]


def test_few_targets_are_unions_of_categories():
    counts = [len(values) for values in meant_on(THREE, drawn(THREE, labels())[1])]
    assert 0.03 < np.mean(np.array(counts) > 1) < 0.2 and max(counts) == 3


def test_each_category_of_a_union_is_marked(monkeypatch):
    monkeypatch.setattr(simulation, "ROUNDS", (1.0,))  # the first prompts alone
    monkeypatch.setattr(simulation, "_UNIONS", 1.0)
    inputs, targets = drawn(THREE, labels())
    # a mark on each of them, a lasso around all, or a mask
    shown = inputs[:, [1 + POSITIVE, 1 + BOX, 1 + PREVIOUS]].any(1)
    fresh = ~inputs[:, 1 + PREVIOUS].any((1, 2))
    for number, values in enumerate(meant_on(THREE, targets)):
        around = ndimage.binary_dilation(shown[number], iterations=8)
        assert all((THREE[number].numpy() == v)[around].any() for v in values)
    assert inputs[fresh, 1 + NEGATIVE].any()
    assert not inputs[fresh, 1 + NEGATIVE][targets[fresh] == 1].any()


def test_some_slices_start_from_the_true_mask_of_the_slice_beside():
    mask, beside = labels((1, 10, 10)), labels((1, 12, 12), (2, 28, 19))
    inputs, targets = drawn(mask, beside)
    near = {value: ndimage.binary_dilation(beside[0] == value, iterations=2) for value in (1, 2)}
    lassos = {value: (inputs[:, 1 + BOX] == near[value]).all((1, 2)) for value in near}
    assert 0.05 < lassos[1].mean() < 0.2 and 0.05 < lassos[2].mean() < 0.2
    assert (targets[lassos[1]] == mask[0].numpy()).all()
    # what has ended on the way here is not found here
    assert not targets[lassos[2]].any()
    kept = (inputs[:, 1 + PREVIOUS] == (beside[0] == 1).numpy()).all((1, 2))
    assert kept.any() and inputs[kept, 1 : 1 + BOX].any((1, 2, 3)).all()


def test_an_unknown_slice_beside_is_simulated():
    mask = labels((1, 14, 14))
    inputs, targets = drawn(mask, labels())
    truth = mask[0].numpy() == 1
    ended = ~targets.any((1, 2)) & inputs[:, 1 + BOX].any((1, 2))
    assert ended.any() and not inputs[ended, 1 + POSITIVE].any()
    assert not (inputs[ended, 1 + BOX].astype(bool) & truth).all((1, 2)).any()
    others = [of_another_slice(truth, np.random.default_rng(seed)) for seed in range(20)]
    dice = [2 * (o & truth).sum() / (o.sum() + truth.sum()) for o in others]
    assert 0.5 < np.mean(dice) < 0.9 and all(o.any() for o in others)


def volume(axes: str, shape: tuple[int, ...]) -> tuple:
    """Samples of a scan on whose slice n all labels are n + 1."""
    scan = Scan(np.zeros((*shape, 8, 8)), axes, path=Path("scan.nii"), names=("a", "b", "c"))
    numbers = np.arange(1, np.prod(shape) + 1).reshape(*shape, 1, 1)
    return samples_from_scan(scan, np.broadcast_to(numbers, (*shape, 8, 8)))


def beside_each(samples: tuple) -> list[set[int]]:
    """The labels that are drawn beside each sample."""
    masks = np.stack([s.mask for s in samples]).astype(np.uint8)
    items = SliceCache(np.zeros((len(masks), 1, 8, 8), np.uint8), masks, np.arange(len(masks)))
    near, every = SlicesBeside(samples), np.arange(len(masks))
    rng, found = np.random.default_rng(0), [set() for _ in samples]
    for _ in range(10):
        own, beside = parted(near.joined(torch.from_numpy(masks), items, every, rng))
        torch.testing.assert_close(own, torch.from_numpy(masks))
        for labels_beside, drawn_here in zip(beside, found, strict=True):
            drawn_here |= set(labels_beside.unique().tolist())
    return found


def test_slices_beside_are_those_of_the_volume_in_the_split():
    samples = volume("ZYX", (5,))
    assert beside_each(samples) == [{2}, {1, 3}, {2, 4}, {3, 5}, {4}]
    assert beside_each((samples[0], samples[1], samples[4])) == [{2}, {1}, {0}]


def test_a_volume_of_another_time_and_other_pictures_are_not_beside():
    assert beside_each(volume("TZYX", (2, 2))) == [{2}, {1}, {4}, {3}]
    assert beside_each(volume("NYX", (3,))) == [{0}] * 3


def test_labels_of_both_slices_survive_together():
    masks = torch.tensor([[[0, 7, 254, IGNORE_INDEX]]], dtype=torch.uint8)
    taken = SimpleNamespace(owner=int, take=lambda *_: (None, masks.flip(-1)))
    near = SlicesBeside(volume("ZYX", (2,)))
    own, beside = parted(near.joined(masks, taken, np.array([0]), np.random.default_rng(0)))
    assert torch.equal(own, masks) and torch.equal(beside, masks.flip(-1))


@pytest.mark.parametrize("turned", [False, True])
def test_a_training_with_prompts_sees_the_slices_beside(tmp_path, monkeypatch, turned):
    """Each object is on every other slice, and the augmentation turns both alike."""
    image = np.random.default_rng(0).random((20, 32, 32))
    mask = np.zeros(image.shape, np.uint8)
    mask[::2, 4:14, 6:16], mask[1::2, 18:26, 4:14] = 1, 2
    seen = []
    step = Trainer.step

    def noted(trainer: Trainer, inputs: torch.Tensor, targets: torch.Tensor, number: int) -> float:
        seen.append((inputs[:, 1:].clone(), targets.clone()))
        return step(trainer, inputs, targets, number)

    monkeypatch.setattr(Trainer, "step", noted)
    config = TrainConfig(
        epochs=4,
        image_size=32,
        valid_fraction=0,
        twins=False,
        device="cpu",
        precision="float32",
        model=ModelConfig(width=4, depth=1, prompts=True),
    )
    changes = {"translate": False, "rotate": False, "turn": turned, "probability": 1}
    config = config.replace(augment=config.augment.replace(**changes))
    samples = samples_from_scan(Scan(image, "ZYX"), mask)
    sides = Category(id=1, name="first"), Category(id=2, name="last")
    list(train(config, SampleSet(samples, sides, "scan", confirmed=True), tmp_path / "run"))
    maps, targets = (torch.cat(part).numpy() for part in zip(*seen, strict=True))
    ended = maps[:, BOX].any((1, 2)) & ~targets.any((1, 2))
    found = {lasso.astype(bool).tobytes() for lasso in maps[ended, BOX]}
    lassos = [ndimage.binary_dilation(mask[n] > 0, iterations=2) for n in (0, 1)]
    turns = [np.rot90(lasso, n) for lasso in lassos for n in range(4 if turned else 1)]
    assert found <= {turn.tobytes() for turn in turns}
    assert len(found) > 2 if turned else len(found) == 2
