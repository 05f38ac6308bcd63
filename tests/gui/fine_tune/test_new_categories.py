"""A session on a model of one category that gets a second one, which the model then learns."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from sessions import start_session

from napari_unet_seg import engine
from napari_unet_seg._napari.layers.layer_record import LayerRecord, ModelFile
from napari_unet_seg._napari.review.widget import ReviewWidget
from napari_unet_seg._napari.widgets.settings import remember
from napari_unet_seg.config import Category, ModelConfig, PredictConfig, TrainConfig
from napari_unet_seg.data.samples import SampleSet
from napari_unet_seg.data.scan_samples import samples_from_scan
from napari_unet_seg.io.common.scan import Scan
from napari_unet_seg.models.header import read_header
from napari_unet_seg.session.review_queue import ReviewState

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pytestqt.qtbot import QtBot

pytestmark = [pytest.mark.gui, pytest.mark.usefixtures("only_this_plugin")]

SHAPE = (8, 32, 40)
OLD = Category(id=1, name="bright")
CONFIG = TrainConfig(
    epochs=30,
    batch_size=4,
    image_size=32,
    learning_rate=0.01,
    precision="float32",
    threads=1,
    device="cpu",
    valid_fraction=0.25,
    model=ModelConfig(width=4, depth=2),
)
HOW = PredictConfig(precision="float32", threads=1, device="cpu")


@pytest.fixture
def scan() -> Scan:
    """A bright square and a dark one in every slice."""
    voxels = np.random.default_rng(0).integers(90, 110, SHAPE, np.uint8)
    voxels[:, 4:14, 6:18] = 220
    voxels[:, 18:28, 20:34] = 10
    return Scan(voxels, "ZYX")


def predicted(model: Path, scan: Scan) -> Any:
    return list(engine.predict(HOW, model, scan))[-1].labels


def trained(run: Path, scan: Scan) -> Path:
    """Train a network on the bright squares alone."""
    slices = replace(scan, axes="NYX")
    samples = samples_from_scan(slices, (scan.data == 220).astype(np.uint8))
    (*_, finished) = engine.train(CONFIG, SampleSet(samples, (OLD,), "bright"), run)
    assert dice(predicted(finished.best, scan) == 1, scan.data == 220) > 0.8
    return finished.best


def dice(found: Any, true: Any) -> float:
    return float(2 * (found & true).sum() / (found.sum() + true.sum()))


@pytest.mark.slow
def test_a_category_added_in_the_window_is_learned_and_the_old_weights_stay(
    qtbot: QtBot,
    dock: Callable[[type], Any],
    tmp_path: Path,
    scan: Scan,
) -> None:
    remember("predict", HOW.model_dump(mode="json"))
    model = trained(tmp_path / "run", scan)
    widget: ReviewWidget = dock(ReviewWidget)
    widget.viewer.add_image(scan.data, name="head")
    record = LayerRecord(categories=(OLD,), model=ModelFile(str(model)))
    mask = widget.viewer.add_labels(
        predicted(model, scan), name="mask", metadata=record.as_metadata()
    )
    start_session(qtbot, widget, tmp_path / "session")

    mask.selected_label = 2
    widget.review.new_label.name.setText("dark")
    widget.review.new_label.button.click()
    wanted = np.where(scan.data == 220, 1, np.where(scan.data == 10, 2, 0))
    changed = np.nonzero(mask.data != wanted)
    mask.data_setitem(changed, wanted[changed])
    for index in range(6):
        widget.desk.current.shown.go_to(index)
        widget.review.buttons["accept"].click()
    session = widget.session
    assert session.states[:6] == (ReviewState.CORRECTED,) * 6
    form = widget.fine_tune.form
    for name, value in {"epochs": 80, "threads": 1}.items():
        form.editor(name).value = value
    with qtbot.waitSignal(widget.fine_tune.finished, timeout=120_000) as finished:
        widget.fine_tune.start()
    qtbot.waitUntil(lambda: not widget.fine_tune.panel.running)

    new = session.folder / finished.args[0].checkpoint
    assert [c.name for c in read_header(new).categories] == ["bright", "dark"]
    assert finished.args[0].base == str(model)
    labels = predicted(new, scan)
    assert dice(labels == 1, wanted == 1) > 0.8
    assert dice(labels == 2, wanted == 2) > 0.5
