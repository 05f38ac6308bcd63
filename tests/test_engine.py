"""Training and prediction through the engine, on small synthetic slices."""

from __future__ import annotations

import json
import math
import tracemalloc
from dataclasses import replace

import numpy as np
import pytest
import torch
from lazy_scans import CountedSlices
from small_gpu import pretend_gpu

from napari_unet_seg import engine
from napari_unet_seg.config import (
    IGNORE_INDEX,
    AugmentConfig,
    Category,
    ModelConfig,
    PredictConfig,
    TrainConfig,
)
from napari_unet_seg.data.samples import Sample, SampleSet
from napari_unet_seg.data.scan_samples import samples_from_scan
from napari_unet_seg.errors import CheckpointError, ConfigError, DataError, EngineError
from napari_unet_seg.events import (
    BatchEnd,
    CheckpointSaved,
    Command,
    DeviceFallback,
    EpochEnd,
    Evaluated,
    PredictFinished,
    PredictStarted,
    Preview,
    SlicePredicted,
    TileDone,
    TrainFinished,
    TrainStarted,
)
from napari_unet_seg.inference.predictor import Predictor, load_predictor
from napari_unet_seg.io.common.scan import Scan
from napari_unet_seg.models.header import read_header
from napari_unet_seg.nn.checkpoint import load_tensors
from napari_unet_seg.training.run import Run

CONFIG = TrainConfig(
    epochs=3,
    batch_size=4,
    image_size=32,
    precision="float32",
    threads=1,
    device="cpu",
    valid_fraction=0.25,
    model=ModelConfig(width=4, depth=2),
)
TUMOUR = (Category(id=1, name="tumour"),)


def bright_squares(count: int = 12, classes: int = 1, seed: int = 0) -> SampleSet:
    """Noise with a bright square (and a dark one, for two classes), labelled."""
    rng = np.random.default_rng(seed)
    samples = []
    for number in range(count):
        image = rng.normal(100, 5, (40, 40))
        mask = np.zeros((40, 40), np.uint8)
        for value in range(1, classes + 1):
            y, x = rng.integers(0, 12, 2) + np.array([0, 14 * (value - 1)])
            mask[y : y + 12, x : x + 12] = value
        image[mask == 1] += 80
        image[mask == 2] -= 80
        samples.append(Sample(f"s{number}", image, mask, f"s{number}"))
    categories = tuple(Category(id=i + 1, name=f"c{i}") for i in range(classes))
    return SampleSet(tuple(samples), categories, "squares")


def of(kind, events):
    return [e for e in events if isinstance(e, kind)]


def test_events_come_in_order_and_the_run_folder_is_whole(tmp_path):
    events = list(engine.train(CONFIG, bright_squares(), tmp_path))
    kinds = [type(e) for e in events]
    assert kinds[0] is TrainStarted and kinds[-1] is TrainFinished
    assert (events[0].train, events[0].valid, events[0].steps) == (9, 3, 3)
    assert [e.step for e in of(BatchEnd, events)] == [1, 2, 3] * 3
    assert [e.epoch for e in of(EpochEnd, events)] == [1, 2, 3]
    assert len(of(Preview, events)) == 3
    names = {p.name for p in tmp_path.iterdir()}
    assert names == {
        "config.yaml",
        "split.json",
        "history.csv",
        "best.safetensors",
        "last.safetensors",
        "preview",
    }
    split = json.loads((tmp_path / "split.json").read_text())
    assert len(split["train"]) == 9 and not set(split["train"]) & set(split["valid"])
    assert TrainConfig.from_file(tmp_path / "config.yaml").epochs == 3
    header = read_header(tmp_path / "best.safetensors")
    assert header.categories == bright_squares().categories
    assert header.summary["train"] == 9


def test_it_learns(tmp_path):
    config = CONFIG.replace(epochs=20, learning_rate=1e-2)
    finished = list(engine.train(config, bright_squares(24), tmp_path))[-1]
    assert finished.valid_dice > 0.9


def test_it_learns_two_classes(tmp_path):
    config = CONFIG.replace(epochs=20, learning_rate=1e-2)
    finished = list(engine.train(config, bright_squares(32, classes=2), tmp_path))[-1]
    header = read_header(finished.best)
    assert (header.model.classes, header.model.head) == (2, "softmax")
    assert finished.valid_dice > 0.8


def test_a_resumed_run_equals_an_uninterrupted_one(tmp_path):
    samples = bright_squares()
    list(engine.train(CONFIG, samples, tmp_path / "whole"))
    for event in engine.train(CONFIG, samples, tmp_path / "cut"):
        if isinstance(event, BatchEnd) and (event.epoch, event.step) == (3, 1):
            break  # as if killed in the middle of an epoch
    last = tmp_path / "cut" / "last.safetensors"
    list(engine.train(CONFIG, samples, tmp_path / "cut", resume=last))
    for name in ("best", "last"):
        (_, whole), (_, cut) = (
            load_tensors(tmp_path / run / f"{name}.safetensors") for run in ("whole", "cut")
        )
        assert whole.keys() == cut.keys()
        assert all(torch.equal(whole[k], cut[k]) for k in whole)
    histories = [
        [line.rsplit(",", 1)[0] for line in (tmp_path / run / "history.csv").read_text().split()]
        for run in ("whole", "cut")
    ]
    assert histories[0] == histories[1]


def test_stop_keeps_the_best_and_ends_in_good_order(tmp_path):
    events = engine.train(CONFIG.replace(epochs=100), bright_squares(), tmp_path)
    event = next(events)
    while not isinstance(event, BatchEnd):
        event = next(events)
    seen = [events.send(Command.STOP), *events]
    assert seen[-1].stopped
    assert seen[-1].epochs == 1
    assert {e.kind for e in of(CheckpointSaved, seen)} == {"best", "last"}
    list(engine.predict(PredictConfig(), tmp_path / "best.safetensors", Scan(np.eye(32), "YX")))


def test_patience_ends_a_run_that_no_longer_gains(tmp_path):
    config = CONFIG.replace(epochs=50, patience=2, learning_rate=1e-9)
    events = list(engine.train(config, bright_squares(), tmp_path))
    assert len(of(EpochEnd, events)) < 20


def test_without_held_out_scans_the_training_loss_chooses(tmp_path):
    events = list(engine.train(CONFIG.replace(valid_fraction=0), bright_squares(), tmp_path))
    assert events[0].valid == 0 and "No scan is held out" in events[0].notes[-1]
    assert math.isnan(events[-1].valid_dice)
    assert events[-1].best.is_file()


def test_among_epochs_that_found_nothing_the_lower_loss_is_better(tmp_path):
    samples = bright_squares(24)
    healthy = [
        replace(s, mask=np.zeros_like(s.mask), split="valid") if i % 4 == 0 else s
        for i, s in enumerate(samples.samples)
    ]
    config = CONFIG.replace(epochs=6, learning_rate=1e-2, valid_fraction=0)
    events = list(engine.train(config, replace(samples, samples=tuple(healthy)), tmp_path))
    epochs = of(EpochEnd, events)
    assert all(not e.valid_dice > 0 for e in epochs)
    best = min(epochs, key=lambda e: e.valid_loss)
    assert events[-1].best_epoch == best.epoch > 1


def test_fine_tuning_starts_from_the_model(tmp_path):
    config = CONFIG.replace(epochs=16, learning_rate=1e-2)
    base = list(engine.train(config, bright_squares(24), tmp_path / "base"))[-1]
    gentle = CONFIG.replace(epochs=1, learning_rate=1e-6)
    tuned = list(engine.train(gentle, bright_squares(8, seed=1), tmp_path / "t", init=base.best))
    assert tuned[-1].valid_dice > 0.8
    header = read_header(tuned[-1].best)
    assert len(header.parent) == 64
    assert header.image_size == 32


def test_fine_tuning_on_other_classes_starts_the_last_layer_afresh(tmp_path):
    base = list(engine.train(CONFIG, bright_squares(), tmp_path / "base"))[-1]
    tuned = list(engine.train(CONFIG, bright_squares(classes=2), tmp_path / "t", init=base.best))
    assert read_header(tuned[-1].best).model.classes == 2


def test_fine_tuning_on_few_slices_keeps_the_calibration(tmp_path):
    config = CONFIG.replace(epochs=1, valid_fraction=0.7)
    base = list(engine.train(config, bright_squares(32), tmp_path / "base"))[-1].best
    many = list(engine.train(config, bright_squares(32, seed=1), tmp_path / "m", init=base))[-1]
    few = list(engine.train(CONFIG, bright_squares(seed=1), tmp_path / "few", init=base))[-1]
    more = CONFIG.replace(epochs=CONFIG.epochs + 1)
    resumed = list(engine.train(more, bright_squares(seed=1), tmp_path / "few", resume=few.last))
    other = list(engine.train(CONFIG, bright_squares(classes=2), tmp_path / "o", init=base))[-1]
    calibration = read_header(base).calibration
    assert calibration
    assert read_header(many.best).calibration not in ((), calibration)
    for run in (few.best, few.last, resumed[-1].last):
        assert read_header(run).calibration == calibration
    assert read_header(other.best).calibration == ()


def test_a_single_patient_calibrates_nothing(tmp_path):
    """Two patients of sixteen slices each, of whom one is held out."""
    samples = bright_squares(32)
    halves = tuple(replace(s, group=str(i % 2)) for i, s in enumerate(samples.samples))
    config = CONFIG.replace(epochs=1, twins=False)
    *_, done = engine.train(config, replace(samples, samples=halves), tmp_path)
    assert len(Run(tmp_path).split()["valid"]) == 16
    assert read_header(done.best).calibration == ()


def test_ignored_pixels_teach_nothing(tmp_path):
    samples = bright_squares(6)
    hidden = [
        Sample(s.name, s.image, np.where(s.mask == 0, IGNORE_INDEX, s.mask), s.group)
        for s in samples.samples
    ]
    config = CONFIG.replace(epochs=1, augment=AugmentConfig(translate=False, rotate=False))
    events = list(engine.train(config, SampleSet(tuple(hidden), TUMOUR, "hidden"), tmp_path))
    assert isinstance(events[-1], TrainFinished)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda s: SampleSet((), s.categories, "nothing"), "nothing holds no samples"),
        (lambda s: SampleSet(s.samples, (), "bare"), "bare holds no samples or no categories"),
        (
            lambda s: SampleSet(
                tuple(Sample(x.name, x.image, x.mask * 0, x.group) for x in s.samples),
                s.categories,
                "healthy",
            ),
            "No training mask of healthy",
        ),
        (
            lambda s: SampleSet(
                tuple(Sample(x.name, x.image, x.mask * 3, x.group) for x in s.samples),
                s.categories,
                "many",
            ),
            "holds the label 3",
        ),
        (
            lambda s: SampleSet(
                tuple(Sample(x.name, x.image, x.mask[1:], x.group) for x in s.samples),
                s.categories,
                "cut",
            ),
            r"has \(39, 40\) pixels and its image \(40, 40\)",
        ),
    ],
)
def test_unusable_data_are_refused_before_anything_is_written(change, message, tmp_path):
    with pytest.raises(DataError, match=message):
        list(engine.train(CONFIG, change(bright_squares()), tmp_path / "run"))
    assert not (tmp_path / "run").exists()


def test_only_last_can_be_resumed(tmp_path):
    finished = list(engine.train(CONFIG, bright_squares(), tmp_path))[-1]
    with pytest.raises(CheckpointError, match=r"no optimiser state; resume from last\.safetensors"):
        list(engine.train(CONFIG, bright_squares(), tmp_path, resume=finished.best))


def test_a_loss_that_is_no_number_names_the_samples(tmp_path):
    config = CONFIG.replace(learning_rate=1.0, epochs=1)
    events = engine.train(config, bright_squares(), tmp_path)
    for event in events:
        if isinstance(event, TrainStarted):
            break
    net = events.gi_frame.f_locals["loop"].net
    with torch.no_grad():
        net.last.bias.fill_(math.nan)
    with pytest.raises(EngineError, match=r"is not a finite number in epoch 1 \(samples s"):
        list(events)


@pytest.mark.parametrize(
    ("shape", "axes"),
    [
        ((32, 32), "YX"),
        ((16, 21), "YX"),
        ((40, 30, 3), "YXC"),
        ((40, 30, 4), "YXC"),
        ((5, 40, 30), "ZYX"),
        ((5, 40, 30), "NYX"),
        ((2, 3, 40, 30), "TZYX"),
        ((3, 40, 30, 3), "NYXC"),
    ],
)
@pytest.mark.parametrize("dtype", ["uint8", "int32", "uint16", "float32", "bool"])
def test_every_kind_of_scan_is_segmented_on_its_own_grid(make_checkpoint, shape, axes, dtype):
    data = np.random.default_rng(0).integers(0, 200, shape).astype(dtype)
    scan = Scan(data, axes)
    events = list(engine.predict(PredictConfig(), make_checkpoint(), scan))
    result = events[-1]
    assert isinstance(events[0], PredictStarted) and isinstance(result, PredictFinished)
    assert result.labels.shape == scan.grid_shape
    assert result.labels.dtype == np.uint8
    assert of(TileDone, events)[-1].index == events[0].count


def test_dask_and_numpy_give_the_same(make_checkpoint):
    dask = pytest.importorskip("dask.array")
    data = np.random.default_rng(0).integers(0, 2000, (6, 40, 40))
    lazy = dask.from_array(data, chunks=(1, 40, 40))
    results = [
        list(engine.predict(PredictConfig(), make_checkpoint(), Scan(d, "ZYX")))[-1].labels
        for d in (data, lazy)
    ]
    assert np.array_equal(*results)


@pytest.mark.parametrize("dimensions", [2, 3])
def test_a_chunk_of_many_slices_is_read_once_for_all_of_them(make_checkpoint, dimensions):
    source = CountedSlices((20, 32, 32))
    config, path = PredictConfig(precision="float32"), make_checkpoint(dimensions=dimensions)
    *_, wanted = engine.predict(config, path, source.in_memory())
    events = engine.predict(config, path, source.scan(depth=8))
    next(events)
    source.asked = 0
    *_, found = events
    assert np.array_equal(found.labels, wanted.labels)
    assert source.asked == 3


@pytest.mark.parametrize(
    ("dimensions", "across", "as_whole"), [(2, "Z", False), (3, "Z", True), (2, "all", True)]
)
def test_slices_in_the_order_wished_for_are_those_of_the_whole(
    make_checkpoint, dimensions, across, as_whole
):
    path = make_checkpoint(dimensions=dimensions)
    scan = Scan(np.random.default_rng(0).integers(0, 200, (2, 16, 32, 40), np.uint8), "TZYX")
    config = PredictConfig(precision="float32", batch_size=1, across=across)
    whole = list(engine.predict(config, path, scan))[-1]
    told = list(engine.predict_slices(config, path, scan, (20, 1, 2)))
    events = of(SlicePredicted, told)
    assert told[-3:] == events and bool(of(TileDone, told)) == as_whole
    assert [(e.index, e.done, e.count) for e in events] == [(20, 1, 3), (1, 2, 3), (2, 3, 3)]
    for event in events:
        place = np.unravel_index(event.index, (2, 16))
        assert np.array_equal(event.labels, whole.labels[place])
        assert event.dice == pytest.approx(whole.dice[place], abs=1e-6)


@pytest.mark.parametrize(("dimensions", "method"), [(2, "probabilities"), (3, "logits")])
def test_single_slices_go_on_with_the_processor_when_memory_runs_out(
    make_checkpoint, monkeypatch, dimensions, method
):
    path = make_checkpoint(dimensions=dimensions)
    scan = Scan(np.random.default_rng(0).integers(0, 200, (4, 32, 40), np.uint8), "ZYX")
    config = PredictConfig(precision="float32", batch_size=1)
    whole = list(engine.predict(config, path, scan))[-1]
    pretend_gpu(monkeypatch, path, method, 2)
    told = list(engine.predict_slices(config, path, scan, (3, 0, 1)))
    (fallback,) = of(DeviceFallback, told)
    assert fallback.device == "cpu" and "The GPU ran out of memory" in fallback.message
    events = of(SlicePredicted, told)
    assert [(e.index, e.done) for e in events] == [(3, 1), (0, 2), (1, 3)]
    assert all(np.array_equal(e.labels, whole.labels[e.index]) for e in events)


@pytest.mark.parametrize(("dimensions", "after"), [(2, SlicePredicted), (3, TileDone)])
def test_stop_ends_the_prediction_of_single_slices(make_checkpoint, dimensions, after):
    scan = Scan(np.ones((4, 32, 32), np.uint8), "ZYX")
    path = make_checkpoint(dimensions=dimensions)
    events = engine.predict_slices(PredictConfig(), path, scan, (3, 0))
    while not isinstance(next(events), after):
        pass
    with pytest.raises(StopIteration):
        events.send(Command.STOP)


def lazy_volume(slices):
    dask = pytest.importorskip("dask.array")
    blocks = [
        dask.random.default_rng(i).integers(0, 200, (1, 256, 256), "uint8") for i in range(slices)
    ]
    return dask.concatenate(blocks)


def test_a_result_in_a_folder_is_the_one_in_memory(make_checkpoint, tmp_path):
    zarr = pytest.importorskip("zarr")
    config = PredictConfig(probabilities=True, uncertainty=True)
    scan = Scan(lazy_volume(3), "ZYX")
    (*_, held), (*_, stored) = (
        engine.predict(config, make_checkpoint(classes=2), scan, folder)
        for folder in (None, tmp_path / "result")
    )
    for name in ("labels", "probabilities", "uncertainty"):
        assert isinstance(getattr(stored, name), zarr.Array)
        assert np.array_equal(getattr(held, name), getattr(stored, name)[...])
    assert np.array_equal(held.dice, stored.dice)


def test_memory_does_not_grow_with_the_volume(make_checkpoint, tmp_path):
    pytest.importorskip("zarr")
    path = make_checkpoint()
    peaks = []
    for slices in (64, 128):
        events = engine.predict(
            PredictConfig(), path, Scan(lazy_volume(slices), "ZYX"), tmp_path / str(slices)
        )
        tracemalloc.start()
        *_, result = events
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        assert result.labels.shape == (slices, 256, 256)
    one = 256 * 256
    assert peaks[1] - peaks[0] < 16 * one  # of 64 more


def test_maps_on_request(make_checkpoint):
    config = PredictConfig(
        probabilities=True, uncertainty=True, views="mirrored", disagreement=True
    )
    scan = Scan(np.random.default_rng(0).random((3, 32, 32)), "ZYX")
    result = list(engine.predict(config, make_checkpoint(classes=2, head="softmax"), scan))[-1]
    assert result.probabilities.shape == (2, 3, 32, 32)
    assert result.uncertainty.shape == result.disagreement.shape == (3, 32, 32)
    assert 0 < result.disagreement.max() <= 0.5
    assert result.dice.shape == (3,)
    assert np.all((result.dice >= 0) & (result.dice <= 1))
    best = result.probabilities.max(0) > 1 - result.probabilities.sum(0, dtype=np.float32)
    assert np.mean(best == (result.labels > 0)) > 0.99  # float16 rounds


@pytest.mark.parametrize(("across", "axis"), [("Y", 1), ("X", 2)])
def test_across_another_axis_is_the_turned_volume(make_checkpoint, across, axis):
    path = make_checkpoint()
    voxels = np.random.default_rng(0).integers(0, 200, (20, 24, 28), np.uint8)
    plain = PredictConfig(probabilities=True, precision="float32")
    turned = Scan(np.moveaxis(voxels, axis, 0), "ZYX")
    wanted = list(engine.predict(plain, path, turned))[-1]
    events = list(engine.predict(plain.replace(across=across), path, Scan(voxels, "ZYX")))
    assert events[0].count == of(TileDone, events)[-1].index == voxels.shape[axis]
    found = events[-1].probabilities[0]
    assert np.allclose(found, np.moveaxis(wanted.probabilities[0], 0, axis), atol=2e-3)
    assert events[-1].dice.shape == (20,)


def test_across_all_axes_is_the_mean(make_checkpoint):
    path = make_checkpoint(classes=2)
    scan = Scan(np.random.default_rng(0).integers(0, 200, (2, 20, 24, 28), np.uint8), "TZYX")
    how = PredictConfig(probabilities=True, precision="float32")
    each = [list(engine.predict(how.replace(across=a), path, scan))[-1] for a in "ZYX"]
    found = list(engine.predict(how.replace(across="all"), path, scan))[-1]
    mean = np.mean([result.probabilities for result in each], axis=0, dtype=np.float32)
    assert np.allclose(found.probabilities, mean, atol=2e-3)


def test_what_is_no_volume_is_not_cut_across_other_axes(make_checkpoint):
    scan = Scan(np.ones((3, 32, 32)), "NYX")
    with pytest.raises(DataError, match=r"axes NYX and no volume to take .*; set across to Z"):
        list(engine.predict(PredictConfig(across="Y"), make_checkpoint(), scan))


def test_flat_voxels_are_evened_out_across_other_axes(make_checkpoint):
    path = make_checkpoint()
    sizes = []
    predictor = load_predictor(path, "auto", "float32")
    hook = predictor._net.register_forward_hook(lambda _, x, y: sizes.append(x[0].shape[-2:]))
    scan = Scan(np.ones((16, 32, 32), np.uint8), "ZYX", (2.0, 1.0, 1.0), "mm")
    list(engine.predict(PredictConfig(across="X", precision="float32"), path, scan))
    hook.remove()
    assert set(sizes) == {(64, 64)}


def test_one_view_cannot_disagree():
    with pytest.raises(ConfigError, match="set views to mirrored"):
        PredictConfig.parse({"disagreement": True}, "here")


def test_stop_ends_a_prediction(make_checkpoint):
    events = engine.predict(PredictConfig(), make_checkpoint(), Scan(np.ones((50, 32, 32)), "ZYX"))
    next(events)
    next(events)
    with pytest.raises(StopIteration):
        events.send(Command.STOP)


def test_a_scan_that_is_too_small_is_refused(make_checkpoint):
    with pytest.raises(DataError, match="at least 16"):
        list(engine.predict(PredictConfig(), make_checkpoint(), Scan(np.ones((15, 40)), "YX")))


def test_out_of_memory_halves_the_batch_and_says_so(make_checkpoint, monkeypatch):
    path = make_checkpoint()
    whole = Predictor.probabilities

    def limited(self, images, *how):
        if len(images) > 1:
            raise torch.OutOfMemoryError("out of memory")
        return whole(self, images, *how)

    monkeypatch.setattr(Predictor, "probabilities", limited)
    scan = Scan(np.random.default_rng(0).random((5, 32, 32)), "ZYX")
    events = list(engine.predict(PredictConfig(batch_size=4), path, scan))
    assert [e.batch_size for e in of(DeviceFallback, events)] == [2, 1]
    assert isinstance(events[-1], PredictFinished)


def test_evaluation_counts_empty_pairs_apart(make_checkpoint):
    samples = bright_squares(4)
    blank = Sample("blank", np.zeros((40, 40)), np.zeros((40, 40), np.uint8), "blank")
    samples = SampleSet((*samples.samples, blank), samples.categories, "some")
    result = list(engine.evaluate_samples(make_checkpoint(), samples, PredictConfig()))[-1]
    assert isinstance(result, Evaluated)
    assert result.samples == 5
    assert 0 <= result.iou <= result.dice <= 1


def test_samples_of_a_volume_share_window_and_group():
    scan = Scan(np.random.default_rng(0).random((4, 20, 20)), "ZYX")
    samples = samples_from_scan(scan, np.zeros((4, 20, 20), np.uint8), slices=[1, 3])
    assert len({s.window for s in samples}) == 1 and samples[0].window is not None
    assert len({s.group for s in samples}) == 1
    with pytest.raises(DataError, match=r"\(4, 20, 21\).*\(4, 20, 20\)"):
        samples_from_scan(scan, np.zeros((4, 20, 21), np.uint8))


def mirrored_pairs(count: int) -> SampleSet:
    rng = np.random.default_rng(0)
    samples = []
    for number in range(count):
        image = rng.integers(1, 255, (32, 32)).astype(np.uint8)
        mask = (image > 128).astype(np.uint8)
        samples.append(Sample(f"{number}", image, mask, f"{number}"))
        samples.append(Sample(f"{number}m", image[:, ::-1], mask[:, ::-1], f"{number}m"))
    return SampleSet(tuple(samples), (Category(id=1, name="bright"),), "pairs")


def test_mirrored_slices_stay_on_one_side_and_are_reported(tmp_path):
    config = CONFIG.replace(epochs=1, valid_fraction=0.3)
    events = list(engine.train(config, mirrored_pairs(10), tmp_path))
    split = json.loads((tmp_path / "split.json").read_text())
    assert all(
        {n, f"{n}m"} <= set(split["train"]) or {n, f"{n}m"} <= set(split["valid"])
        for n in map(str, range(10))
    )
    note = next(e for e in events if isinstance(e, TrainStarted)).notes[0]
    assert note == (
        "20 slices are near-copies of others (also mirrored or rotated), in 10 groups: "
        "7 in the training split, 3 held out."
    )


def test_twins_may_be_left_to_chance(tmp_path):
    config = CONFIG.replace(epochs=1, valid_fraction=0.3, twins=False)
    events = list(engine.train(config, mirrored_pairs(10), tmp_path))
    split = json.loads((tmp_path / "split.json").read_text())
    assert any((f"{n}m" in split["train"]) != (str(n) in split["train"]) for n in range(10))
    assert next(e for e in events if isinstance(e, TrainStarted)).notes == ()
