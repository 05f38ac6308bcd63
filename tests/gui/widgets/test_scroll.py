"""What answers a press is seen, also in a low window whose form is scrolled away from it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from qtpy.QtWidgets import QAbstractSlider, QLabel, QVBoxLayout, QWidget

from napari_unet_seg._napari.coco.widget import ImportCocoWidget
from napari_unet_seg._napari.review.widget import ReviewWidget
from napari_unet_seg._napari.segment.widget import SegmentWidget
from napari_unet_seg._napari.train.widget import TrainWidget
from napari_unet_seg._napari.widgets.scroll import ScrollColumn, bring_into_view
from napari_unet_seg._napari.widgets.status_label import StatusLabel
from napari_unet_seg._napari.widgets.windows import ancestor

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytestqt.qtbot import QtBot

ANSWER = "This is why nothing was done, in a message of some length that takes two or three lines."
LABELS: dict[str, tuple[type, str, Callable[[Any], Any]]] = {
    "segment": (SegmentWidget, "", lambda page: page.form.status),
    "tools": (ReviewWidget, "tools", lambda page: page.tools.status),
    "categories": (ReviewWidget, "tools", lambda page: page.tools.categories.status),
    "learning": (ReviewWidget, "fine_tune", lambda page: page.fine_tune.learn_bar.status),
    "import": (ImportCocoWidget, "", lambda page: page.status),
    "data set": (ImportCocoWidget, "", lambda page: page.write_box.message),
}
"""By name: the widget, its tab, and the label of its messages."""


def column_of(widget: QWidget) -> ScrollColumn:
    column = ancestor(widget, ScrollColumn)
    assert isinstance(column, ScrollColumn)
    return column


def is_seen(widget: QWidget) -> bool:
    """Whether the whole widget is in the part of its column that is on screen."""
    port = column_of(widget).viewport()
    place = widget.rect().translated(widget.mapTo(port, widget.rect().topLeft()))
    return widget.isVisible() and bool(port.rect().contains(place))


def scroll_away_from(widget: QWidget) -> None:
    bar = column_of(widget).verticalScrollBar()
    middle = widget.mapTo(column_of(widget).widget(), widget.rect().center()).y()
    bar.setValue(0 if middle > bar.maximum() / 2 else bar.maximum())


@pytest.fixture
def column(qtbot: QtBot) -> tuple[ScrollColumn, StatusLabel]:
    """A low column, with a status line at the end of what is scrolled."""
    content = QWidget()
    layout, status = QVBoxLayout(content), StatusLabel()
    for row in range(20):
        layout.addWidget(QLabel(f"row {row}"))
    layout.addWidget(status)
    column = ScrollColumn(content)
    qtbot.addWidget(column)
    column.resize(240, 200)
    column.show()
    qtbot.waitExposed(column)
    return column, status


def test_a_message_comes_into_view(qtbot: QtBot, column: tuple[ScrollColumn, StatusLabel]) -> None:
    area, status = column
    status.setText(ANSWER)
    qtbot.waitUntil(lambda: is_seen(status))
    area.verticalScrollBar().setValue(0)
    assert not is_seen(status)
    status.setText(ANSWER)
    qtbot.waitUntil(lambda: is_seen(status))
    assert area.verticalScrollBar().value() > 0


def test_what_only_goes_on_stays_where_it_is(
    qtbot: QtBot, column: tuple[ScrollColumn, StatusLabel]
) -> None:
    area, status = column
    status.setText(ANSWER)
    qtbot.waitUntil(lambda: is_seen(status))
    area.verticalScrollBar().triggerAction(QAbstractSlider.SliderAction.SliderToMinimum)
    status.show_progress("Epoch 2 of 10")
    status.setText("")
    qtbot.wait(100)
    assert area.verticalScrollBar().value() == 0


def test_of_what_is_too_high_the_begin_is_seen(
    qtbot: QtBot, column: tuple[ScrollColumn, StatusLabel]
) -> None:
    area, status = column
    status.setMinimumHeight(600)
    bring_into_view(status)
    qtbot.waitUntil(lambda: area.verticalScrollBar().value() > 0)
    assert 0 <= status.mapTo(area.viewport(), status.rect().topLeft()).y() < 20


@pytest.mark.parametrize("name", LABELS)
def test_the_messages_of_a_low_window_are_seen(
    qtbot: QtBot, dock: Callable[[Any], Any], name: str
) -> None:
    kind, tab, label = LABELS[name]
    page = dock(kind)
    page.viewer.window.resize(1000, 640)
    page.viewer.window.show()
    qtbot.waitExposed(page.window())
    if tab:
        page.tabs.setCurrentWidget(getattr(page, tab))
        page.tools.more.expand(animate=False)
    status = label(page)
    status.show()
    qtbot.waitUntil(lambda: column_of(status).isVisible())
    scroll_away_from(status)
    status.setText(ANSWER)
    qtbot.waitUntil(lambda: is_seen(status))
    assert status.text() == ANSWER


def test_the_state_of_a_training_is_outside_what_is_scrolled(dock: Callable[[Any], Any]) -> None:
    widget: TrainWidget = dock(TrainWidget)
    for label in (widget.panel.status, widget.result):
        assert ancestor(label, ScrollColumn) is None


def test_a_low_window_need_not_grow_for_the_page_correct(dock: Callable[[Any], Any]) -> None:
    page: ReviewWidget = dock(ReviewWidget)
    assert page.minimumSizeHint().height() < 380
