"""Volumes go through the network in a band of slices, as if they were held whole."""

from __future__ import annotations

import functools
import tracemalloc
from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch
from lazy_scans import CountedSlices, tensor_bytes, watched
from small_gpu import pretend_gpu

from napari_unet_seg import engine
from napari_unet_seg.config import PredictConfig
from napari_unet_seg.events import DeviceFallback, PredictFinished, TileDone
from napari_unet_seg.inference.predictor import Predictor, load_predictor
from napari_unet_seg.inference.sliding_window import SlidingWindow
from napari_unet_seg.inference.tiling import tile_slices, tile_weights
from napari_unet_seg.models.header import read_header
from napari_unet_seg.nn.labels import to_probabilities

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

SIZE = (8, 16, 16)
PLAIN = PredictConfig(precision="float32", device="cpu")


@pytest.fixture
def model(make_checkpoint: Callable[..., Path]) -> Callable[..., Path]:
    """Write a network of small volumes."""
    return functools.partial(make_checkpoint, tile=16, patch_slices=8, dimensions=3)


def whole(predictor: Predictor, volume: np.ndarray, config: PredictConfig) -> torch.Tensor:
    """Predict a volume (Z, C, Y, X) with sums over all of it."""
    shape = (len(volume), *volume.shape[2:])
    logits, weight = torch.zeros(1, *shape), torch.zeros(shape)
    for place in tile_slices(shape, SIZE, config.overlap):
        patch = torch.from_numpy(np.moveaxis(volume, 1, 0)[(slice(None), *place)] / np.float32(255))
        part = torch.from_numpy(tile_weights(place, shape, SIZE, config.overlap))
        logits[(slice(None), *place)] += predictor.logits(patch[None])[0] * part
        weight[place] += part
    probabilities = to_probabilities((logits / weight)[None], predictor.info.model.head)[0]
    return probabilities.movedim(1, 0)


@pytest.mark.parametrize("overlap", [0.0, 0.25, 0.5, 0.9])
@pytest.mark.parametrize(
    "shape", [(8, 16, 16), (3, 17, 40), (9, 16, 16), (21, 30, 19), (40, 16, 16)]
)
def test_a_band_of_slices_gives_what_the_whole_volume_gives(
    model: Callable[..., Path], shape: tuple[int, int, int], overlap: float
) -> None:
    predictor = load_predictor(model(), "cpu", "float32")
    volume = np.random.default_rng(0).integers(0, 256, (shape[0], 1, *shape[1:]), np.uint8)
    config = PLAIN.replace(overlap=overlap)
    read, found = [], []

    def reading(indices: range) -> np.ndarray:
        read.extend(indices)
        return volume[indices.start - 5 : indices.stop - 5]

    def take(indices: range, probabilities: torch.Tensor, disagreement: torch.Tensor) -> None:
        assert len(indices) <= SIZE[0] and not disagreement.any()
        found.extend(zip(indices, probabilities, strict=True))

    indices = range(5, 5 + shape[0])  # as those of a later volume of a scan
    window = SlidingWindow(predictor, config, indices, shape[1:], reading, take)
    assert list(window.run()) == list(range(1, len(window.tiles) + 1))
    assert read == [index for index, _ in found] == list(indices)
    wanted = whole(predictor, volume, config)
    assert torch.allclose(
        torch.stack([probabilities for _, probabilities in found]), wanted, atol=1e-6
    )


@pytest.mark.parametrize("shape", [(8, 16, 16), (21, 30, 19), (40, 16, 33)])
def test_no_seam_of_a_net_that_looks_at_neighbours(
    model: Callable[..., Path], shape: tuple[int, int, int]
) -> None:
    net = torch.nn.Conv3d(1, 1, 3, padding=1)
    predictor = Predictor(read_header(model()), net, torch.device("cpu"), "float32")
    volume = np.random.default_rng(0).integers(0, 256, (shape[0], 1, *shape[1:]), np.uint8)
    found: list[torch.Tensor] = []
    window = SlidingWindow(
        predictor,
        PLAIN.replace(overlap=0.5),
        range(shape[0]),
        shape[1:],
        lambda indices: volume[indices.start : indices.stop],
        lambda _, probabilities, __: found.extend(probabilities),
    )
    assert len(list(window.run())) > (shape != SIZE)
    wanted = net(torch.from_numpy(volume).movedim(1, 0)[None] / 255)[0].sigmoid().movedim(1, 0)
    assert torch.allclose(torch.stack(found), wanted, atol=1e-5)


def test_memory_does_not_grow_with_the_length_of_a_volume(
    model: Callable[..., Path], tmp_path: Path
) -> None:
    pytest.importorskip("zarr")
    path = model(classes=2, tile=128)
    held, peaks = [], []
    for length in (40, 80):
        source = CountedSlices((length, 128, 128))
        events = engine.predict(PLAIN, path, source.scan(), tmp_path / str(length))
        next(events)
        source.reads.clear()
        source.most_alive = most = 0
        with watched():
            for event in events:
                if isinstance(event, TileDone):
                    most = max(most, tensor_bytes())
            peaks.append(tracemalloc.get_traced_memory()[1])
        assert isinstance(event, PredictFinished) and event.labels.shape == source.shape
        assert dict(source.reads) == dict.fromkeys(range(length), 1)
        assert source.most_alive <= SIZE[0]
        held.append(most)
    assert held[1] == held[0] > 0
    assert peaks[1] - peaks[0] < 20 * 128 * 128  # of 40 slices more


def test_a_volume_is_begun_again_when_memory_runs_out(
    model: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    path, source = model(), CountedSlices((30, 16, 16))
    *_, wanted = engine.predict(PLAIN, path, source.in_memory())
    pretend_gpu(monkeypatch, path, "logits", 4)
    events = list(engine.predict(PLAIN.replace(device="auto"), path, source.scan()))
    done = [e.index for e in events if isinstance(e, TileDone)]
    assert done == [1, 2, 3, *range(1, done[-1] + 1)]
    assert [e.device for e in events if isinstance(e, DeviceFallback)] == ["cpu"]
    assert np.array_equal(events[-1].labels, wanted.labels)
