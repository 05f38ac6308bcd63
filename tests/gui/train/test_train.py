from __future__ import annotations

from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import psutil
import pytest
import scene
import tifffile
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QMessageBox

from napari_unet_seg._napari.layers.layer_record import LayerRecord
from napari_unet_seg._napari.segment import chosen_model
from napari_unet_seg._napari.train.source import LayerSource, source_from_layers
from napari_unet_seg._napari.train.widget import TrainWidget
from napari_unet_seg.config import IGNORE_INDEX, PRESETS, Category, TrainConfig
from napari_unet_seg.errors import DataError
from napari_unet_seg.events import TrainStarted
from napari_unet_seg.io.common.scan import Scan
from napari_unet_seg.models.header import read_header
from napari_unet_seg.training.run import Run

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pytestqt.qtbot import QtBot

CATEGORIES = scene.CATEGORIES[:1]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A data set of six noisy squares."""
    folder, random = tmp_path / "squares", np.random.default_rng(0)
    for split, count in (("train", 4), ("valid", 2)):
        for kind in ("images", "masks"):
            (folder / split / kind).mkdir(parents=True)
        for i in range(count):
            mask = np.zeros((32, 32), np.uint8)
            mask[8 : 20 + i, 8:24] = 1
            image = mask * 120 + random.integers(1, 60, mask.shape).astype(np.uint8)
            tifffile.imwrite(folder / split / "images" / f"{split}{i}.tif", image)
            tifffile.imwrite(folder / split / "masks" / f"{split}{i}.tif", mask)
    return folder


@pytest.fixture
def with_engine(dock: Callable[..., Any], tmp_path: Path) -> Callable[..., TrainWidget]:
    """Make a widget whose child runs the engine that is named, or the one it has by itself."""

    def make(**engine: str) -> TrainWidget:
        widget: TrainWidget = dock(partial(TrainWidget, **engine))
        widget.output.setValue(tmp_path / "run")
        return widget

    return make


@pytest.fixture
def widget(with_engine: Callable[..., TrainWidget]) -> TrainWidget:
    return with_engine(engine="fake_engine:train")


@pytest.fixture
def endless(with_engine: Callable[..., TrainWidget]) -> TrainWidget:
    """A widget whose training goes on until it is stopped."""
    return with_engine(engine="fake_engine:train_until_stopped")


def epochs_drawn(widget: TrainWidget) -> list[int]:
    widget.panel.plot.redraw()
    return list(widget.panel.plot.train_curve.getData()[0])


def finish(qtbot: QtBot, widget: TrainWidget) -> None:
    qtbot.waitUntil(lambda: not widget.panel.running)


def test_training_on_a_folder_shows_everything_and_offers_the_model(
    qtbot: QtBot, widget: TrainWidget, folder: Path, tmp_path: Path, notifications: list[str]
) -> None:
    widget.source.folder.setValue(folder)
    widget.form.editor("epochs").value = 2
    widget.start_button.click()
    assert not widget.start_button.isEnabled()
    assert not widget.settings.isEnabled()
    finish(qtbot, widget)
    assert widget.start_button.isEnabled()
    assert epochs_drawn(widget) == [1, 2]
    assert "best validation Dice 0.750 on 1 held out" in notifications[0]
    chosen: list[Path] = []
    chosen_model.model_chosen.connect(chosen.append)
    widget.use_button.click()
    assert chosen == [chosen_model.current_model()] == [tmp_path / "run" / "best.safetensors"]


def test_a_run_is_named_after_what_it_is_trained_on_and_the_day(
    widget: TrainWidget, folder: Path, tmp_path: Path
) -> None:
    chosen = tmp_path / "mine"
    widget.output.setValue(chosen)
    widget.source.folder.setValue(folder)
    assert widget.output.value() == chosen
    widget.output.propose()
    today = f"{datetime.now():%Y-%m-%d}"
    proposed = widget.output.value()
    assert proposed.name == f"{folder.name} {today}"
    widget.viewer.add_image(np.ones((4, 32, 32), np.uint8), name="patient 7 T1")
    widget.source.tabs.setCurrentIndex(1)
    assert widget.output.value() == proposed.with_name(f"patient 7 T1 {today}")


def test_training_on_layers_leaves_them_and_the_selection_alone(
    qtbot: QtBot, endless: TrainWidget
) -> None:
    viewer = endless.viewer
    viewer.add_image(np.ones((4, 32, 32), np.uint8), name="scan", scale=(3, 2, 2))
    labels = viewer.add_labels(np.zeros((4, 32, 32), np.uint8), name="mask", scale=(3, 2, 2))
    labels.data[1, 4:9, 4:9] = 1
    endless.source.tabs.setCurrentIndex(1)
    before = labels.data.copy()
    events: list[Any] = []
    endless.panel.event_arrived.connect(events.append)
    endless.start_button.click()
    qtbot.waitUntil(lambda: len(viewer.layers) == 5)
    names = ["validation truth", "validation prediction"]
    qtbot.waitUntil(lambda: viewer.layers[2].name.startswith("validation: one, epoch "))
    assert [layer.name for layer in viewer.layers[3:]] == names
    assert viewer.layers.selection.active is labels
    assert viewer.layers["validation truth"].extent.world[0, -1] > labels.extent.world[1, -1]
    endless.panel.stop_button.click()
    finish(qtbot, endless)
    assert [e.train for e in events if isinstance(e, TrainStarted)] == [1]
    assert [layer.name for layer in viewer.layers] == ["scan", "mask"], "previews stay"
    assert viewer.layers.selection.active is labels
    np.testing.assert_array_equal(labels.data, before)


def test_the_engine_itself_trains_in_the_widget(
    qtbot: QtBot, with_engine: Callable[..., TrainWidget], folder: Path, tmp_path: Path
) -> None:
    widget = with_engine()
    widget.source.folder.setValue(folder)
    small = TrainConfig().model.replace(width=4, depth=2)
    widget.setValue(TrainConfig(epochs=2, batch_size=2, image_size=32, model=small, threads=1))
    previews: list[Any] = []
    widget.panel.preview.connect(previews.append)
    widget.start_button.click()
    finish(qtbot, widget)
    assert widget.panel.status.text().startswith("Finished.")
    assert (tmp_path / "run" / "best.safetensors").is_file()
    assert epochs_drawn(widget) == [1, 2]
    assert {preview.labels.shape for preview in previews} == {(32, 32)}


@pytest.mark.parametrize("confirmed", [True, False])
def test_doubtful_masks_are_asked_about(
    qtbot: QtBot,
    with_engine: Callable[..., TrainWidget],
    folder: Path,
    notifications: list[str],
    confirmed: bool,
) -> None:
    widget = with_engine(engine="fake_engine:train_if_confirmed")
    widget.source.folder.setValue(folder)
    widget.start_button.click()
    finish(qtbot, widget)
    box = widget.findChild(QMessageBox)
    assert box.text() == "All masks are dots." and not notifications
    assert widget.panel.status.text() == "Not trained: All masks are dots."
    role = QMessageBox.ButtonRole.AcceptRole if confirmed else QMessageBox.ButtonRole.RejectRole
    next(b for b in box.buttons() if box.buttonRole(b) == role).click()
    finish(qtbot, widget)
    assert widget.panel.status.text().startswith("Finished.") == confirmed
    qtbot.waitUntil(lambda: widget.findChild(QMessageBox) is None)


@pytest.mark.parametrize("top", [1, 255])
def test_a_layer_of_two_levels_is_a_mask_as_its_file_is(top: int) -> None:
    from napari.layers import Image, Labels

    mask = np.zeros((16, 16), np.uint8)
    mask[4:9, 4:9] = top
    source = source_from_layers(Image(np.ones((16, 16))), Labels(mask), only_labelled=True)
    assert [c.name for c in source.categories] == ["label 1"]
    assert np.array_equal(source.labels, mask > 0)


def test_stop_keeps_the_best_model(qtbot: QtBot, endless: TrainWidget, folder: Path) -> None:
    endless.source.folder.setValue(folder)
    endless.start_button.click()
    qtbot.waitUntil(lambda: "samples/s" in endless.panel.status.text())
    endless.panel.stop_button.click()
    finish(qtbot, endless)
    assert endless.panel.status.text().startswith("Stopped.\nBest validation Dice")
    assert endless.result.text().startswith("The model is "), "the Dice is told once"
    assert not endless.use_button.isHidden()


def test_out_of_memory_is_told_and_leaves_the_form_usable(
    qtbot: QtBot,
    with_engine: Callable[..., TrainWidget],
    folder: Path,
    notifications: list[str],
) -> None:
    widget = with_engine(engine="fake_engine:train_without_memory")
    widget.source.folder.setValue(folder)
    widget.start_button.click()
    finish(qtbot, widget)
    assert len(notifications) == 1
    assert "ran out of memory" in notifications[0]
    assert widget.start_button.isEnabled()
    assert widget.settings.isEnabled()
    assert widget.use_button.isHidden()


def test_closing_the_dock_stops_the_training(
    qtbot: QtBot, endless: TrainWidget, folder: Path
) -> None:
    endless.source.folder.setValue(folder)
    endless.start_button.click()
    qtbot.waitUntil(lambda: "samples/s" in endless.panel.status.text())
    endless.viewer.window.remove_dock_widget(endless)
    finish(qtbot, endless)
    assert endless.panel.status.text().startswith("Stopped.")
    endless.close()
    endless.deleteLater()


def nothing(widget: TrainWidget, tmp_path: Path) -> str:
    return "No data set is chosen"


def no_layers(widget: TrainWidget, tmp_path: Path) -> str:
    widget.source.tabs.setCurrentIndex(1)
    return "No image and labels layer are chosen"


def wrong_values(widget: TrainWidget, tmp_path: Path) -> str:
    widget.source.folder.setValue(tmp_path)
    widget.form.editor("model.depth").value = 6
    widget.form.editor("image_size").value = 240
    return "240 is no multiple of 64"


def taken_folder(widget: TrainWidget, tmp_path: Path) -> str:
    widget.source.folder.setValue(tmp_path)
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "last.safetensors").touch()
    return "already holds a run"


def empty_folder(widget: TrainWidget, tmp_path: Path) -> str:
    (tmp_path / "empty").mkdir()
    widget.source.folder.setValue(tmp_path / "empty")
    return "empty"


@pytest.mark.parametrize("spoil", [nothing, no_layers, wrong_values, taken_folder, empty_folder])
def test_bad_input_is_one_sentence_and_the_form_stays(
    qtbot: QtBot,
    widget: TrainWidget,
    tmp_path: Path,
    notifications: list[str],
    spoil: Callable[[TrainWidget, Path], str],
) -> None:
    text = spoil(widget, tmp_path)
    widget.start_button.click()
    finish(qtbot, widget)
    assert len(notifications) == 1
    assert text in notifications[0]
    assert widget.start_button.isEnabled()


@pytest.mark.own_process
def test_a_training_whose_process_was_killed_is_offered_at_once_and_by_the_next_window(
    qtbot: QtBot,
    dock: Callable[..., Any],
    with_engine: Callable[..., TrainWidget],
    folder: Path,
    tmp_path: Path,
    notifications: list[str],
) -> None:
    widget = with_engine()
    widget.source.folder.setValue(folder)
    small = TrainConfig().model.replace(width=4, depth=2)
    config = TrainConfig(epochs=9999, batch_size=2, image_size=32, model=small, threads=1)
    widget.setValue(config)
    widget.start_button.click()
    run = Run(tmp_path / "run")
    qtbot.waitUntil(lambda: run.can_resume, timeout=60_000)
    for child in psutil.Process().children():
        if any("child" in word for word in child.cmdline()):
            child.kill()
    finish(qtbot, widget)
    assert "ended unexpectedly" in notifications[-1]
    assert not widget.output.resume.isHidden()
    assert widget.output.resume.text() == f"Resume the run in this folder after {run.unfinished()}"
    following = dock(TrainWidget)
    assert following.output.value() == run.folder
    done = read_header(run.last).epoch
    following.source.folder.setValue(folder)
    following.setValue(config.replace(epochs=done + 1))
    following.output.resume.setChecked(True)
    following.start_button.click()
    finish(qtbot, following)
    assert read_header(run.last).epoch == done + 1
    assert dock(TrainWidget).output.value() != run.folder


def test_a_run_can_be_gone_on_with(widget: TrainWidget, tmp_path: Path) -> None:
    assert widget.output.resume.isHidden()
    (tmp_path / "old").mkdir()
    (tmp_path / "old" / "last.safetensors").touch()
    widget.output.setValue(tmp_path / "old")
    assert not widget.output.resume.isHidden()
    widget.output.resume.setChecked(True)
    assert widget.output.usable() == tmp_path / "old"


def test_presets_fill_the_form_and_edits_make_it_custom(widget: TrainWidget) -> None:
    widget.presets.preset.setCurrentText("optimised")
    widget.presets.preset.activated.emit(2)
    assert widget.value() == PRESETS["optimised"]
    widget.form.editor("epochs").value = 3
    assert widget.presets.preset.currentText() == "custom"


def test_settings_are_the_programs_file(
    widget: TrainWidget, tmp_path: Path, notifications: list[str]
) -> None:
    config = PRESETS["base"].replace(epochs=7)
    widget.setValue(config)
    widget.save(tmp_path / "train.yaml")
    assert TrainConfig.from_file(tmp_path / "train.yaml") == config
    widget.setValue(TrainConfig())
    widget.load(tmp_path / "train.yaml")
    assert widget.value() == config
    assert not notifications
    (tmp_path / "bad.yaml").write_text("epochs: many")
    widget.load(tmp_path / "bad.yaml")
    assert "bad.yaml: epochs" in notifications[0]
    widget.save(tmp_path / "missing" / "train.yaml")
    assert "cannot be written" in notifications[1]
    assert widget.value() == config


def test_settings_are_remembered(
    qtbot: QtBot, widget: TrainWidget, folder: Path, tmp_path: Path
) -> None:
    widget.source.folder.setValue(folder)
    widget.form.editor("epochs").value = 1
    widget.start_button.click()
    finish(qtbot, widget)
    again = TrainWidget(widget.viewer)
    qtbot.addWidget(again)
    assert again.value().epochs == 1
    assert again.source.folder.value() == folder
    assert again.output.value().parent == tmp_path


def test_the_source_has_no_gap_and_its_hint_is_whole(qtbot: QtBot, widget: TrainWidget) -> None:
    widget.viewer.window.resize(1366, 768)
    widget.viewer.show()
    folder, tabs = widget.source.folder.line, widget.source.tabs
    qtbot.waitUntil(lambda: folder.width() > 200)
    hint = folder.fontMetrics().horizontalAdvance(folder.placeholderText())
    assert hint < folder.width() - 8
    below = tabs.height() - folder.mapTo(tabs, folder.rect().bottomLeft()).y()
    assert below < 2 * folder.height()


def test_it_fits_a_small_screen(widget: TrainWidget) -> None:
    widget.panel.show()
    assert widget.minimumSizeHint().height() <= 600
    assert widget.minimumSizeHint().width() <= 450


@pytest.mark.parametrize(
    ("values", "categories", "count"),
    [
        ([0, 1, 2], (), 2),
        ([0, 1, IGNORE_INDEX], CATEGORIES, 1),
    ],
)
def test_labels_become_classes(
    values: list[int], categories: tuple[Category, ...], count: int
) -> None:
    from napari.layers import Image, Labels

    array = np.zeros((16, 16), np.uint8)
    array[0, : len(values)] = values
    labels = Labels(array, metadata=LayerRecord(categories=categories).as_metadata())
    source = source_from_layers(Image(np.ones((16, 16))), labels, only_labelled=True)
    assert len(source.categories) == count
    assert len(source.read(2).samples) == 1
    assert source.labels.max() in (count, IGNORE_INDEX)


@pytest.mark.parametrize(
    ("labels", "categories", "text"),
    [
        (np.full((16, 16), 40), (), "value 40"),
        (np.full((16, 16), 2), CATEGORIES, "value 2"),
        (np.ones((15, 16), int), (), r"\(15, 16\) and the image .* of \(16, 16\)"),
    ],
)
def test_labels_that_cannot_be_used(
    labels: Any, categories: tuple[Category, ...], text: str
) -> None:
    from napari.layers import Image, Labels

    layer = Labels(labels, metadata=LayerRecord(categories=categories).as_metadata())
    with pytest.raises(DataError, match=text):
        source_from_layers(Image(np.ones((16, 16))), layer, only_labelled=True)


def test_only_slices_with_labels_are_taken() -> None:
    labels = np.zeros((3, 16, 16), np.uint8)
    labels[1, 2, 2] = 1
    scan = Scan(np.ones((3, 16, 16)), "ZYX")
    assert len(LayerSource("l", scan, labels, CATEGORIES, True).read(2).samples) == 1
    assert len(LayerSource("l", scan, labels, CATEGORIES, False).read(2).samples) == 3
    with pytest.raises(DataError, match="holds no labels"):
        LayerSource("l", scan, labels * 0, CATEGORIES, True).read(2)


def test_eight_augmented_samples_can_be_looked_at(
    qtbot: QtBot, widget: TrainWidget, folder: Path
) -> None:
    widget.source.folder.setValue(folder)
    widget.form.editor("image_size").value = 32
    shown = widget.augmented
    assert shown.picture.isHidden()
    qtbot.mouseClick(shown.button, Qt.MouseButton.LeftButton)
    assert not shown.button.isEnabled()
    qtbot.waitUntil(lambda: shown.job is None)
    assert not shown.picture.isHidden() and shown.button.isEnabled()
    pixmap = shown.picture.pixmap()
    assert pixmap.width() == shown.picture.width() > 2 * pixmap.height() * 0.9
    assert shown.picture.toolTip().splitlines()[0] == "train0"
    # The picture would be wrong now.
    widget.form.editor("augment.flip").value = True
    assert shown.picture.isHidden()


def test_samples_that_cannot_be_read_are_told(
    qtbot: QtBot, widget: TrainWidget, folder: Path, notifications: list[str]
) -> None:
    (folder / "train" / "images" / "train0.tif").write_bytes(b"II*\0 cut off")
    widget.source.folder.setValue(folder)
    qtbot.mouseClick(widget.augmented.button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: widget.augmented.job is None)
    assert len(notifications) == 1 and "train0.tif" in notifications[0]
    assert widget.augmented.picture.isHidden()
