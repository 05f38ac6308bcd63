"""A manual round that became worse, and the rest predicted again by hand; no network runs."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from fake_rounds import fake_rounds
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest

from napari_unet_seg._napari.fine_tune import predicting
from napari_unet_seg._napari.segment import chosen_model
from napari_unet_seg._napari.widgets import jobs
from napari_unet_seg.config import Category
from napari_unet_seg.events import Command, SlicePredicted
from napari_unet_seg.io.common.scan import Scan
from napari_unet_seg.session.review_queue import ReviewState
from napari_unet_seg.session.session import Session
from napari_unet_seg.session.stored.record import LayersRecord

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from pytestqt.qtbot import QtBot

    from napari_unet_seg._napari.review.widget import ReviewWidget

SHAPE = (6, 40, 48)
ACCEPTED, EDITED, SHOWN = (0, 1), 3, 2
TODO = [2, 3, 4, 5]
LEFT = Qt.MouseButton.LeftButton


@pytest.fixture
def widget(
    open_review: Callable[[Path], ReviewWidget],
    make_checkpoint: Callable[..., Path],
    tmp_path: Path,
) -> ReviewWidget:
    """An open session with two accepted slices, an edited one, and its slice 2 on screen."""
    scan, labels = Scan(np.ones(SHAPE, np.uint8), "ZYX"), np.zeros(SHAPE, np.uint8)
    labels[:, 4:9, 4:9] = 1
    layers = LayersRecord(image="head", mask="head mask")
    session = Session.create(
        tmp_path / "s", scan, (Category(id=1, name="c0"),), labels, make_checkpoint(), layers=layers
    )
    for index in ACCEPTED:
        session.set_states({index: ReviewState.ACCEPTED})
    session.save()
    widget = open_review(session.folder)
    assert widget.desk.current is not None
    widget.desk.current.shown.go_to(SHOWN)
    widget.desk.current.mask.data_setitem(tuple(map(np.array, ([EDITED], [1], [1]))), 1)
    widget.tabs.setCurrentWidget(widget.fine_tune)
    return widget


@pytest.fixture
def worse_round(monkeypatch: pytest.MonkeyPatch) -> None:
    """A round after which the Dice on three held-out slices is lower."""
    fake_rounds(monkeypatch, lambda _: {"before": 1.0, "after": 0.99, "held_out": 3})


def fine_tune(qtbot: QtBot, widget: ReviewWidget) -> Any:
    """Run a round by the button, and return the question after it."""
    QTest.mouseClick(widget.fine_tune.start_button, LEFT)
    qtbot.waitUntil(lambda: widget.fine_tune.question is not None)
    qtbot.waitUntil(lambda: not widget.fine_tune.panel.running)
    return widget.fine_tune.question


def answer(question: Any, text: str) -> None:
    QTest.mouseClick(next(b for b in question.buttons() if b.text() == text), LEFT)


@pytest.mark.usefixtures("worse_round")
@pytest.mark.parametrize(
    ("text", "used"), [("Keep the present model", False), ("Use it all the same", True)]
)
def test_a_round_that_became_worse_asks_before_its_model_is_used(
    qtbot: QtBot, widget: ReviewWidget, text: str, used: bool
) -> None:
    before = chosen_model.current_model()
    question = fine_tune(qtbot, widget)
    assert "Dice on 3 held-out slices 1.000 → 0.990" in question.text()
    assert chosen_model.current_model() == before
    with qtbot.waitSignal(widget.fine_tune.finished) as done:
        answer(question, text)
    assert done.args[1] is used
    assert widget.session is not None
    (stored,) = widget.session.rounds
    new = widget.session.folder / stored.checkpoint
    assert chosen_model.current_model() == (new if used else before)
    assert widget.fine_tune.learn_bar.back_button.isEnabled() is used


@pytest.mark.usefixtures("worse_round")
def test_a_session_that_closes_over_the_question_keeps_its_model(
    qtbot: QtBot, widget: ReviewWidget
) -> None:
    before = chosen_model.current_model()
    fine_tune(qtbot, widget)
    assert widget.fine_tune.panel.isVisible()
    widget.desk.close()
    assert not widget.fine_tune.panel.isVisible(), "the plot is of the session that was left"
    assert widget.fine_tune.question is None
    assert chosen_model.current_model() == before


@pytest.fixture
def go_on(monkeypatch: pytest.MonkeyPatch) -> threading.Semaphore:
    """Predictions that find nothing but in one corner, one for each release."""
    go_on = threading.Semaphore(0)

    def work(_model: Path, _scan: Scan, slices: list[int]) -> Iterator[Any]:
        labels = np.zeros(SHAPE[1:], np.uint8)
        labels[-1, -1] = 1
        for done, index in enumerate(slices, 1):
            go_on.acquire()
            if (yield SlicePredicted(index, labels, 0.5, done, len(slices))) is Command.STOP:
                return

    monkeypatch.setattr(predicting, "_predict_slices", work)
    return go_on


def test_the_rest_is_predicted_again_by_a_button(
    qtbot: QtBot, widget: ReviewWidget, go_on: threading.Semaphore
) -> None:
    current, bar = widget.desk.current, widget.fine_tune.predict_bar
    assert current is not None
    before = current.mask.data.copy()
    assert bar.button.text() == "Predict the rest again (4)"
    QTest.mouseClick(bar.button, LEFT)
    assert not bar.button.isEnabled()
    assert bar.progress.isVisible()
    go_on.release()
    qtbot.waitUntil(lambda: (bar.progress.value(), bar.progress.maximum()) == (1, len(TODO)))
    with qtbot.waitSignal(widget.learning.predicting.predicted) as done:
        go_on.release(len(TODO))
    replaced = [index for index in TODO if index != EDITED]
    assert done.args == [len(replaced)]
    for index in range(SHAPE[0]):
        if index in replaced:  # the slice on screen too
            assert np.argwhere(current.mask.data[index]).tolist() == [[39, 47]]
        else:
            np.testing.assert_array_equal(current.mask.data[index], before[index])
    assert bar.button.isEnabled()
    assert not bar.progress.isVisible()
    assert current.session.states[SHOWN] is ReviewState.TODO
    qtbot.waitUntil(lambda: widget.review.changes.text() == "As predicted")


def test_predicting_the_rest_can_be_stopped(
    qtbot: QtBot, widget: ReviewWidget, go_on: threading.Semaphore
) -> None:
    current, bar = widget.desk.current, widget.fine_tune.predict_bar
    assert current is not None
    QTest.mouseClick(bar.button, LEFT)
    go_on.release()
    qtbot.waitUntil(lambda: bar.progress.value() == 1)
    with qtbot.waitSignal(widget.learning.predicting.predicted) as done:
        QTest.mouseClick(bar.stop_button, LEFT)
        go_on.release(len(TODO))
    assert done.args[0] < len(TODO) - 1
    assert "stopped; " in widget.fine_tune.learn_bar.status.text()
    assert current.session.models.predicted_by == ""
    assert not jobs.active_jobs()
