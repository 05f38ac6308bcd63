"""Proposals by what accepted slices teach in a second; a small untrained network computes them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from disc_scene import click_button
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest

from napari_unet_seg.config import Category, PredictConfig
from napari_unet_seg.engine import predict
from napari_unet_seg.io.common.scan import Scan
from napari_unet_seg.session.review_queue import ReviewState
from napari_unet_seg.session.session import Session
from napari_unet_seg.session.stored.record import LayersRecord

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pytestqt.qtbot import QtBot

    from napari_unet_seg._napari.review.widget import ReviewWidget

COUNT, ACCEPTED, SKIPPED, EDITED, SHOWN = 10, range(5), 5, 6, 7
LEFT = Qt.MouseButton.LeftButton
Y, X = np.indices((64, 64))
TRUTH = np.stack([np.hypot(Y - 26 - n, X - 32) < 12 for n in range(COUNT)])
GREYS = np.random.default_rng(0).normal(60 + 100 * TRUTH, 4).astype(np.uint8)
SCAN = Scan(GREYS, "ZYX")


@pytest.fixture
def model(make_checkpoint: Callable[..., Path]) -> Path:
    return make_checkpoint()


@pytest.fixture
def opened(
    open_review: Callable[[Path], ReviewWidget], model: Path, tmp_path: Path
) -> Callable[[np.ndarray], ReviewWidget]:
    """Open a session on a prediction, whose first slices are accepted as they are in a truth."""

    def opened(truth: np.ndarray) -> ReviewWidget:
        labels = list(predict(PredictConfig(device="cpu"), model, SCAN))[-1].labels.copy()
        layers = LayersRecord(image="head", mask="head mask")
        categories = (Category(id=1, name="c0"),)
        session = Session.create(tmp_path / "s", SCAN, categories, labels, model, layers=layers)
        labels[ACCEPTED.start : ACCEPTED.stop] = truth[ACCEPTED.start : ACCEPTED.stop]
        session.save_mask(labels)
        session.set_states(dict.fromkeys(ACCEPTED[:-1], ReviewState.CORRECTED))
        session.set_states({SKIPPED: ReviewState.SKIPPED})
        session.save()
        widget = open_review(session.folder)
        current = widget.desk.current
        assert current is not None
        pixel = tuple(map(np.array, ([EDITED], [1], [1])))
        current.mask.data_setitem(pixel, 1 - current.mask.data[pixel])
        current.shown.go_to(ACCEPTED[-1])
        widget.tabs.setCurrentWidget(widget.fine_tune)
        assert not widget.fine_tune.predict_bar.propose_button.isEnabled(), "four are too few"
        current.decisions.decide(ReviewState.CORRECTED)
        current.shown.go_to(SHOWN)
        return widget

    return opened


def propose(qtbot: QtBot, widget: ReviewWidget) -> int:
    """Press the button, and wait; return the number of slices that were replaced."""
    bar = widget.fine_tune.predict_bar
    assert bar.propose_button.text() == "Learn in a second from 5 slices"
    with qtbot.waitSignal(widget.learning.predicting.predicted, timeout=120_000) as done:
        QTest.mouseClick(bar.propose_button, LEFT)
        assert not bar.propose_button.isEnabled()
    (number,) = done.args
    return int(number)


def test_the_slices_to_do_are_proposed_and_put_back_by_undo(
    qtbot: QtBot, opened: Callable[[np.ndarray], ReviewWidget]
) -> None:
    widget = opened(TRUTH)
    current, bar = widget.desk.current, widget.fine_tune.predict_bar
    assert current is not None
    before, states = current.mask.data.copy(), list(current.session.states)
    assert not bar.undo_button.isEnabled()
    replaced = [SHOWN, 8, 9]
    assert propose(qtbot, widget) == len(replaced)
    for index in range(COUNT):
        found = current.mask.data[index]
        if index in replaced:
            both = (found > 0) & TRUTH[index]
            assert 2 * both.sum() > 0.85 * ((found > 0).sum() + TRUTH[index].sum())
        else:
            np.testing.assert_array_equal(found, before[index])
    assert list(current.session.states) == states
    status = widget.fine_tune.learn_bar.status.text()
    assert status.startswith("Learnt from 5 accepted slices in ")
    assert "Dice on those left out 0." in status
    assert "3 slices to do were predicted again" in status
    QTest.mouseClick(bar.undo_button, LEFT)
    np.testing.assert_array_equal(current.mask.data, before)
    assert not bar.undo_button.isEnabled()
    assert widget.fine_tune.learn_bar.status.text() == "3 slices were put back."
    assert current.session.models.predicted_by == ""


def test_the_model_stays_where_it_is_no_worse(
    qtbot: QtBot, opened: Callable[[np.ndarray], ReviewWidget], model: Path
) -> None:
    own = list(predict(PredictConfig(device="cpu"), model, SCAN))[-1].labels
    assert own.any()
    widget = opened(own)
    current = widget.desk.current
    assert current is not None
    before = current.mask.data.copy()
    assert propose(qtbot, widget) == 0
    np.testing.assert_array_equal(current.mask.data, before)
    status = widget.fine_tune.learn_bar.status.text()
    assert status.endswith("no better than the model; the predictions stay.")
    assert not widget.fine_tune.predict_bar.undo_button.isEnabled()


def test_while_learning_five_accepted_slices_are_enough(
    qtbot: QtBot, opened: Callable[[np.ndarray], ReviewWidget]
) -> None:
    widget = opened(TRUTH)
    with qtbot.waitSignal(widget.learning.predicting.predicted, timeout=120_000) as done:
        click_button(widget.fine_tune.learn_bar.switch)
    assert done.args == [2], "not the slice on screen"
