"""Proposals by a head on a small network that was never trained."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from napari_unet_seg.config import Category, PredictConfig
from napari_unet_seg.data.samples import SampleSet
from napari_unet_seg.data.scan_samples import samples_from_scan
from napari_unet_seg.engine import predict
from napari_unet_seg.errors import DataError
from napari_unet_seg.events import Command, HeadFitted, Progress, SlicePredicted
from napari_unet_seg.io.common.scan import Scan
from napari_unet_seg.training.proposals import propose

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

CONFIG = PredictConfig(device="cpu", precision="float32")
COUNT, LEARNT, REST = 9, range(6), (8, 6, 7)
Y, X = np.indices((64, 64))
TRUTH = np.stack([np.hypot(Y - 22 - 2 * n, X - 32) < 12 for n in range(COUNT)])
GREYS = np.random.default_rng(0).normal(60 + 100 * TRUTH, 4).clip(0, 255).astype(np.uint8)
SCAN = Scan(GREYS, "ZYX")


def samples(labels: np.ndarray, count: int = len(LEARNT)) -> SampleSet:
    chosen = samples_from_scan(SCAN, labels.astype(np.uint8), range(count))
    return SampleSet(chosen, (Category(id=1, name="c0"),), "a test")


def events_of(model: Path, given: SampleSet) -> list[Any]:
    return list(propose(CONFIG, model, given, SCAN, REST))


def test_what_a_network_never_learnt_is_proposed(make_checkpoint: Callable[..., Path]) -> None:
    *before, last = events_of(make_checkpoint(), samples(TRUTH))
    assert isinstance(last, SlicePredicted)
    assert before[:6] == [Progress(n, 6) for n in range(1, 7)]
    fitted = before[6]
    assert isinstance(fitted, HeadFitted)
    assert fitted.is_used and fitted.slices == 6
    assert fitted.before < 0.5 < 0.9 < fitted.after
    found = [*before[7:], last]
    assert [each.index for each in found] == list(REST)
    for each in found:
        both, truth = (each.labels > 0) & TRUTH[each.index], TRUTH[each.index]
        assert 2 * both.sum() > 0.9 * ((each.labels > 0).sum() + truth.sum())
        assert 0 <= each.dice <= 1


def test_where_the_network_is_right_nothing_is_proposed(
    make_checkpoint: Callable[..., Path],
) -> None:
    model = make_checkpoint()
    own = list(predict(CONFIG, model, SCAN))[-1].labels
    *_, fitted = events_of(model, samples(own))
    assert isinstance(fitted, HeadFitted)
    assert not fitted.is_used and fitted.after <= fitted.before


def test_it_can_be_stopped(make_checkpoint: Callable[..., Path]) -> None:
    events = propose(CONFIG, make_checkpoint(), samples(TRUTH), SCAN, REST)
    next(events)
    with pytest.raises(StopIteration):
        events.send(Command.STOP)


@pytest.mark.parametrize(
    ("count", "changes", "message"),
    [(4, {}, "accept 5 or more"), (6, {"dimensions": 3}, "no U-Net of slices")],
)
def test_it_says_what_it_needs(
    make_checkpoint: Callable[..., Path], count: int, changes: Any, message: str
) -> None:
    with pytest.raises(DataError, match=message):
        events_of(make_checkpoint(**changes), samples(TRUTH, count))
