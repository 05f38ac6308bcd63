"""Learning while correcting, with a real network in a child process."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from sessions import start_session
from stored_rounds import store_round

from napari_unet_seg import engine
from napari_unet_seg._napari.layers.layer_record import LayerRecord, ModelFile
from napari_unet_seg._napari.review.widget import ReviewWidget
from napari_unet_seg._napari.segment import chosen_model
from napari_unet_seg._napari.widgets import jobs
from napari_unet_seg._napari.widgets.settings import remember
from napari_unet_seg.config import PredictConfig
from napari_unet_seg.io.common.scan import Scan
from napari_unet_seg.models.header import read_header
from napari_unet_seg.session.review_queue import ReviewState
from napari_unet_seg.session.session import Session

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pytestqt.qtbot import QtBot

SHAPE = (8, 40, 48)
TOUCHED, SHOWN, ACCEPTED = 6, 5, (0, 1, 2, 3)
HOW = PredictConfig(precision="float32", threads=1, device="cpu")


def predicted(model: Path, scan: Scan) -> Any:
    return list(engine.predict(HOW, model, scan))[-1].labels


@pytest.fixture
def scan() -> Scan:
    voxels = np.random.default_rng(0).integers(1, 60, SHAPE, np.uint8)
    for index in range(len(voxels)):
        voxels[index, 8 + index : 20 + index, 10:24] = 200
    return Scan(voxels, "ZYX")


@pytest.fixture
def widget(
    dock: Callable[[type], Any],
    qtbot: QtBot,
    make_checkpoint: Callable[..., Path],
    tmp_path: Path,
    scan: Scan,
) -> ReviewWidget:
    """A session on what an untrained network drew, that learns from every fourth slice."""
    remember("predict", HOW.model_dump(mode="json"))
    model = make_checkpoint()
    widget: ReviewWidget = dock(ReviewWidget)
    viewer = widget.viewer
    viewer.add_image(scan.data, name="head")
    record = LayerRecord(categories=read_header(model).categories, model=ModelFile(str(model)))
    viewer.add_labels(predicted(model, scan), name="mask", metadata=record.as_metadata())
    start_session(qtbot, widget, tmp_path / "session")
    form = widget.fine_tune.form
    for name, value in {"epochs": 9, "learning_rate": 0.02, "threads": 1}.items():
        form.editor(name).value = value
    widget.fine_tune.learn_bar.every.setValue(len(ACCEPTED))
    return widget


def accept_truth(widget: ReviewWidget, scan: Scan, index: int) -> None:
    """Draw the bright square of a slice, and accept it."""
    assert widget.desk.current is not None
    widget.desk.current.shown.go_to(index)
    mask = widget.desk.current.mask
    where = np.nonzero(mask.data[index] != (scan.data[index] == 200))
    place = (np.full(where[0].size, index), *where)
    with mask.block_history():
        mask.data_setitem(place, (scan.data[index] == 200)[where])
    widget.review.buttons["accept"].click()


@pytest.mark.slow
def test_slices_to_do_are_predicted_again_and_touched_ones_are_not(
    qtbot: QtBot, widget: ReviewWidget, scan: Scan, tmp_path: Path
) -> None:
    reviewing, bar = widget.desk.current, widget.fine_tune.learn_bar
    assert reviewing is not None
    mask, session, first = reviewing.mask, reviewing.session, widget.session.checkpoint
    before = mask.data.copy()
    bar.switch.setChecked(True)
    reviewing.shown.go_to(TOUCHED)
    corner = (np.full(5, TOUCHED), np.arange(5), np.zeros(5, int))
    mask.data_setitem(corner, 1 - mask.data[corner])
    touched = mask.data[TOUCHED].copy()
    for index in ACCEPTED[:-1]:
        accept_truth(widget, scan, index)
    assert widget.fine_tune.held_out.text().startswith("The first round holds some")
    assert not widget.fine_tune.panel.running
    with qtbot.waitSignal(widget.learning.predicting.predicted) as done:
        accept_truth(widget, scan, ACCEPTED[-1])
        reviewing.shown.go_to(SHOWN)
    qtbot.waitUntil(lambda: not widget.fine_tune.panel.running)

    (finished,) = session.rounds
    new = session.folder / finished.checkpoint
    assert finished.epochs == 5  # a short one
    assert widget.fine_tune.recipe.text().startswith("The recipe is gentle (small steps), since")
    count = f"{finished.held_out} of {len(ACCEPTED)} accepted slices "
    assert widget.fine_tune.held_out.text().startswith(count)
    assert chosen_model.current_model() == new
    assert session.states[TOUCHED] is ReviewState.TODO
    wanted = predicted(new, scan)
    again = [i for i in range(len(before)) if i not in (*ACCEPTED, TOUCHED, SHOWN)]
    assert done.args == [len(again)]
    for index in again:
        np.testing.assert_array_equal(mask.data[index], wanted[index])
        assert (wanted[index] != before[index]).any()
        assert session.predicted_dice[index] is not None
    np.testing.assert_array_equal(mask.data[TOUCHED], touched)
    np.testing.assert_array_equal(mask.data[SHOWN], before[SHOWN])
    for index in ACCEPTED:
        np.testing.assert_array_equal(mask.data[index], scan.data[index] == 200)
    assert bar.status.text().startswith(f"Round 1: {len(again)} slices to do were predicted again.")

    with qtbot.waitSignal(widget.learning.predicting.predicted):
        bar.back_button.click()
    assert chosen_model.current_model() == first
    for index in again:
        np.testing.assert_array_equal(mask.data[index], before[index])
    assert not bar.back_button.isEnabled()


@pytest.mark.slow
def test_predictions_that_were_left_for_others_end_without_them(
    qtbot: QtBot, widget: ReviewWidget
) -> None:
    learning = widget.learning
    learning._predict_again("The first")
    (first,) = jobs.active_jobs()
    learning._predict_again("The second")
    (second,) = set(jobs.active_jobs()) - {first}
    second.pause()
    qtbot.waitUntil(lambda: first.state is jobs.JobState.ENDED)
    assert jobs.active_jobs() == (second,)
    with qtbot.waitSignal(second.ended):
        widget.bar.close_button.click()
    assert not jobs.active_jobs()


@pytest.mark.slow
def test_a_round_that_closing_stopped_is_kept_by_its_session_opened_again(
    qtbot: QtBot, widget: ReviewWidget, scan: Scan
) -> None:
    bar, folder, model = widget.bar, widget.session.folder, chosen_model.current_model()
    for index in ACCEPTED:
        accept_truth(widget, scan, index)
    widget.fine_tune.start_button.click()
    qtbot.waitUntil(lambda: widget.fine_tune.panel.bar.value() > 0)
    bar.close_button.click()
    assert widget.fine_tune.panel.running
    with qtbot.waitSignal(widget.desk.session_changed):
        widget.desk.open(folder)
    qtbot.waitUntil(lambda: not widget.fine_tune.panel.running)
    qtbot.waitUntil(lambda: [r.stopped for r in widget.session.rounds] == [True])
    widget.session.save()
    assert Session.open(folder).rounds == widget.session.rounds
    assert chosen_model.current_model() == model


@pytest.mark.slow
def test_without_the_switch_nothing_is_learnt(widget: ReviewWidget, scan: Scan) -> None:
    for index in ACCEPTED:
        accept_truth(widget, scan, index)
    assert not widget.fine_tune.panel.running
    assert not widget.fine_tune.learn_bar.back_button.isEnabled()


@pytest.mark.slow
def test_learning_waits_for_a_slice_with_a_mask(
    qtbot: QtBot, widget: ReviewWidget, scan: Scan, notifications: list[str]
) -> None:
    reviewing, bar = widget.desk.current, widget.fine_tune.learn_bar
    mask, panel = reviewing.mask, widget.fine_tune.panel
    mask.data = np.zeros_like(mask.data)
    bar.every.setValue(2)
    bar.switch.setChecked(True)
    widget.review.buttons["accept"].click()
    with qtbot.waitSignal(widget.fine_tune.postponed):
        widget.review.buttons["accept"].click()
    qtbot.waitUntil(lambda: not panel.running)
    assert bar.status.text().startswith("Waiting to learn: No accepted slice")
    assert not panel.isVisibleTo(widget.fine_tune)
    assert not any("mask yet" in text for text in notifications)
    with qtbot.waitSignal(widget.fine_tune.finished) as done:
        accept_truth(widget, scan, 2)
    assert done.args[0].number == 1
    qtbot.waitUntil(lambda: not panel.running)
    qtbot.waitUntil(lambda: not jobs.active_jobs())


def reopen(qtbot: QtBot, widget: ReviewWidget) -> None:
    folder = widget.session.folder
    widget.bar.close_button.click()
    with qtbot.waitSignal(widget.desk.session_changed):
        widget.desk.open(folder)
    qtbot.waitUntil(lambda: not widget.desk.busy)


@pytest.mark.slow
def test_the_way_back_goes_on_where_it_was_left(qtbot: QtBot, widget: ReviewWidget) -> None:
    back, base = widget.fine_tune.learn_bar.back_button, widget.session.checkpoint
    first, second = store_round(widget.session, base), store_round(widget.session, base)
    chosen_model.choose_model(second)
    for expected in (first, base):
        reopen(qtbot, widget)
        with qtbot.waitSignal(widget.learning.predicting.predicted):
            back.click()
        assert chosen_model.current_model() == expected
    assert not back.isEnabled()
    reopen(qtbot, widget)
    assert not back.isEnabled()
