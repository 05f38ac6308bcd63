"""Edits that are in no file when the window or the dock is closed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from cross import close_by_cross
from scene import CATEGORIES, add_mask
from sessions import start_session

from napari_unet_seg._napari.dock.recent import recent
from napari_unet_seg._napari.dock.step_bar import Step
from napari_unet_seg._napari.dock.widget import UNetSegWidget
from napari_unet_seg._napari.layers.layer_record import ModelFile
from napari_unet_seg._napari.layers.prediction import checksums, show_prediction
from napari_unet_seg._napari.widgets.closing import unsaved_work
from napari_unet_seg.models import BUNDLED
from napari_unet_seg.session.session import Session

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pytestqt.qtbot import QtBot

QUESTION = "What you edited in mask is in no file and no session yet."


@pytest.fixture
def widget(dock: Callable[[Any], Any]) -> UNetSegWidget:
    """The dock with a scan and a mask that was not edited."""
    widget: UNetSegWidget = dock(UNetSegWidget)
    widget.viewer.add_image(np.zeros((3, 16, 16)), name="scan")
    add_mask(widget.viewer, np.zeros((3, 16, 16), np.uint8), "mask", CATEGORIES)
    return widget


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The questions, each of which is answered with Keep open."""
    asked: list[str] = []
    keep = lambda text, _: asked.append(text) or unsaved_work.Answer.KEEP_OPEN  # type: ignore[func-returns-value] # noqa: E731
    monkeypatch.setattr(unsaved_work, "ask_about_work", keep)
    return asked


def mask_of(widget: UNetSegWidget) -> Any:
    return widget.viewer.layers["mask"]


def edit(widget: UNetSegWidget, column: int) -> None:
    pixel = tuple(np.array([at]) for at in (1, 5, column))
    mask_of(widget).data_setitem(pixel, 1)


def close(widget: UNetSegWidget) -> bool:
    """Close the window as its own button does; return whether it was closed."""
    return bool(widget.window().close())


def test_a_mask_that_was_not_edited_is_no_reason_to_ask(
    widget: UNetSegWidget, asked: list[str]
) -> None:
    assert unsaved_work.may_close(widget.window())
    assert not asked


def test_an_edited_mask_is(widget: UNetSegWidget, asked: list[str]) -> None:
    edit(widget, 3)
    assert not close(widget)
    assert asked == [QUESTION]


def segmented(widget: UNetSegWidget, column: int) -> Any:
    """The mask after Segment found a pixel of the second slice."""
    found = np.zeros((3, 16, 16), np.uint8)
    found[1, 5, column] = 1
    scan, model = widget.viewer.layers["scan"], ModelFile(str(BUNDLED), "")
    mask = show_prediction(
        widget.viewer, scan, mask_of(widget), found, CATEGORIES, (), checksums(found), model
    )
    widget.segment.finished.emit(mask)
    return mask


def test_a_second_prediction_is_no_edit(widget: UNetSegWidget, asked: list[str]) -> None:
    assert segmented(widget, 3) is segmented(widget, 4) is mask_of(widget)
    assert not widget.unsaved.is_edited(mask_of(widget))
    assert unsaved_work.may_close(widget.window())
    mask_of(widget).undo()
    assert not close(widget)
    assert asked == [QUESTION], "the first prediction is as good as drawn"


def test_save_leads_to_where_it_is_saved(
    widget: UNetSegWidget, monkeypatch: pytest.MonkeyPatch
) -> None:
    edit(widget, 3)
    monkeypatch.setattr(unsaved_work, "ask_about_work", lambda *_: unsaved_work.Answer.SAVE)
    assert not close(widget)
    assert widget.step is Step.SAVE
    assert widget.save_page.about.text() == "<b>mask</b>"


def test_a_saved_mask_is_no_reason(
    qtbot: QtBot, widget: UNetSegWidget, asked: list[str], tmp_path: Path
) -> None:
    edit(widget, 3)
    with qtbot.waitSignal(widget.correct.written):
        widget.correct.save_tiff(tmp_path / "mask.tif")
    qtbot.waitUntil(lambda: unsaved_work.may_close(widget.window()))
    asked.clear()
    edit(widget, 4)
    assert not close(widget)
    assert asked == [QUESTION]


def test_a_session_keeps_what_it_saw(
    qtbot: QtBot, widget: UNetSegWidget, asked: list[str], tmp_path: Path
) -> None:
    start_session(qtbot, widget.correct, tmp_path / "s")
    edit(widget, 3)
    assert unsaved_work.may_close(widget.window())
    widget.correct.desk.close()
    assert Session.open(tmp_path / "s").load_mask()[1, 5, 3] == 1
    assert unsaved_work.may_close(widget.window())
    edit(widget, 4)
    assert not close(widget)
    assert asked == [QUESTION], "nothing keeps what was edited since"


def test_a_started_session_is_on_the_list_of_what_was_opened(
    qtbot: QtBot, widget: UNetSegWidget, tmp_path: Path
) -> None:
    start_session(qtbot, widget.correct, tmp_path / "s")
    assert [(each.kind, each.path) for each in recent()] == [("session", tmp_path / "s")]


def test_a_closed_dock_tells_where_the_corrections_are(
    qtbot: QtBot, widget: UNetSegWidget, notifications: list[str], tmp_path: Path
) -> None:
    start_session(qtbot, widget.correct, tmp_path / "s")
    widget.window().show()
    qtbot.waitExposed(widget.window())
    assert not close_by_cross(widget, None)
    assert notifications[-1] == f"Your corrections are kept in the session {tmp_path / 's'}."
