from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from fake_engine import train, train_until_stopped
from napari.components import ViewerModel
from qtpy.QtGui import QColor

from napari_unet_seg._napari.train import loss_plot
from napari_unet_seg._napari.train.loss_plot import LossPlot
from napari_unet_seg._napari.train.panel import TrainingPanel, duration
from napari_unet_seg.config import TrainConfig
from napari_unet_seg.data.samples import SampleSet
from napari_unet_seg.errors import DataError
from napari_unet_seg.events import BatchEnd, EpochEnd, Preview, SampleMeasured, TrainFinished

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

    from pytestqt.qtbot import QtBot

    from napari_unet_seg.events import Command, TrainEvent


NOTHING = SampleSet((), (), "nowhere")


def events(epochs: int, run: Path) -> Generator[TrainEvent, Command | None, None]:
    return train(TrainConfig(epochs=epochs), NOTHING, run)


@pytest.fixture
def viewer() -> ViewerModel:
    return ViewerModel()


@pytest.fixture
def plot(qtbot: QtBot, viewer: ViewerModel) -> LossPlot:
    plot = LossPlot(viewer)
    qtbot.addWidget(plot)
    return plot


def test_curves_show_every_epoch(plot: LossPlot, tmp_path: Path) -> None:
    for event in events(3, tmp_path):
        plot.on_event(event)
    plot.redraw()
    for curve, values in (
        (plot.train_curve, [1, 1 / 2, 1 / 3]),
        (plot.valid_curve, [1.1, 1.1 / 2, 1.1 / 3]),
        (plot.dice_curve, [1 / 2, 2 / 3, 3 / 4]),
    ):
        x, y = curve.getData()
        np.testing.assert_array_equal(x, [1, 2, 3])
        np.testing.assert_allclose(y, values)
    x, _ = plot.step_curve.getData()
    np.testing.assert_allclose(x, np.arange(1, 16) / 5)


def test_before_the_first_loss_the_axes_start_at_nothing(plot: LossPlot, tmp_path: Path) -> None:
    assert plot.view.viewRange() == [[0, 1], [0, 1]]
    for event in events(3, tmp_path):
        plot.on_event(event)
    plot.redraw()
    plot.view.getPlotItem().vb.updateAutoRange()
    (left, right), _ = plot.view.viewRange()
    assert left < 1 < 3 <= right
    plot.clear()
    assert plot.view.viewRange() == [[0, 1], [0, 1]]


def test_figures_that_are_no_numbers_are_left_out(plot: LossPlot) -> None:
    plot.on_event(EpochEnd(1, 0.5, math.nan, math.nan, 1e-3, True, 1.0))
    plot.on_event(BatchEnd(1, 1, 2, math.inf, 1.0, 1.0))
    plot.redraw()
    assert len(plot.train_curve.getData()[0]) == 1
    assert not plot.valid_curve.getData()[0]
    assert not plot.step_curve.getData()[0]


def test_a_spike_of_the_validation_loss_does_not_flatten_the_rest(plot: LossPlot) -> None:
    losses = ((1.5, 1.6), (0.9, 18.0), (0.6, 0.7), (0.4, 0.5))
    for epoch, (learnt, held_out) in enumerate(losses, 1):
        plot.on_event(EpochEnd(epoch, learnt, held_out, 0.5, 1e-3, True, 1.0))
    plot.redraw()
    (_, _), (low, high) = plot.view.viewRange()
    assert 0.3 < low < 0.4
    assert 1.6 < high < 1.8


def test_redraws_are_few(plot: LossPlot, monkeypatch: pytest.MonkeyPatch, qtbot: QtBot) -> None:
    drawn: list[int] = []
    plot.step_curve.sigPlotChanged.connect(lambda *_: drawn.append(1))
    for step in range(1, 1001):
        plot.on_event(BatchEnd(1, step, 1000, 1 / step, 1.0, 1.0))
    assert len(drawn) <= 2
    qtbot.waitUntil(lambda: len(plot.step_curve.getData()[0]) == 1000)
    assert len(drawn) <= 5


def test_a_long_training_is_thinned_out(plot: LossPlot, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loss_plot, "MAX_STEPS", 50)
    for step in range(1, 1001):
        plot.on_event(BatchEnd(1, step, 1000, 1.0, 1.0, 1.0))
    plot.redraw()
    shown, _ = plot.step_curve.getData()
    assert 20 <= len(shown) <= 50
    assert shown[-1] > 0.9


def test_clear_forgets(plot: LossPlot, tmp_path: Path) -> None:
    for event in events(2, tmp_path):
        plot.on_event(event)
    plot.clear()
    for curve in (plot.step_curve, plot.train_curve, plot.dice_curve):
        assert not curve.getData()[0]


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_it_is_readable_in_both_themes(plot: LossPlot, viewer: ViewerModel, theme: str) -> None:
    viewer.theme = theme
    ground = plot.view.backgroundBrush().color()
    text = plot.view.getPlotItem().getAxis("left").textPen().color()
    assert (ground.lightness() < 128) == (theme == "dark")
    for colour in (text, *map(QColor, (loss_plot.TRAIN, loss_plot.VALID, loss_plot.DICE))):
        assert abs(colour.lightness() - ground.lightness()) > 40


@pytest.fixture
def panel(qtbot: QtBot) -> TrainingPanel:
    panel = TrainingPanel(ViewerModel())
    qtbot.addWidget(panel)
    return panel


def test_the_panel_tells_the_course_of_a_training(
    qtbot: QtBot, panel: TrainingPanel, tmp_path: Path
) -> None:
    previews: list[Preview] = []
    finished: list[TrainFinished] = []
    panel.preview.connect(previews.append)
    panel.finished.connect(finished.append)
    with qtbot.waitSignal(panel.running_changed, check_params_cb=lambda on: not on):
        panel.start(events(3, tmp_path))
        assert panel.stop_button.isEnabled()
    assert len(previews) == 3
    assert [f.best for f in finished] == [tmp_path / "best.safetensors"]
    assert panel.status.text() == "Finished.\nBest validation Dice 0.750, epoch 3.\na note"
    assert not panel.stop_button.isEnabled()
    assert not panel.running


def test_the_panel_tells_that_the_model_stays_as_it_is(
    qtbot: QtBot, panel: TrainingPanel, tmp_path: Path
) -> None:
    *course, done = events(3, tmp_path)
    with qtbot.waitSignal(panel.running_changed, check_params_cb=lambda on: not on):
        panel.start(each for each in [*course, replace(done, best_epoch=0)])
    assert panel.status.text() == (
        "Finished.\nThe model stays as it is: no epoch was clearly better on 1 held-out sample.\n"
        "a note"
    )


def test_pause_resume_and_stop(qtbot: QtBot, panel: TrainingPanel, tmp_path: Path) -> None:
    finished: list[TrainFinished] = []
    panel.finished.connect(finished.append)
    panel.start(train_until_stopped(TrainConfig(), NOTHING, tmp_path))
    qtbot.waitUntil(lambda: "samples/s" in panel.status.text())
    panel.pause_button.click()
    assert panel.pause_button.text() == "Resume"
    panel.pause_button.click()
    assert panel.pause_button.text() == "Pause"
    panel.stop_button.click()
    assert panel.stop_button.text() == "Stopping …"
    qtbot.waitUntil(lambda: not panel.running)
    assert [f.stopped for f in finished] == [True]
    assert panel.status.text().startswith("Stopped.")


def test_a_failed_training_says_why_and_can_be_started_again(
    qtbot: QtBot, panel: TrainingPanel, tmp_path: Path, notifications: list[str]
) -> None:
    def failing() -> Generator[TrainEvent, Command | None, None]:
        yield next(events(1, tmp_path))
        raise DataError("masks/a.tif is truncated; write it again.")

    panel.start(failing())
    qtbot.waitUntil(lambda: not panel.running)
    assert "masks/a.tif is truncated" in panel.status.text()
    assert notifications == ["masks/a.tif is truncated; write it again."]
    panel.start(events(1, tmp_path))
    qtbot.waitUntil(lambda: not panel.running)
    assert panel.status.text().startswith("Finished.")


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.2, "0 s"),
        (59, "59 s"),
        (250, "4 min 10 s"),
        (11_100, "3 h 05 min"),
        (math.inf, "unknown time"),
    ],
)
def test_durations_in_words(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def test_measuring_is_not_called_reading(panel: TrainingPanel, qtbot: QtBot) -> None:
    def measuring() -> Generator[SampleMeasured, Command | None, None]:
        yield SampleMeasured(2, 3, "a slice")

    with qtbot.waitSignal(panel.running_changed, check_params_cb=lambda on: not on):
        panel.start(measuring())
    assert panel.status.text() == "Measuring the model: held-out slice 2 of 3"
