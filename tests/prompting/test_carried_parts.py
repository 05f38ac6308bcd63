"""Parts of an automatic mask that the prompt network outlines anew and carries through a volume."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch
import zarr
from ball import CENTRE, SHAPE, ball, volume

from napari_unet_seg import engine
from napari_unet_seg.config import PredictConfig
from napari_unet_seg.events import Command, LeftOut, TileDone
from napari_unet_seg.inference.loaded_model import LoadedModel
from napari_unet_seg.inference.predictor import Predictor
from napari_unet_seg.inference.removal.brain import Brain
from napari_unet_seg.inference.removal.parts import parts_of
from napari_unet_seg.inference.result import ResultBuffer
from napari_unet_seg.inference.slices import SliceReader
from napari_unet_seg.io.common.scan import Scan
from napari_unet_seg.models import ANY_SEQUENCE, BRAIN, BUNDLED
from napari_unet_seg.models.header import read_header
from napari_unet_seg.nn.checkpoint import load_net, save_checkpoint
from napari_unet_seg.prompting.carried_parts import carry_parts
from napari_unet_seg.prompting.carrying import LEAST

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from napari_unet_seg.arrays import Array

CONFIG = PredictConfig(device="cpu", precision="float32")
INFO = read_header(BUNDLED)
TRUTH, MIDDLE = ball(), CENTRE[0]


def dice(found: Array, truth: Array) -> float:
    return float(2 * (found & truth).sum() / (found.sum() + truth.sum()))


def predicted(found: Array, scan: Scan, folder: Path | None = None) -> ResultBuffer:
    """A prediction that found this, and is sure of it."""
    result = ResultBuffer(CONFIG, INFO, SliceReader(scan, INFO), folder)
    result.labels[:] = found.astype(np.uint8)
    result.dice[:] = 0.9
    return result


def carried(found: Array, data: Array | None = None, axes: str = "ZYX", **options: Any) -> Any:
    scan = Scan(volume() if data is None else data, axes)
    result = predicted(found, scan, **options)
    events = list(carry_parts(CONFIG, SliceReader(scan, INFO), result))
    assert set(map(type, events)) <= {TileDone}
    return result


@pytest.fixture
def some_slices() -> Array:
    """The ball on the three slices in its middle."""
    found = np.zeros(SHAPE, bool)
    found[MIDDLE - 1 : MIDDLE + 2] = TRUTH[MIDDLE - 1 : MIDDLE + 2]
    return found


def test_what_was_found_on_some_slices_is_carried_to_the_others(some_slices: Array) -> None:
    result = carried(some_slices)
    assert result.carried == 1
    assert dice(result.labels > 0, TRUTH) > max(0.75, dice(some_slices, TRUTH) + 0.1)


def test_the_predicted_dice_falls_where_the_masks_differ(some_slices: Array) -> None:
    result = carried(some_slices)
    new = (result.labels > 0).any((1, 2)) & ~some_slices.any((1, 2))
    assert new.any() and (result.dice[new] == 0).all()
    untouched = ~(result.labels > 0).any((1, 2))
    assert (result.dice[untouched] == np.float32(0.9)).all()
    kept = result.labels[MIDDLE] > 0
    assert result.dice[MIDDLE] == pytest.approx(min(0.9, dice(kept, some_slices[MIDDLE])))


def test_what_leads_to_where_nothing_was_found_stays(some_slices: Array) -> None:
    crumb = np.zeros(SHAPE, bool)
    crumb[MIDDLE, CENTRE[1] - 2 : CENTRE[1] + 3, CENTRE[2] - 2 : CENTRE[2] + 3] = True
    result = carried(crumb)
    assert result.carried == 0 and np.array_equal(result.labels > 0, crumb)
    assert (result.dice == np.float32(0.9)).all()


@pytest.mark.parametrize(("reach", "kept"), [(1, False), (3, True)])
def test_a_part_of_which_little_is_carried_is_kept_beside_it(reach: int, kept: bool) -> None:
    wide = TRUTH.copy()
    wide[MIDDLE - reach : MIDDLE + reach + 1, 2:-2, 2:6] = True
    wide[MIDDLE, CENTRE[1], 2 : CENTRE[2]] = True
    result = carried(wide)
    assert result.carried == 1 and bool((result.labels > 0)[wide].all()) is kept


def test_volumes_of_a_series_are_carried_through_apart(some_slices: Array) -> None:
    film = np.stack([volume(), volume()])
    found = np.stack([np.zeros(SHAPE, bool), some_slices])
    result = carried(found, film, "TZYX")
    assert not result.labels[0].any()
    assert np.array_equal(result.labels[1], carried(some_slices).labels)


def test_masks_in_a_folder_are_carried_alike(some_slices: Array, tmp_path: Path) -> None:
    result = carried(some_slices, folder=tmp_path / "result")
    assert isinstance(result.labels, zarr.Array)
    assert np.array_equal(np.asarray(result.labels[:]), carried(some_slices).labels)


def test_images_without_volume_noise_and_nothing_are_left_alone(some_slices: Array) -> None:
    assert carried(some_slices, axes="NYX").carried == 0
    assert carried(np.zeros(SHAPE, bool)).carried == 0
    block = np.ones((1, 2, 5), bool)
    dots = np.tile(np.pad(block, ((0, 0), (0, 1), (0, 1))), (60, 21, 20))
    assert block.sum() == LEAST and parts_of(dots.astype(np.uint8), ()) is None
    scan = Scan(np.zeros(dots.shape, np.uint8), "ZYX")
    events = carry_parts(CONFIG, SliceReader(scan, INFO), predicted(dots, scan))
    assert not list(events), "nothing is clicked"


def test_stop_changes_nothing(some_slices: Array) -> None:
    scan = Scan(volume(), "ZYX")
    result = predicted(some_slices, scan)
    events = carry_parts(CONFIG, SliceReader(scan, INFO), result)
    next(events)
    with pytest.raises(StopIteration) as ended:
        events.send(Command.STOP)
    assert ended.value.value is True
    assert np.array_equal(result.labels > 0, some_slices) and result.carried == 0


def test_models_of_lesions_are_carried_unless_told_otherwise(
    make_checkpoint: Callable[..., Path],
) -> None:
    def carries(path: Path, carry: str) -> bool:
        return LoadedModel(CONFIG.replace(carry=carry), path).carries

    for own in (BUNDLED, ANY_SEQUENCE):
        assert carries(own, "auto") and not carries(own, "never")
    assert not carries(BRAIN, "auto") and carries(BRAIN, "always")
    assert not carries(make_checkpoint(classes=2), "always"), "parts of several categories touch"
    path = make_checkpoint(in_channels=2)
    info, net = load_net(path)
    save_checkpoint(path, net, info.replace(categories=INFO.categories))
    assert not carries(path, "auto") and carries(path, "always"), "which sequence shows it?"


def large_and_bright(_: Predictor, slices: Array, *__: object) -> tuple[torch.Tensor, ...]:
    """A network that finds the ball where it is large."""
    found = slices > 150
    found[found.sum((1, 2, 3)) < 0.8 * TRUTH[MIDDLE].sum()] = False
    return torch.from_numpy(found).float(), torch.zeros(len(slices), *SHAPE[1:])


def test_predictions_are_carried(
    make_checkpoint: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Predictor, "probabilities", large_and_bright)
    path, scan = make_checkpoint(), Scan(volume(), "ZYX")
    *_, never = engine.predict(CONFIG, path, scan)
    *_, always = engine.predict(CONFIG.replace(carry="always"), path, scan)
    assert (never.carried, always.carried) == (0, 1)
    assert dice(always.labels > 0, TRUTH) > dice(never.labels > 0, TRUTH) + 0.1


def test_what_is_carried_is_kept_inside_the_brain(
    make_checkpoint: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[int] = []

    def keep(_: Brain, index: int, plane: Array) -> tuple[Array, LeftOut]:
        seen.append(index)
        return (plane, LeftOut()) if index <= MIDDLE else (np.zeros_like(plane), LeftOut(1, 1))

    monkeypatch.setattr(Predictor, "probabilities", large_and_bright)
    monkeypatch.setattr(Brain, "keep_inside", keep)
    config = CONFIG.replace(carry="always", inside_brain=True)
    *_, result = engine.predict(config, make_checkpoint(), Scan(volume(), "ZYX"))
    assert result.carried == 1 and len(seen) == 2 * SHAPE[0]
    assert result.labels[: MIDDLE - 2].any() and not result.labels[MIDDLE + 1 :].any()


def test_parts_that_are_much_smaller_than_the_largest_stay(some_slices: Array) -> None:
    data, found = volume(), some_slices.copy()
    spot = (slice(MIDDLE - 1, MIDDLE + 2), slice(70, 77), slice(40, 47))
    data[spot], found[spot] = 190, True
    result = carried(found, data)
    assert result.carried == 1 and (result.labels > 0)[spot].all()
    assert np.count_nonzero(result.labels[:, 66:81, 36:51]) == np.count_nonzero(found[spot])
