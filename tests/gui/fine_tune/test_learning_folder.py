"""Learning from the scans of a folder, a single image each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from pages import dock_of
from plans import accept_plan

from napari_unet_seg import engine
from napari_unet_seg._napari.fine_tune.messages import round_summary
from napari_unet_seg._napari.layers.layer_record import ModelFile
from napari_unet_seg._napari.layers.prediction import checksums, show_prediction
from napari_unet_seg._napari.review.widget import ReviewWidget
from napari_unet_seg._napari.segment import chosen_model
from napari_unet_seg._napari.widgets.settings import remember
from napari_unet_seg.config import PredictConfig
from napari_unet_seg.io.common.scan import Scan
from napari_unet_seg.io.images.tiff import write_array
from napari_unet_seg.models.header import read_header
from napari_unet_seg.session.session import Session

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pytestqt.qtbot import QtBot

EVERY = 4
HOW = PredictConfig(precision="float32", threads=1, device="cpu")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Six images with a bright square."""
    folder = tmp_path / "scans"
    folder.mkdir()
    noise = np.random.default_rng(0)
    for index in range(6):
        image = noise.integers(1, 60, (40, 48), np.uint8)
        image[8 + index : 20 + index, 10:24] = 200
        write_array(folder / f"image-{index}.tif", image, axes="YX")
    return folder


@pytest.fixture
def widget(
    dock: Callable[[type], Any],
    qtbot: QtBot,
    make_checkpoint: Callable[..., Path],
    folder: Path,
    tmp_path: Path,
) -> ReviewWidget:
    """The first image of the folder is open, and every fourth accepted one starts a round."""
    remember("predict", HOW.model_dump(mode="json"))
    chosen_model.choose_model(make_checkpoint())
    widget: ReviewWidget = dock(ReviewWidget)
    widget.bar.folder.setValue(tmp_path / "sessions" / "any")
    form = widget.fine_tune.form
    for name, value in {"epochs": 9, "learning_rate": 0.02, "threads": 1}.items():
        form.editor(name).value = value
    widget.fine_tune.learn_bar.every.setValue(EVERY)
    widget.fine_tune.learn_bar.switch.setChecked(True)
    widget.scans.open_folder(folder)
    accept_plan(qtbot)
    qtbot.waitUntil(lambda: shown(widget) == ["image-0"])
    return widget


def shown(widget: ReviewWidget) -> list[str]:
    return [layer.name for layer in widget.viewer.layers]


def accept(qtbot: QtBot, widget: ReviewWidget) -> Session:
    """Draw what the current model sees as Segment does, correct it, and accept."""
    model, image = chosen_model.current_model(), widget.viewer.layers[-1]
    scan = Scan(image.data, "YX")
    labels = list(engine.predict(HOW, model, scan))[-1].labels
    categories, sums, made = read_header(model).categories, checksums(labels), ModelFile(str(model))
    with qtbot.waitSignal(widget.desk.session_changed):
        mask = show_prediction(widget.viewer, image, None, labels, categories, (), sums, made)
    qtbot.waitUntil(lambda: not widget.desk.busy)
    where = np.nonzero(mask.data != (image.data == 200))
    mask.data_setitem(where, (image.data == 200)[where].astype(np.uint8))
    widget.review.buttons["accept"].click()
    assert widget.session is not None
    assert widget.session.checkpoint == model
    return widget.session


def go_on(qtbot: QtBot, widget: ReviewWidget, index: int) -> None:
    qtbot.waitUntil(widget.scans.bar.next_button.isEnabled)
    widget.scans.bar.next_button.click()
    qtbot.waitUntil(lambda: shown(widget) == [f"image-{index}"])


def go_on_in_a_round(qtbot: QtBot, widget: ReviewWidget) -> Session:
    """Accept as many as start a round, which is held, since it is over soon, and go on."""
    for index in range(EVERY):
        session = accept(qtbot, widget)
        if (job := widget.fine_tune.panel.job) is not None:
            job.pause()
        go_on(qtbot, widget, index + 1)
    assert widget.fine_tune.panel.running
    return session


@pytest.mark.slow
def test_a_round_on_the_images_of_a_folder_goes_on_while_others_are_corrected(
    qtbot: QtBot, widget: ReviewWidget
) -> None:
    bar, first = widget.fine_tune.learn_bar, chosen_model.current_model()
    sessions = []
    for index in range(EVERY):
        assert not widget.fine_tune.panel.running
        sessions.append(accept(qtbot, widget))
        wanted = f"Fine-tune on {index + 1} accepted slice"
        assert widget.fine_tune.start_button.text().startswith(wanted)
        if index < EVERY - 1:
            go_on(qtbot, widget, index + 1)
    job = widget.fine_tune.panel.job
    assert job is not None
    assert bar.status.text() == "Learning from 4 slices …"
    job.pause()  # it is over soon
    go_on(qtbot, widget, EVERY)
    assert widget.fine_tune.panel.running
    with qtbot.waitSignal(widget.fine_tune.finished) as done:
        job.resume()
    finished, used = done.args
    qtbot.waitUntil(lambda: not widget.fine_tune.panel.running)
    assert (finished.train, finished.held_out, finished.stopped) == (3, 1, False)
    assert used
    assert Session.open(sessions[-1].folder).rounds == (finished,)
    assert widget.fine_tune.result.text() == round_summary(finished)
    new = sessions[-1].folder / finished.checkpoint
    assert chosen_model.current_model() == new
    assert "no slice to predict again; Segment uses the model" in bar.status.text()

    # The next scan is segmented with it, and too few were accepted since for another round.
    accept(qtbot, widget)
    assert not widget.fine_tune.panel.running
    assert widget.fine_tune.result.text() == round_summary(finished), "it is of this folder too"
    assert bar.back_button.isEnabled()
    bar.back_button.click()
    assert chosen_model.current_model() == first
    assert not bar.back_button.isEnabled()


@pytest.mark.slow
def test_the_image_whose_round_runs_can_be_opened_meanwhile(
    qtbot: QtBot, widget: ReviewWidget
) -> None:
    session = go_on_in_a_round(qtbot, widget)
    job = widget.fine_tune.panel.job
    assert job is not None
    with qtbot.waitSignal(widget.fine_tune.finished) as done:
        with qtbot.waitSignal(widget.desk.session_changed):
            widget.scans.bar.previous_button.click()
        job.resume()
    qtbot.waitUntil(lambda: not widget.fine_tune.panel.running)
    again = widget.session
    assert again is session, "it stays held while its round runs"
    assert again.rounds == tuple(done.args[:1])
    assert Session.open(session.folder).rounds == again.rounds


@pytest.mark.slow
def test_closing_the_dock_ends_the_round_of_a_folder(qtbot: QtBot, widget: ReviewWidget) -> None:
    go_on_in_a_round(qtbot, widget)
    job, first = widget.fine_tune.panel.job, chosen_model.current_model()
    assert job is not None
    with qtbot.waitSignal(job.ended):
        widget.viewer.window.remove_dock_widget(dock_of(widget))
    dock_of(widget).deleteLater()
    assert chosen_model.current_model() == first
