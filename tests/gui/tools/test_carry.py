"""Carry in a real window: real keys; a network of the test that sees what is bright."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from category_list import click_lock
from disc_scene import (
    NONE,
    OEDEMA,
    REDO,
    TUMOUR,
    BrightNetwork,
    click_button,
    disc,
    drag,
    mask_of,
    press,
)
from qtpy.QtCore import Qt
from scene import PLACE, add_mask
from sessions import start_session

from napari_unet_seg._napari.layers.prediction import record_prediction
from napari_unet_seg._napari.review.widget import ReviewWidget
from napari_unet_seg._napari.segment.chosen_model import POINT
from napari_unet_seg.events import Command, SliceCarried
from napari_unet_seg.process.warm_engine import scan_part
from napari_unet_seg.prompting import carrying
from napari_unet_seg.session.review_queue import ReviewState
from napari_unet_seg.session.session import Session

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from pathlib import Path

    from pytestqt.qtbot import QtBot

    from napari_unet_seg._napari.tools.tab import ToolsTab

DEPTH, SHOWN, LESION = 12, 5, range(2, 10)
"""Slices of the scan, the slice on screen, and those that show a disc."""
CORNER = (50, 70)
"""A pixel far from the disc."""


class CarryingNetwork(BrightNetwork):
    """Carries by what is bright; waits at each slice where it is told to."""

    def __init__(self) -> None:
        super().__init__()
        self.go_on = threading.Event()
        self.go_on.set()
        self.within: list[int] = []

    def carry(
        self,
        model: Path,
        scan: Any,
        volume: Any,
        given: Any,
        within: Any,
        ends: Any,
        others: Any = (),
    ) -> Generator[SliceCarried, Command | None, None]:
        self.within = sorted(within)

        def grey(index: int) -> np.ndarray:
            return np.asarray(scan_part(scan, (*volume, index)).data)

        def probable(index: int, beside: np.ndarray) -> np.ndarray:
            maps = np.stack([beside, beside & False, beside & False])
            found = self.find(model, scan, (*volume, index), maps, beside & False, others)
            return np.where(found, 0.5 + 0.04 * index, 0.1)

        for done, each in enumerate(carrying.carry(probable, grey, given, within, ends), 1):
            assert self.go_on.wait(20)
            event = SliceCarried(each.index, each.mask, each.certainty, done, len(within))
            if (yield event) is Command.STOP:
                return


@pytest.fixture
def network_kind() -> type[CarryingNetwork]:
    return CarryingNetwork


def start() -> np.ndarray:
    """The disc on one slice; oedema beside it on another, and tumour far from it on a third."""
    labels = np.zeros((DEPTH, *disc().shape), np.uint8)
    labels[SHOWN][disc()] = TUMOUR
    labels[7, 20:24, 30:34] = OEDEMA
    return labels


@pytest.fixture
def widget(network: CarryingNetwork, dock: Callable[[type], Any]) -> ReviewWidget:
    """The dock with a lesion of eight slices, its mask on one of them, and the tools in front."""
    widget: ReviewWidget = dock(ReviewWidget)
    noise = np.random.default_rng(1).normal(0, 4, start().shape)
    image = 60 + noise
    image[LESION.start : LESION.stop] += 100.0 * disc()
    widget.viewer.add_image(image, name="head", **PLACE)
    mask = add_mask(widget.viewer, start(), **PLACE)
    record_prediction(mask, (7,), float("nan"))  # the oedema was found by a network
    show(widget.viewer, SHOWN)
    widget.tabs.setCurrentWidget(widget.tools)
    return widget


def show(viewer: Any, index: int) -> None:
    viewer.dims.set_point(0, 10.0 + 3 * index)


def carry(qtbot: QtBot, tools: ToolsTab) -> None:
    """Press the key over the canvas, and wait for the result."""
    press(tools, Qt.Key.Key_C, NONE)
    qtbot.waitUntil(lambda: not tools.busy)


def begin_session(qtbot: QtBot, widget: ReviewWidget, folder: Path) -> Session:
    start_session(qtbot, widget, folder)
    session = widget.session
    assert session is not None
    return session


def slices_with(labels: np.ndarray, value: int = TUMOUR) -> list[int]:
    return np.flatnonzero((labels == value).any((1, 2))).tolist()


def test_the_lesion_is_followed_to_its_ends_as_one_step(qtbot: QtBot, tools: ToolsTab) -> None:
    mask, before = mask_of(tools), start()
    carry(qtbot, tools)
    after = mask.data.copy()
    assert slices_with(after) == list(LESION)
    for index in LESION:
        np.testing.assert_array_equal(
            (after[index] == TUMOUR)[~np.isin(before[index], OEDEMA)],
            disc()[~np.isin(before[index], OEDEMA)],
        )
    np.testing.assert_array_equal(after == OEDEMA, before == OEDEMA)
    assert tools.status.text().startswith("Carried tumour: +") and "7 slices" in tools.status.text()
    press(tools, Qt.Key.Key_Z)
    np.testing.assert_array_equal(mask.data, before)
    press(tools, Qt.Key.Key_Z, REDO)
    np.testing.assert_array_equal(mask.data, after)


def test_it_asks_the_network_that_was_chosen_when_it_was_pressed(
    tools: ToolsTab,
    network: CarryingNetwork,
    make_checkpoint: Callable[..., Path],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before, runs = POINT.current(), []
    keep = lambda _, events, *__: runs.append(events)  # noqa: E731
    monkeypatch.setattr(tools.carry._runner, "run_events", keep)
    tools.carry.carry()
    POINT.choose(make_checkpoint(prompts=True))
    list(runs[0])  # as the thread that comes to it now
    assert set(network.models) == {before}


def test_the_button_does_it_and_the_key_works_over_the_image_too(
    qtbot: QtBot, tools: ToolsTab
) -> None:
    click_button(tools.carry.button)
    qtbot.waitUntil(lambda: not tools.busy)
    assert slices_with(mask_of(tools).data) == list(LESION)
    mask_of(tools).undo()
    tools.viewer.layers.selection.active = image = tools.viewer.layers["head"]
    limits = list(image.contrast_limits)
    carry(qtbot, tools)
    assert slices_with(mask_of(tools).data) == list(LESION)
    assert image.contrast_limits == limits, "napari's own meaning of the key is suspended"


def test_point_goes_on_after_it(qtbot: QtBot, tools: ToolsTab) -> None:
    click_button(tools.point_bar.button)
    layer = tools.viewer.layers["prompts"]
    carry(qtbot, tools)
    assert tools.point_bar.button.isChecked()
    assert tools.viewer.layers["prompts"] is layer, "a new layer would hold up the window"
    assert tools.viewer.layers.selection.active is layer
    assert tools.status.text().startswith("Carried tumour: +")
    press(tools, Qt.Key.Key_Z)
    np.testing.assert_array_equal(mask_of(tools).data, start())


def test_a_click_meanwhile_is_told_to_wait(
    qtbot: QtBot, tools: ToolsTab, network: CarryingNetwork
) -> None:
    click_button(tools.point_bar.button)
    network.go_on.clear()
    press(tools, Qt.Key.Key_C, NONE)
    qtbot.waitUntil(lambda: network.within != [])
    drag(qtbot, tools, (30, 47))
    assert tools.status.text().startswith("A tool is at work; wait until it has ended")
    assert not tools.viewer.layers["prompts"].data.any()
    network.go_on.set()
    qtbot.waitUntil(lambda: not tools.busy)
    assert slices_with(mask_of(tools).data) == list(LESION)


def test_other_lesions_of_the_category_stay(qtbot: QtBot, tools: ToolsTab) -> None:
    mask = mask_of(tools)
    mask.data[8][CORNER] = TUMOUR
    record_prediction(mask, (8,), 0.7)  # as a network has found it
    carry(qtbot, tools)
    assert mask.data[8][CORNER] == TUMOUR and slices_with(mask.data) == list(LESION)


def test_what_a_person_drew_is_a_wall_and_mends_what_is_between(
    qtbot: QtBot, tools: ToolsTab, network: CarryingNetwork
) -> None:
    mask = mask_of(tools)
    drawn = disc(9)
    mask.data[8][drawn] = TUMOUR
    carry(qtbot, tools)
    np.testing.assert_array_equal(mask.data[8] == TUMOUR, drawn)
    assert slices_with(mask.data) == list(range(LESION.start, 9))
    assert network.within == [0, 1, 2, 3, 4, 6, 7]


def test_what_was_carried_is_no_wall(
    qtbot: QtBot, tools: ToolsTab, network: CarryingNetwork
) -> None:
    carry(qtbot, tools)
    assert network.within == [i for i in range(DEPTH) if i != SHOWN]
    mask = mask_of(tools)
    show(tools.viewer, 8)
    mask.data_setitem(tuple(np.array([i]) for i in (8, *CORNER)), TUMOUR)
    carry(qtbot, tools)
    assert network.within == [6, 7, 9, 10, 11], "the slices between the two are mended"


def test_why_it_cannot_be_carried_is_told(qtbot: QtBot, tools: ToolsTab) -> None:
    place = tools.viewer.dims.point[0]

    def refusal() -> str:
        carry(qtbot, tools)
        np.testing.assert_array_equal(mask_of(tools).data, start())
        return tools.status.text()

    tools.viewer.dims.set_point(0, 10.0)
    assert refusal().startswith("There is no tumour on this slice")
    tools.viewer.dims.set_point(0, place)
    tools.categories.setValue(OEDEMA)
    assert refusal().startswith("There is no oedema on this slice")
    tools.categories.setValue(TUMOUR)
    click_lock(tools.categories, "tumour")
    assert refusal().startswith("tumour is locked")


def test_on_a_slice_without_it_what_was_carried_beyond_is_taken_away(
    qtbot: QtBot, tools: ToolsTab
) -> None:
    mask = mask_of(tools)
    carry(qtbot, tools)
    carried = mask.data.copy()
    show(tools.viewer, 7)
    mask.data_setitem(np.nonzero((carried == TUMOUR) & _only(7)), 0)
    carry(qtbot, tools)
    assert slices_with(mask.data) == list(range(LESION.start, 7))
    np.testing.assert_array_equal(mask.data[:7], carried[:7])
    np.testing.assert_array_equal(mask.data == OEDEMA, carried == OEDEMA)
    assert tools.status.text().startswith("Ended tumour here: ")
    press(tools, Qt.Key.Key_Z)
    assert slices_with(mask.data) == [i for i in LESION if i != 7]


def test_what_a_person_accepted_beyond_the_end_stays(
    qtbot: QtBot, widget: ReviewWidget, tools: ToolsTab, tmp_path: Path
) -> None:
    begin_session(qtbot, widget, tmp_path / "s")
    carry(qtbot, tools)
    mask = mask_of(tools)
    show(tools.viewer, 9)
    widget.review.accept()
    show(tools.viewer, 7)
    mask.data_setitem(np.nonzero((mask.data == TUMOUR) & _only(7)), 0)
    carry(qtbot, tools)
    assert tools.status.text().startswith("There is no tumour on this slice")
    assert slices_with(mask.data) == [i for i in LESION if i != 7]


def _only(index: int) -> np.ndarray:
    return (np.arange(DEPTH) == index)[:, None, None]


def test_walls_on_both_sides_are_told(qtbot: QtBot, tools: ToolsTab) -> None:
    mask = mask_of(tools)
    for index in (4, 6):
        mask.data[index][CORNER] = TUMOUR
    carry(qtbot, tools)
    assert tools.status.text().startswith("The slices beside this one were decided on or drawn")


def test_stop_changes_nothing_and_the_window_goes_on(
    qtbot: QtBot, tools: ToolsTab, network: CarryingNetwork
) -> None:
    network.go_on.clear()
    press(tools, Qt.Key.Key_C, NONE)
    qtbot.waitUntil(lambda: tools.job_bar.isVisible())
    assert tools.job_bar.name.text().startswith("Carry tumour")
    show(tools.viewer, 0)  # scrolling meanwhile
    click_button(tools.job_bar.stop_button)
    network.go_on.set()
    qtbot.waitUntil(lambda: not tools.busy)
    assert tools.status.text() == "Stopped; nothing is changed."
    np.testing.assert_array_equal(mask_of(tools).data, start())


def test_what_is_painted_meanwhile_stays(
    qtbot: QtBot, tools: ToolsTab, network: CarryingNetwork
) -> None:
    network.go_on.clear()
    press(tools, Qt.Key.Key_C, NONE)
    qtbot.waitUntil(lambda: network.within != [])
    mask_of(tools).data_setitem(tuple(np.array([i]) for i in (4, 30, 35)), OEDEMA)
    network.go_on.set()
    qtbot.waitUntil(lambda: not tools.busy)
    assert mask_of(tools).data[4, 30, 35] == OEDEMA
    assert slices_with(mask_of(tools).data) == list(LESION)


def test_the_queue_goes_to_the_least_certain_and_undo_takes_the_scores_back(
    qtbot: QtBot, widget: ReviewWidget, tools: ToolsTab, tmp_path: Path
) -> None:
    session = begin_session(qtbot, widget, tmp_path / "s")
    carry(qtbot, tools)
    scores = session.predicted_dice
    known = {i: score for i, score in enumerate(scores) if score is not None}
    assert sorted(known) == [i for i in LESION if i != SHOWN]
    least = sorted(known, key=known.__getitem__)
    widget.tabs.setCurrentWidget(widget.review)
    current = widget.desk.current
    assert current is not None
    for wanted in least[:3]:
        press(tools, Qt.Key.Key_A, NONE)
        assert current.shown.index == wanted
    assert session.states[least[0]] is ReviewState.CORRECTED
    mask_of(tools).undo()
    qtbot.waitUntil(lambda: session.predicted_dice == (None,) * DEPTH)
    mask_of(tools).redo()
    qtbot.waitUntil(lambda: session.predicted_dice == scores)


def test_a_session_that_is_opened_again_knows_what_was_carried(
    qtbot: QtBot,
    widget: ReviewWidget,
    tools: ToolsTab,
    network: CarryingNetwork,
    tmp_path: Path,
) -> None:
    session = begin_session(qtbot, widget, tmp_path / "s")
    carry(qtbot, tools)
    qtbot.waitUntil(lambda: Session.open(session.folder).carried != {})
    show(tools.viewer, 3)
    widget.review.accept()
    widget.desk.close()
    tools.viewer.layers.clear()
    widget.desk.open(tmp_path / "s")
    qtbot.waitUntil(lambda: widget.session is not None and not widget.desk.busy)
    widget.tabs.setCurrentWidget(tools)
    show(tools.viewer, SHOWN)
    carry(qtbot, tools)
    assert network.within == [4, 6, 7, 8, 9, 10, 11], "carried slices but for the accepted one"


def test_what_was_drawn_is_stored_before_it_is_carried(
    qtbot: QtBot,
    widget: ReviewWidget,
    tools: ToolsTab,
    network: CarryingNetwork,
    tmp_path: Path,
) -> None:
    session = begin_session(qtbot, widget, tmp_path / "s")
    mask = mask_of(tools)
    mask.data_setitem(tuple(np.array([i]) for i in (SHOWN, *CORNER)), TUMOUR)
    network.go_on.clear()
    press(tools, Qt.Key.Key_C, NONE)
    qtbot.waitUntil(lambda: Session.open(session.folder).load_mask()[SHOWN][CORNER] == TUMOUR)
    assert tools.busy
    network.go_on.set()
    qtbot.waitUntil(lambda: not tools.busy)
