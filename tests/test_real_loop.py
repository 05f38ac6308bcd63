"""The whole loop on real scans, through the engine: no window and no program."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pytest
from pycocotools.coco import COCO
from streams import here

from napari_unet_seg import engine
from napari_unet_seg.config import ModelConfig, PredictConfig, TrainConfig
from napari_unet_seg.data.dataset import open_dataset
from napari_unet_seg.data.dataset_write import write_dataset
from napari_unet_seg.evaluation.evaluate import Evaluation, evaluate
from napari_unet_seg.events import EpochEnd
from napari_unet_seg.io.coco.read import read_coco
from napari_unet_seg.io.coco.write import labels_to_coco, save_coco
from napari_unet_seg.io.read import read_labels, read_scan
from napari_unet_seg.io.write import write_mask
from napari_unet_seg.session.review_queue import ReviewState
from napari_unet_seg.session.rounds import run_round
from napari_unet_seg.session.session import Session
from napari_unet_seg.session.stored.record import Round

if TYPE_CHECKING:
    from pathlib import Path

    from napari_unet_seg.data.samples import Sample, SampleSet

pytestmark = pytest.mark.slow

CONFIG = TrainConfig(
    epochs=20,
    batch_size=2,
    image_size=64,
    learning_rate=5e-3,
    threads=1,
    model=ModelConfig(width=8, depth=3),
)
CPU = PredictConfig(device="cpu", precision="float32", threads=1)
TRAINED, CORRECTED = 24, 6


class Trained(NamedTuple):
    samples: SampleSet
    best: Path
    losses: list[float]


def held_out(samples: SampleSet) -> list[Sample]:
    return [sample for sample in samples.samples if sample.split == "valid"]


@pytest.fixture(scope="module")
def trained(real_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Trained:
    """A data set of every sixtieth slice of TumorSeg, and a small net trained on it."""
    folder = tmp_path_factory.mktemp("loop")
    (path,) = (real_data / "tumorseg" / "train").glob("*.json")
    document = json.loads(path.read_text())
    document["images"] = document["images"][:: len(document["images"]) // 30][:30]
    kept = {image["id"] for image in document["images"]}
    document["annotations"] = [a for a in document["annotations"] if a["image_id"] in kept]
    few = folder / "few.json"
    few.write_text(json.dumps(document))

    coco = read_coco(few, path.parent)
    assert len(coco.images) == TRAINED + CORRECTED
    problems = [
        event.problem
        for event in write_dataset([coco], folder / "dataset", valid_fraction=0.2)
        if event.problem
    ]
    assert problems == []
    samples = open_dataset(folder / "dataset")
    assert len(held_out(samples)) == CORRECTED
    *events, end = engine.train(CONFIG, samples, folder / "run")
    losses = [e.train_loss for e in events if isinstance(e, EpochEnd)]
    return Trained(samples, end.best, losses)


def predicted(checkpoint: Path, sample: Sample) -> Any:
    *_, end = engine.predict(CPU, checkpoint, read_scan(sample.image))
    return end.labels


def test_training_learns_from_real_slices(trained: Trained) -> None:
    assert len(trained.losses) == CONFIG.epochs
    assert trained.losses[-1] < 0.9 * trained.losses[0]


def test_masks_are_on_the_grid_of_their_scans_and_can_be_measured(
    trained: Trained, tmp_path: Path
) -> None:
    samples = held_out(trained.samples)
    for sample in samples:
        scan = read_scan(sample.image)
        labels = predicted(trained.best, sample)
        assert labels.shape == scan.grid_shape == (640, 640)
        write_mask(tmp_path / sample.mask.name, labels, scan)
        assert np.array_equal(read_labels(tmp_path / sample.mask.name).data, labels)
    *_, result = evaluate(tmp_path, samples[0].mask.parent)
    assert isinstance(result, Evaluation)
    assert {measure.name for measure in result.measures} == {s.mask.stem for s in samples}
    assert result.missing == result.extra == ()


def test_corrections_are_kept_and_learned_from(trained: Trained, tmp_path: Path) -> None:
    samples = held_out(trained.samples)
    scans = [read_scan(sample.image) for sample in samples]
    scan = replace(
        scans[0],
        data=np.stack([s.data for s in scans]),
        axes="N" + scans[0].axes,
        spacing=(1.0, *scans[0].spacing),
        path=None,
        names=tuple(s.path.name for s in scans),
    )
    prediction = np.stack([predicted(trained.best, sample) for sample in samples])
    truth = np.stack([read_labels(sample.mask).data for sample in samples])
    categories = trained.samples.categories

    session = Session.create(tmp_path / "s", scan, categories, prediction, trained.best)
    for index in range(len(samples)):
        session.set_states({index: ReviewState.ACCEPTED})
    session.save_mask(truth)
    session = Session.open(tmp_path / "s")
    assert np.array_equal(session.load_mask(), truth)
    assert np.array_equal(session.prediction, prediction)

    *events, done = run_round(session, CONFIG, trained.best, here)
    losses = [event.train_loss for event in events if isinstance(event, EpochEnd)]
    assert losses[-1] < 0.9 * losses[0]
    assert isinstance(done, Round)
    assert (done.train + done.held_out, done.epochs) == (len(samples), CONFIG.epochs)
    assert all(0 <= dice <= 1 for dice in (done.before, done.after))
    assert Session.open(tmp_path / "s").rounds == (done,)
    tuned = session.folder / done.checkpoint
    assert not np.array_equal(predicted(tuned, samples[0]), prediction[0])

    path = tmp_path / "corrected.json"
    save_coco(labels_to_coco(zip(scan.names, truth, strict=True), categories), path)
    coco = COCO(str(path))
    for image, mask in zip(coco.loadImgs(coco.getImgIds()), truth, strict=True):
        drawn = [coco.annToMask(a) for a in coco.imgToAnns[image["id"]]]
        assert np.array_equal(np.any(drawn, axis=0), mask > 0)
