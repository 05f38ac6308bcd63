"""Volumes that are cut across other axes are read once, and held in slabs."""

from __future__ import annotations

import tracemalloc
from typing import TYPE_CHECKING

import dask.array as da
import numpy as np
import pytest
from lazy_scans import CountedSlices, watched

from napari_unet_seg import engine
from napari_unet_seg.config import PredictConfig
from napari_unet_seg.errors import DataError
from napari_unet_seg.events import Command, PredictStarted, TileDone
from napari_unet_seg.inference.slabs import DEPTH, ArrayFactory, Slabs
from napari_unet_seg.io.common.scan import Scan

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

pytest.importorskip("zarr")
HOW = PredictConfig(
    precision="float32",
    device="cpu",
    views="mirrored",
    probabilities=True,
    uncertainty=True,
    disagreement=True,
)


@pytest.mark.parametrize("axis", [1, 2, 3])
def test_slabs_are_the_slices_of_the_array(tmp_path: Path, axis: int) -> None:
    grid = (2, DEPTH + 7, 2 * DEPTH, 3)
    values = np.random.default_rng(0).integers(0, 99, grid, np.uint8)
    stored, held = (ArrayFactory(folder).cubes("a", grid, np.uint8) for folder in (tmp_path, None))
    for array in (stored, held):
        slabs = Slabs(array, axis, 1)
        moved = np.moveaxis(values, axis, 1)
        assert slabs.shape == moved.shape
        places = list(np.ndindex(moved.shape[:2]))
        for place in places:
            slabs.add(place, moved[place])
        for place in (places[-1], places[0], places[len(places) // 2]):
            assert np.array_equal(slabs[place], moved[place])
            slabs.add(place, moved[place])
        slabs.flush()
    twice = moved.copy()
    for place in (places[-1], places[0], places[len(places) // 2]):
        twice[place] *= 2
    assert np.array_equal(held, np.moveaxis(twice, 1, axis))
    assert np.array_equal(stored[...], held)


@pytest.mark.parametrize("across", ["Y", "X", "all"])
@pytest.mark.parametrize(
    ("shape", "axes", "channels"),
    [
        ((20, DEPTH + 5, 33), "ZYX", 1),
        ((2, DEPTH + 1, 16, 17), "TZYX", 1),
        ((18, 20, 21, 3), "ZYXC", 1),
        ((18, 20, 21, 3), "ZYXC", 3),
    ],
)
def test_a_result_in_a_folder_is_the_one_in_memory(
    make_checkpoint: Callable[..., Path],
    tmp_path: Path,
    across: str,
    shape: tuple[int, ...],
    axes: str,
    channels: int,
) -> None:
    path = make_checkpoint(classes=2, in_channels=channels)
    data = np.random.default_rng(0).integers(0, 2000, shape, np.uint16)
    lazy = da.from_array(data, chunks=tuple(min(n, 16) for n in shape))
    config = HOW.replace(across=across)
    *_, wanted = engine.predict(config, path, Scan(data, axes))
    for number, (array, folder) in enumerate([(lazy, False), (lazy, True), (data, True)]):
        where = tmp_path / f"result-{number}" if folder else None
        *_, found = engine.predict(config, path, Scan(array, axes), where)
        for name in ("labels", "probabilities", "uncertainty", "disagreement", "dice"):
            assert np.array_equal(getattr(found, name)[...], getattr(wanted, name)), name
        if where is not None:
            assert {p.name for p in where.iterdir()} == {
                "labels",
                "probabilities",
                "uncertainty",
                "disagreement",
            }


def test_memory_holds_slabs_and_every_slice_is_read_once(
    make_checkpoint: Callable[..., Path], tmp_path: Path
) -> None:
    path, peaks = make_checkpoint(), []
    for side in (128, 256):
        source = CountedSlices((side, side, 32))
        config = HOW.replace(across="Y", views="plain", disagreement=False)
        events = engine.predict(config, path, source.scan(), tmp_path / str(side))
        assert isinstance(next(events), PredictStarted)
        source.reads.clear()
        source.most_alive = 0
        with watched():
            done = [event.index for event in events if isinstance(event, TileDone)]
            peaks.append(tracemalloc.get_traced_memory()[1])
        assert done[: side // DEPTH] == [0] * (side // DEPTH) and done[-1] == side
        assert dict(source.reads) == dict.fromkeys(range(side), 1)
        assert source.most_alive <= 2
    # A slab is twice as large, the volume four times.
    assert peaks[1] < 3 * peaks[0]


@pytest.mark.parametrize("tiles", [1, 3])
def test_a_stop_leaves_no_copy(
    make_checkpoint: Callable[..., Path], tmp_path: Path, tiles: int
) -> None:
    scan = CountedSlices((DEPTH + 9, 20, 20)).scan()
    events = engine.predict(HOW.replace(across="Y"), make_checkpoint(), scan, tmp_path / "out")
    for _ in range(1 + tiles):
        next(events)
    assert list((tmp_path / "out").glob("scratch-*"))
    with pytest.raises(StopIteration):
        events.send(Command.STOP)
    assert not list((tmp_path / "out").glob("scratch-*"))


def test_an_error_leaves_no_copy(make_checkpoint: Callable[..., Path], tmp_path: Path) -> None:
    def read(block: np.ndarray, block_info: dict) -> np.ndarray:
        if block_info[0]["chunk-location"][0] == 15:
            raise OSError("damaged")
        return block

    data = da.ones((100, 20, 20), chunks=(1, 20, 20), dtype=np.uint8)
    scan = Scan(da.map_blocks(read, data, dtype=np.uint8), "ZYX")
    with pytest.raises(DataError, match="damaged"):
        list(engine.predict(HOW.replace(across="X"), make_checkpoint(), scan, tmp_path / "out"))
    assert {p.name for p in (tmp_path / "out").iterdir()} >= {"labels"}
    assert not list((tmp_path / "out").glob("scratch-*"))
