"""A fine-tuning keeps the model that it started from until an epoch is better beyond chance."""

from __future__ import annotations

import math
import signal
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import killable
import numpy as np
import pytest
import torch
from streams import here

from napari_unet_seg import engine
from napari_unet_seg.config import (
    UNNAMED,
    AugmentConfig,
    Category,
    ModelConfig,
    PredictConfig,
    TrainConfig,
)
from napari_unet_seg.data.samples import Sample, SampleSet
from napari_unet_seg.events import (
    BatchEnd,
    CheckpointSaved,
    Command,
    EpochEnd,
    Evaluated,
    TrainFinished,
    TrainStarted,
)
from napari_unet_seg.inference.predicted_dice import Calibration
from napari_unet_seg.models.header import read_header
from napari_unet_seg.nn.checkpoint import load_tensors
from napari_unet_seg.training.fine_tune import fine_tune
from napari_unet_seg.training.held_out.best import Best
from napari_unet_seg.training.held_out.gain import gains_of, is_certain
from napari_unet_seg.training.held_out.validation import Validation
from napari_unet_seg.training.run import Run

if TYPE_CHECKING:
    from pathlib import Path

CONFIG = TrainConfig(
    epochs=3,
    batch_size=4,
    image_size=32,
    learning_rate=1e-2,
    ema=0.5,
    deterministic=True,
    threads=1,
    device="cpu",
    preview_every=0,
    twins=False,
    valid_fraction=0.25,
    augment=AugmentConfig(),
    model=ModelConfig(width=4, depth=2),
)
STILL = CONFIG.replace(learning_rate=1e-9, keep_statistics=True)
"""Nothing that these settings learn changes a mask."""


def squares(count: int = 24, habit: int = 0, seed: int = 0) -> SampleSet:
    """Noise with a bright square; by another habit the mask is so many pixels wider."""
    rng = np.random.default_rng(seed)
    samples = []
    for number in range(count):
        image = rng.normal(100, 5, (32, 32))
        y, x = rng.integers(5, 15, 2)
        image[y : y + 12, x : x + 12] += 80
        mask = np.zeros((32, 32), np.uint8)
        mask[y - habit : y + 12 + habit, x - habit : x + 12 + habit] = 1
        samples.append(Sample(f"s{number}", image, mask, f"s{number}"))
    return SampleSet(tuple(samples), (Category(id=1, name="tumour"),), "squares")


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model that knows bright squares."""
    run = tmp_path_factory.mktemp("base")
    *_, done = engine.train(CONFIG.replace(epochs=16), squares(), run)
    assert done.valid_dice > 0.9
    return done.best  # type: ignore[no-any-return]


def weights(path: Path) -> dict[str, torch.Tensor]:
    return {name: value for name, value in load_tensors(path)[1].items() if name[:4] == "net."}


def equal(one: Path, other: Path) -> bool:
    first, second = weights(one), weights(other)
    return all(torch.equal(value, second[name]) for name, value in first.items())


# --- the rule


@pytest.mark.parametrize(
    ("gains", "certain"),
    [
        # Means of 0.02 and standard errors of 0.01 × √0.5 and so on; t is 2.132 for 4 degrees.
        ([0.04, 0.03, 0.02, 0.01, 0.00], True),  # error 0.00707, bound 0.01507
        ([0.06, 0.04, 0.02, 0.00, -0.02], False),  # error 0.01414, bound 0.03015
        ([0.02] * 5, True),
        ([0.0] * 5, False),
        ([-0.02] * 5, False),
        ([0.0] * 9 + [0.5], False),  # one slice alone: mean and error 0.05, t 1.833
        ([0.1, 0.0] * 5, True),  # mean 0.05, error 0.01667, bound 0.03055
    ],
)
def test_a_mean_gain_must_exceed_its_bound(gains: list[float], certain: bool) -> None:
    assert is_certain(gains) is certain


def test_slices_of_few_patients_are_pairs_each_and_those_of_five_are_averaged() -> None:
    before = {(sample, 1): 0.5 for sample in range(10)}
    after = {(sample, 1): 0.5 + sample / 10 for sample in range(10)}
    each = [sample / 10 for sample in range(10)]
    assert gains_of(before, after, ["one"] * 10) == pytest.approx(each)
    assert gains_of(before, after, list("aabbccdddd")) == pytest.approx(each)
    halves = gains_of(before, after, list("aabbccddee"))
    assert halves == pytest.approx([0.05, 0.25, 0.45, 0.65, 0.85])


def validation(dices: list[float], loss: float = 0.5) -> Validation:
    pairs = {(sample, 1): dice for sample, dice in enumerate(dices)}
    return Validation(loss, float(np.mean(dices)), pairs, None, Calibration())


def offered(start: list[float], *epochs: list[float], losses: tuple[float, ...] = ()) -> Best:
    best = Best.of_start(validation(start))
    for number, dices in enumerate(epochs, 1):
        loss = losses[number - 1] if losses else 0.5
        best.offer(number, validation(dices, loss), 0.0, ["one"] * len(dices))
    return best


def test_with_fewer_than_five_pairs_the_better_score_is_the_best() -> None:
    assert offered([0.5] * 4, [0.9, 0.5, 0.5, 0.2]).epoch == 1
    assert offered([0.5] * 4, [0.5] * 4).epoch == 0
    assert offered([0.5] * 4, [0.5] * 4, losses=(0.4,)).epoch == 1, "the loss decides"
    assert offered([0.5] * 4, [0.5, 0.5, 0.5, 0.4]).epoch == 0
    assert offered([0.5] * 5, [0.9, 0.5, 0.5, 0.5, 0.2]).epoch == 0


def test_among_epochs_that_gained_the_best_score_is_the_best() -> None:
    start, gain, more, chance = [0.5] * 6, [0.6] * 6, [0.7] * 6, [1.0] * 5 + [0.0]
    assert offered(start, chance, gain, more, gain).epoch == 3
    best = offered(start, gain, chance)
    assert (best.epoch, best.dice) == (1, pytest.approx(0.6)), "0.83 is within chance"


def test_what_neither_truth_nor_model_has_is_no_pair(tmp_path: Path, base: Path) -> None:
    assert gains_of({}, {}, ["one"] * 3) == []
    assert gains_of({(0, 1): 0.0}, {(2, 1): 0.4}, ["one"] * 3) == pytest.approx([1.0, -0.6])
    empty = [replace(s, mask=np.zeros((32, 32), np.uint8)) for s in squares().samples[:12]]
    noise = [replace(s, image=np.full((32, 32), 100.0), split="valid") for s in empty]
    learnt = [replace(s, split="train") for s in squares(seed=1).samples]
    samples = replace(squares(), samples=(*learnt, *noise))
    *_, done = engine.train(STILL, samples, tmp_path, init=base)
    assert read_header(done.last).summary["progress"]["start_dices"] == []
    assert math.isnan(done.valid_dice)


def test_an_object_on_few_of_many_slices_can_be_learnt() -> None:
    rare = Best.of_start(validation([0.0, 0.0]))
    assert rare.offer(1, validation([0.9, 0.9]), 0.0, ["one"] * 20)


# --- runs


def test_a_model_of_another_category_does_not_compete(tmp_path: Path, base: Path) -> None:
    cyst = replace(squares(seed=1), categories=(Category(id=1, name="cyst"),))
    *_, done = engine.train(STILL, cyst, tmp_path, init=base)
    assert isinstance(done, TrainFinished) and done.best_epoch > 0


def test_masks_without_a_category_are_taken_for_the_model_s(tmp_path: Path, base: Path) -> None:
    unnamed = replace(squares(seed=1), categories=(UNNAMED,))
    events = list(engine.train(STILL, unnamed, tmp_path, init=base))
    done, (started,) = events[-1], [e for e in events if isinstance(e, TrainStarted)]
    assert isinstance(done, TrainFinished) and done.is_unchanged
    (square,) = read_header(base).categories
    assert read_header(done.best).categories == (square,)
    assert any(f"taken for the model's, {square.name}" in note for note in started.notes)


def test_where_nothing_is_to_be_gained_the_model_stays(tmp_path: Path, base: Path) -> None:
    events = list(engine.train(STILL, squares(seed=1), tmp_path, init=base))
    done = events[-1]
    assert isinstance(done, TrainFinished)
    assert (done.best_epoch, done.is_unchanged, done.epochs) == (0, True, 3)
    assert equal(done.best, base)
    assert not equal(done.last, base), "only an average could leak into the best weights"
    assert not any(e.is_best for e in events if isinstance(e, EpochEnd))
    saved = [(e.kind, e.epoch) for e in events if isinstance(e, CheckpointSaved)]
    assert saved == [("best", 0), ("last", 1), ("last", 2), ("last", 3)]
    header = read_header(done.best)
    assert header.epoch == 0 and len(header.parent) == 64
    assert header.metrics == {"valid_dice": done.valid_dice}
    assert done.valid_dice == pytest.approx(measured(base, squares(seed=1), tmp_path), abs=1e-6)


def measured(model: Path, samples: SampleSet, run: Path) -> float:
    """Dice on the held-out samples of a run."""
    held_out = set(Run(run).split()["valid"])
    chosen = tuple(s for s in samples.samples if s.name in held_out)
    config = PredictConfig(device="cpu", precision="float32")
    *_, last = engine.evaluate_samples(model, replace(samples, samples=chosen), config)
    assert isinstance(last, Evaluated)
    return last.dice


def test_the_kept_model_gets_the_calibration_of_the_held_out_samples(
    tmp_path: Path, base: Path
) -> None:
    config = STILL.replace(valid_fraction=0.7)
    *_, done = engine.train(config, squares(32, habit=1, seed=1), tmp_path, init=base)
    assert done.is_unchanged
    calibration = read_header(done.best).calibration
    assert calibration not in ((), read_header(base).calibration)


def test_a_gain_beyond_chance_is_kept(tmp_path: Path, base: Path) -> None:
    config = CONFIG.replace(epochs=8)
    *_, done = engine.train(config, squares(habit=2, seed=1), tmp_path, init=base)
    before = measured(base, squares(habit=2, seed=1), tmp_path)
    assert done.best_epoch > 0 and done.valid_dice > before + 0.05
    assert read_header(done.best).epoch == done.best_epoch
    assert not equal(done.best, base)


def test_without_held_out_samples_the_training_loss_chooses(tmp_path: Path, base: Path) -> None:
    *_, done = engine.train(STILL.replace(valid_fraction=0), squares(6), tmp_path, init=base)
    assert done.best_epoch > 0


def test_a_model_of_other_classes_does_not_compete(tmp_path: Path, base: Path) -> None:
    known = squares(seed=1)
    more = replace(known, categories=(*known.categories, Category(id=2, name="cyst")))
    *_, done = engine.train(STILL, more, tmp_path, init=base)
    assert done.best_epoch > 0


def test_a_run_that_is_left_before_its_first_epoch_ends_leaves_no_model(
    tmp_path: Path, base: Path
) -> None:
    events = engine.train(STILL, squares(seed=1), tmp_path, init=base)
    while not isinstance(next(events), BatchEnd):
        pass
    events.close()
    assert not Run(tmp_path).holds_model


def test_a_run_that_is_stopped_in_its_first_epoch_keeps_the_model(
    tmp_path: Path, base: Path
) -> None:
    events: Any = engine.train(STILL, squares(seed=1), tmp_path, init=base)
    command = None
    while not isinstance(event := events.send(command), TrainFinished):
        command = Command.STOP if isinstance(event, BatchEnd) else None
    assert (event.stopped, event.best_epoch, event.epochs) == (True, 0, 1)
    assert equal(event.best, base)


def test_a_model_that_stays_is_measured_once(tmp_path: Path, base: Path) -> None:
    events = list(fine_tune(STILL, base, squares(seed=1), tmp_path, here))
    assert len([e for e in events if isinstance(e, Evaluated)]) == 1
    done: Any = events[-1]
    assert done.finished.is_unchanged
    assert done.new.before == done.new.after is not None


# --- several parts and several processes


@pytest.mark.parametrize("habit", [0, 2])
def test_killed_and_resumed_it_ends_the_same(tmp_path: Path, base: Path, habit: int) -> None:
    config, samples = CONFIG.replace(epochs=6), squares(habit=habit, seed=1)
    *_, whole = engine.train(config, samples, tmp_path / "whole", init=base)
    assert whole.is_unchanged is (habit == 0)
    for events in (4, 14):  # in the first epoch, and in one after it
        with killable.started(killable.fine_tune, config, samples, tmp_path / "cut", base) as (
            process,
            pipe,
        ):
            for _ in range(events):
                pipe.recv()
                pipe.send("on")
        assert process.exitcode == -signal.SIGKILL
    last = tmp_path / "cut" / "last.safetensors"
    assert 0 < read_header(last).epoch < 6
    *_, cut = engine.train(config, samples, tmp_path / "cut", resume=last)
    assert (cut.best_epoch, cut.valid_dice) == (whole.best_epoch, whole.valid_dice)
    assert equal(cut.best, whole.best) and equal(cut.last, whole.last)
    ours, theirs = (read_header(done.best) for done in (cut, whole))
    assert ours.calibration == theirs.calibration
    assert (ours.epoch, ours.metrics) == (theirs.epoch, theirs.metrics)
