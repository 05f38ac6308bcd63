"""Rounds that tune the network of Point, by a small untrained one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from disc_scene import click_button
from fake_rounds import fake_rounds
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest
from sessions import reopen_session

from napari_unet_seg._napari.fine_tune.learning import EPOCHS
from napari_unet_seg._napari.segment import chosen_model
from napari_unet_seg._napari.segment.chosen_model import POINT
from napari_unet_seg.config import Category
from napari_unet_seg.io.common.scan import Scan
from napari_unet_seg.session.review_queue import ReviewState
from napari_unet_seg.session.session import Session
from napari_unet_seg.session.stored.record import LayersRecord

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pytestqt.qtbot import QtBot

    from napari_unet_seg._napari.review.widget import ReviewWidget

COUNT, ACCEPTED = 6, range(4)
LEFT = Qt.MouseButton.LeftButton
Y, X = np.indices((48, 48))
TRUTH = np.stack([np.hypot(Y - 20 - n, X - 24) < 9 for n in range(COUNT)])


@pytest.fixture
def network(make_checkpoint: Callable[..., Path]) -> Path:
    """The network that Point asks."""
    network = make_checkpoint(prompts=True)
    POINT.choose(network)
    return network


@pytest.fixture
def widget(
    open_review: Callable[[Path], ReviewWidget],
    make_checkpoint: Callable[..., Path],
    network: Path,
    tmp_path: Path,
) -> ReviewWidget:
    """An open session with four accepted slices, and the tab Fine-tune in front."""
    greys = np.random.default_rng(0).normal(60 + 100 * TRUTH, 4).astype(np.uint8)
    kinds, layers = (Category(id=1, name="c0"),), LayersRecord(image="head", mask="head mask")
    labels, model = TRUTH.astype(np.uint8), make_checkpoint()
    session = Session.create(
        tmp_path / "s", Scan(greys, "ZYX"), kinds, labels, model, layers=layers
    )
    session.set_states(dict.fromkeys(ACCEPTED, ReviewState.ACCEPTED))
    session.save()
    widget = open_review(session.folder)
    widget.tabs.setCurrentWidget(widget.fine_tune)
    return widget


@pytest.fixture
def bases(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The models that rounds were to start from; no network is trained."""
    bases: list[Path] = []

    def outcome(model: Path) -> dict[str, Any]:
        bases.append(model)
        return {"before": 0.9, "after": 0.8} if len(bases) > 1 else {}

    fake_rounds(monkeypatch, outcome)
    return bases


def end(qtbot: QtBot, widget: ReviewWidget, start: Callable[[], None]) -> Any:
    """Start a round, and return it when it has ended."""
    with qtbot.waitSignal(widget.fine_tune.finished) as done:
        start()
    qtbot.waitUntil(lambda: not widget.fine_tune.panel.running)
    return done.args


def test_it_is_chosen_what_a_round_tunes(
    qtbot: QtBot, widget: ReviewWidget, bases: list[Path], network: Path
) -> None:
    panel, first = widget.fine_tune, widget.session.checkpoint
    button, tuned = panel.start_button, panel.tuned
    assert tuned.segment_button.isChecked()
    assert button.text() == "Fine-tune on 4 accepted slices"
    click_button(tuned.point_button)
    assert button.text() == "Fine-tune Point on 4 accepted slices"
    finished, used = end(qtbot, widget, lambda: QTest.mouseClick(button, LEFT))
    assert bases == [network] and finished.prompts and not used
    click_button(tuned.segment_button)
    end(qtbot, widget, lambda: panel.start(EPOCHS))
    click_button(tuned.point_button)
    end(qtbot, widget, lambda: panel.start(EPOCHS))
    assert bases[1:] == [first, first], "what is learnt meanwhile is for Segment"


def test_a_round_of_point_changes_no_model_of_segment(
    qtbot: QtBot, widget: ReviewWidget, bases: list[Path], notifications: list[str]
) -> None:
    panel, model = widget.fine_tune, chosen_model.current_model()
    click_button(panel.tuned.point_button)
    end(qtbot, widget, lambda: QTest.mouseClick(panel.start_button, LEFT))
    assert "Dice after a click on 1 held-out slice 0.500 → 0.600." in notifications[-1]
    assert notifications[-1].endswith("once you press Use in Point.")
    assert panel.question is None
    assert chosen_model.current_model() == model
    assert not panel.learn_bar.back_button.isEnabled()
    assert panel.result.text().startswith("Round 1 of Point: ")
    assert panel.use_button.isVisible()
    reopen_session(qtbot, widget)
    assert panel.result.text().startswith("Round 1 of Point: ")
    assert not panel.use_button.isVisible(), "its networks are in the list below Point"
    assert chosen_model.current_model() == model
    assert not panel.learn_bar.back_button.isEnabled()


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            "Keep the present network",
            "The new network is not used; Point and Carry ask the present one.",
        ),
        ("Use it all the same", "Point and Carry now ask the new network."),
    ],
)
def test_a_network_that_a_round_made_worse_is_asked_about_and_not_offered(
    qtbot: QtBot,
    widget: ReviewWidget,
    bases: list[Path],
    network: Path,
    notifications: list[str],
    text: str,
    told: str,
) -> None:
    panel, model = widget.fine_tune, chosen_model.current_model()
    bases.append(network)  # the first round was better
    click_button(panel.tuned.point_button)
    QTest.mouseClick(panel.start_button, LEFT)
    qtbot.waitUntil(lambda: panel.question is not None)
    qtbot.waitUntil(lambda: not panel.panel.running)
    assert panel.question.text() == (
        "Round 1 made the network worse: Dice after a click on 1 held-out slice 0.900 → 0.800."
    )
    assert panel.question.defaultButton().text() == "Keep the present network"
    assert not panel.use_button.isVisible()
    with qtbot.waitSignal(panel.finished) as done:
        QTest.mouseClick(next(b for b in panel.question.buttons() if b.text() == text), LEFT)
    finished, in_segment = done.args
    assert notifications[-1].endswith(told)
    new = panel.scope.checkpoint_of(finished)
    asked = (new, network) if text == "Use it all the same" else (network,)
    assert POINT.recent() == asked and POINT.current() == asked[0]
    assert chosen_model.current_model() == model and not in_segment
    assert not panel.use_button.isVisible() and not panel.learn_bar.back_button.isEnabled()


@pytest.mark.parametrize("again", ["in the same window", "in a new one"])
def test_slices_of_a_round_of_point_still_count_for_learning_while_correcting(
    qtbot: QtBot,
    widget: ReviewWidget,
    open_review: Callable[[Path], ReviewWidget],
    bases: list[Path],
    network: Path,
    again: str,
) -> None:
    panel, first = widget.fine_tune, widget.session.checkpoint
    panel.learn_bar.every.setValue(len(ACCEPTED))
    click_button(panel.tuned.point_button)
    end(qtbot, widget, lambda: QTest.mouseClick(panel.start_button, LEFT))
    assert set(ACCEPTED) == set(widget.session.splits)
    if again == "in the same window":
        reopen_session(qtbot, widget)
    else:
        folder = widget.session.folder
        widget.desk.close()
        widget = open_review(folder)
    bar = widget.fine_tune.learn_bar
    bar.every.setValue(len(ACCEPTED))
    finished, _ = end(qtbot, widget, lambda: bar.switch.setChecked(True))
    assert bases == [network, first] and not finished.prompts
    bar.every.setValue(2)
    assert not widget.fine_tune.panel.running, "a round of Segment used them"


def test_a_network_that_is_ready_after_its_session_is_closed_is_in_the_list(
    qtbot: QtBot, widget: ReviewWidget, bases: list[Path], network: Path
) -> None:
    panel = widget.fine_tune
    click_button(panel.tuned.point_button)
    with qtbot.waitSignal(panel.finished_elsewhere) as done:
        QTest.mouseClick(panel.start_button, LEFT)
        widget.bar.close_button.click()
    new = panel.scope.checkpoint_of(done.args[0])
    assert bases == [network] and POINT.recent() == (new, network)
    qtbot.waitUntil(lambda: not panel.panel.running)


def test_a_worse_network_that_is_ready_after_its_session_is_closed_is_not_in_the_list(
    qtbot: QtBot, widget: ReviewWidget, bases: list[Path], network: Path
) -> None:
    panel = widget.fine_tune
    bases.append(network)
    click_button(panel.tuned.point_button)
    with qtbot.waitSignal(panel.finished_elsewhere):
        QTest.mouseClick(panel.start_button, LEFT)
        widget.bar.close_button.click()
    assert POINT.recent() == (network,)
    qtbot.waitUntil(lambda: not panel.panel.running)


@pytest.mark.slow
def test_the_tuned_network_is_asked_once_the_button_is_pressed(
    qtbot: QtBot, widget: ReviewWidget, network: Path
) -> None:
    panel, todo = widget.fine_tune, widget.desk.current.mask.data[len(ACCEPTED) :].copy()
    for name, value in {"epochs": 12, "learning_rate": 0.02, "threads": 1}.items():
        panel.form.editor(name).value = value
    click_button(panel.tuned.point_button)
    finished, _ = end(qtbot, widget, lambda: QTest.mouseClick(panel.start_button, LEFT))
    assert finished.prompts and finished.after > finished.before
    new = widget.session.folder / finished.checkpoint
    assert POINT.current() == network
    assert panel.use_button.text() == "Use in Point"
    QTest.mouseClick(panel.use_button, LEFT)
    assert POINT.current() == new
    assert widget.tools.point_bar.network.value() == new
    np.testing.assert_array_equal(widget.desk.current.mask.data[len(ACCEPTED) :], todo)
    finished, _ = end(qtbot, widget, lambda: QTest.mouseClick(panel.start_button, LEFT))
    assert (finished.base, finished.model) == (str(network), str(new)), "rounds do not drift"
