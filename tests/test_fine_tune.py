from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from streams import here

from napari_unet_seg.config import Category, ModelConfig, TrainConfig
from napari_unet_seg.data.samples import Sample, SampleSet
from napari_unet_seg.errors import DataError
from napari_unet_seg.events import Command, Evaluated, TrainFinished, TrainStarted
from napari_unet_seg.fine_tune import fine_tune
from napari_unet_seg.io.scan import Scan
from napari_unet_seg.io.weights import read_header
from napari_unet_seg.session import ReviewState, Round, Session

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

TUMOUR = (Category(id=7, name="tumour"),)
CONFIG = TrainConfig(
    epochs=2, batch_size=2, image_size=32, learning_rate=1e-2, model=ModelConfig(width=4, depth=2)
)


def phantoms(count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Noise with a bright square, and the square."""
    rng = np.random.default_rng(seed)
    images = rng.integers(20, 90, (count, 32, 32), np.uint8)
    labels = np.zeros((count, 32, 32), np.uint8)
    for index, (y, x) in enumerate(rng.integers(2, 18, (count, 2))):
        labels[index, y : y + 12, x : x + 12] = 1
    return np.where(labels, images + np.uint8(120), images), labels


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    images, labels = phantoms(2, 0)
    samples = tuple(
        Sample(str(i), *pair, str(i)) for i, pair in enumerate(zip(images, labels, strict=True))
    )
    run = tmp_path_factory.mktemp("base")
    events = here(
        "napari_unet_seg.engine:train",
        CONFIG.replace(epochs=1, learning_rate=1e-4),
        SampleSet(samples, TUMOUR, "phantoms"),
        run,
    )
    return [*events][-1].best


@pytest.fixture
def session(tmp_path: Path) -> Session:
    images, labels = phantoms(8, 1)
    names = tuple(f"{i}.png" for i in range(8))
    session = Session.create(
        tmp_path / "s", Scan(images, "NYX", names=names), TUMOUR, np.zeros_like(labels)
    )
    session.save_mask(labels)
    for index in range(6):
        session.set_state(index, ReviewState.ACCEPTED)
    return session


def test_a_round_measures_trains_and_measures(session: Session, base: Path) -> None:
    config = CONFIG.replace(epochs=12)
    events = [*fine_tune(session, config, base, here)]
    done = events[-1]
    assert isinstance(done, Round)
    kinds = [type(e) for e in events]
    order = [kinds.index(Evaluated), kinds.index(TrainStarted), kinds.index(TrainFinished)]
    assert order == sorted(order)
    assert (done.number, done.train, done.held_out, done.epochs) == (1, 5, 1, 12)
    assert done.after is not None
    assert done.before is not None
    assert done.after > max(0.5, done.before)
    assert read_header(session.folder / done.checkpoint).parent
    assert Session.open(session.folder).rounds == (done,)


def test_stop_keeps_the_best_and_still_measures_it(session: Session, base: Path) -> None:
    events: Iterator[Any] = fine_tune(session, CONFIG.replace(epochs=50), base, here)
    seen = []
    command = None
    while True:
        try:
            seen.append(events.send(command))  # type: ignore[attr-defined]
        except StopIteration:
            break
        command = Command.STOP if seen[-1].__class__.__name__ == "BatchEnd" else None
    assert isinstance(seen[-1], Round)
    assert (seen[-1].stopped, seen[-1].epochs) == (True, 1)
    assert (session.folder / seen[-1].checkpoint).is_file()


def test_stop_while_measuring_leaves_no_round(session: Session, base: Path) -> None:
    events = fine_tune(session, CONFIG, base, here)
    next(events)
    with pytest.raises(StopIteration):
        events.send(Command.STOP)
    assert not session.rounds
    assert not (session.folder / "rounds").exists()


def test_a_base_of_other_categories_is_not_measured(tmp_path: Path, base: Path) -> None:
    images, labels = phantoms(4, 1)
    categories = (Category(id=1, name="oedema"), Category(id=2, name="core"))
    session = Session.create(tmp_path / "s", Scan(images, "NYX"), categories, labels * 2)
    for index in range(4):
        session.set_state(index, ReviewState.ACCEPTED)
    done = [*fine_tune(session, CONFIG, base, here)][-1]
    assert done.before is None
    info = read_header(session.folder / done.checkpoint)
    assert info.categories == categories


def test_one_accepted_slice_is_trained_on(tmp_path: Path, base: Path) -> None:
    images, labels = phantoms(1, 1)
    session = Session.create(tmp_path / "s", Scan(images[0], "YX"), TUMOUR, labels[0])
    session.set_state(0, ReviewState.ACCEPTED)
    done = [*fine_tune(session, CONFIG, base, here)][-1]
    assert (done.train, done.held_out, done.before, done.after) == (1, 0, None, None)


def test_held_out_slices_alone_cannot_be_trained_on(session: Session, base: Path) -> None:
    session.training_samples()
    (held_out,) = session.held_out()
    for index in session.accepted:
        if index != held_out:
            session.set_state(index, ReviewState.SKIPPED)
    with pytest.raises(DataError, match="held out; accept more"):
        next(fine_tune(session, CONFIG, base, here))
