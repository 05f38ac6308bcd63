"""The dock as a whole: its steps, its pages, and that there is one of it."""

from __future__ import annotations

from threading import Event
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from cross import close_by_cross
from napari._qt.widgets.qt_keyboard_settings import ShortcutEditor
from napari.settings import get_settings
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QShortcut
from scene import CATEGORIES, SHAPE, add_mask

from napari_unet_seg._napari.dock.help_dialog import HelpDialog
from napari_unet_seg._napari.dock.step_bar import Step, next_step
from napari_unet_seg._napari.dock.widget import UNetSegWidget
from napari_unet_seg._napari.layers.conversion import add_labels
from napari_unet_seg._napari.segment.chosen_model import choose_model
from napari_unet_seg._napari.widgets.key_table import KEYS, keys_as_markdown
from napari_unet_seg._napari.widgets.keys import key_of
from napari_unet_seg._napari.widgets.settings import remember
from napari_unet_seg.io.images.tiff import write_array
from napari_unet_seg.models.description import model_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from pytestqt.qtbot import QtBot

PLUGIN, TITLE = "napari-unet-seg", "U-Net Seg"


@pytest.fixture
def widget(dock: Callable[[type], Any], tmp_path: Path) -> UNetSegWidget:
    remember("sessions_folder", str(tmp_path / "sessions"))
    made: UNetSegWidget = dock(UNetSegWidget)
    return made


def add_scan(widget: UNetSegWidget, name: str = "head") -> Any:
    return widget.viewer.add_image(np.ones(SHAPE, np.uint8), name=name)


def mask_on(widget: UNetSegWidget, image: Any) -> Any:
    labels = np.zeros(SHAPE, np.uint8)
    labels[1, 5:9, 5:9] = 1
    return add_labels(widget.viewer, labels, image, CATEGORIES, f"{image.name} mask")


def click(button: Any) -> None:
    QTest.mouseClick(button, Qt.MouseButton.LeftButton)


@pytest.mark.parametrize(
    ("there", "step"),
    [
        ({}, Step.OPEN),
        ({"image": True}, Step.SEGMENT),
        ({"image": True, "mask": True}, Step.CORRECT),
        ({"image": True, "mask": True, "unsaved": True}, Step.SAVE),
        ({"image": True, "mask": True, "saved": True}, Step.OPEN),
    ],
)
def test_the_next_step_follows_from_what_is_there(there: dict[str, bool], step: Step) -> None:
    nothing = {"image": False, "mask": False, "unsaved": False, "saved": False}
    assert next_step(**nothing | there) is step


def test_the_next_step_is_highlighted(widget: UNetSegWidget) -> None:
    assert (widget.step, widget.steps.next) == (Step.OPEN, Step.OPEN)
    image = add_scan(widget)
    assert widget.steps.next is Step.SEGMENT
    mask = mask_on(widget, image)
    assert widget.steps.next is Step.CORRECT
    mask.paint((0, 3, 3), 1)
    assert widget.steps.next is Step.SAVE
    marked = [step for step in Step if "bold" in widget.steps.buttons[step].styleSheet()]
    assert marked == [Step.SAVE]
    widget.viewer.layers.clear()
    assert widget.steps.next is Step.OPEN


def test_correct_starts_a_session_named_after_the_case(
    qtbot: QtBot, widget: UNetSegWidget, tmp_path: Path
) -> None:
    mask = mask_on(widget, add_scan(widget))
    with qtbot.waitSignal(widget.correct.desk.session_changed):
        click(widget.steps.buttons[Step.CORRECT])
    qtbot.waitUntil(lambda: not widget.correct.busy)
    session = widget.correct.session
    assert session is not None
    assert session.folder == tmp_path / "sessions" / "head"
    assert widget.correct.current_mask is mask
    click(widget.steps.buttons[Step.SAVE])
    click(widget.steps.buttons[Step.CORRECT])
    assert widget.correct.session is session
    combo = widget.header.mask_combo
    mask_on(widget, widget.viewer.layers["head"])
    assert combo.layer() is mask, "it is the mask that is corrected and saved, whatever is selected"
    assert not combo.isEnabled()
    widget.correct.desk.close()
    assert combo.isEnabled()


def test_the_mask_of_the_next_scan_gets_a_session_of_its_own(
    qtbot: QtBot, widget: UNetSegWidget
) -> None:
    desk = widget.correct.desk
    first = mask_on(widget, add_scan(widget, "a"))
    with qtbot.waitSignal(desk.session_changed):
        widget.go_to(Step.CORRECT)
    qtbot.waitUntil(lambda: not desk.busy)
    second = mask_on(widget, add_scan(widget, "b"))
    assert widget.correct.current_mask is first
    widget.segment.finished.emit(second)
    click(widget.steps.buttons[Step.CORRECT])
    qtbot.waitUntil(lambda: desk.current is not None and desk.current.mask is second)
    qtbot.waitUntil(lambda: not desk.busy)
    assert desk.current is not None
    assert desk.current.image.name == "b"


def test_a_scan_without_a_mask_is_offered_to_segment(qtbot: QtBot, widget: UNetSegWidget) -> None:
    click(widget.steps.buttons[Step.CORRECT])
    bar = widget.correct.bar
    assert "Nothing is open" in bar.message.text()
    click(bar.open_button)
    assert widget.step is Step.OPEN
    add_scan(widget)
    click(widget.steps.buttons[Step.CORRECT])
    assert bar.message.text() == "head has no mask yet."
    assert not widget.correct.review.isEnabled()
    assert bar.start_button.isHidden()
    with qtbot.waitSignal(widget.segment.finished):
        click(bar.segment_button)
    assert widget.step is Step.SEGMENT


def test_a_scan_without_a_mask_is_offered_to_be_drawn_on(
    qtbot: QtBot, widget: UNetSegWidget
) -> None:
    image = add_scan(widget)
    image.scale = (3.0, 1.0, 1.0)
    click(widget.steps.buttons[Step.CORRECT])
    desk, bar, tools = widget.correct.desk, widget.correct.bar, widget.correct.tools
    with qtbot.waitSignal(desk.session_changed):
        click(bar.empty_button)
    qtbot.waitUntil(lambda: not desk.busy)
    assert desk.current is not None and desk.current.image is image
    mask = desk.current.mask
    assert mask.name == "head mask" and not np.any(mask.data)
    np.testing.assert_array_equal(mask.scale, image.scale)
    assert widget.correct.tabs.currentWidget() is tools
    assert tools.controls.isEnabled(), "a category is there"
    assert bar.empty_button.isHidden() and bar.segment_button.isHidden()


def test_the_header_shows_the_case_and_the_model(widget: UNetSegWidget) -> None:
    image = add_scan(widget)
    mask = mask_on(widget, image)
    add_scan(widget, "other")
    widget.viewer.layers.selection.active = mask
    header = widget.header
    assert header.image_combo.currentText() == "head"
    assert header.mask_combo.currentText() == "head mask"
    assert header.model_choice.shown_text() == "Bundled model"


def test_the_model_is_named_by_case_and_round_where_the_date_does_not_fit(
    widget: UNetSegWidget, make_checkpoint: Callable[..., Path], tmp_path: Path
) -> None:
    model = tmp_path / "phantom-22" / "rounds" / "01" / "best.safetensors"
    model.parent.mkdir(parents=True)
    make_checkpoint().rename(model)
    choose_model(model)
    choice = widget.header.model_choice
    whole = choice.fontMetrics().horizontalAdvance(choice.full_text())
    choice.resize(whole, 24)
    assert choice.shown_text() == "phantom-22 · round 1"
    choice.resize(whole + 100, 24)
    assert choice.shown_text() == choice.full_text() == model_name(model)


def test_the_image_is_the_masks_own_while_a_step_is_about_the_mask(widget: UNetSegWidget) -> None:
    image, other = add_scan(widget), add_scan(widget, "other")
    mask = mask_on(widget, image)
    combo, active = widget.header.image_combo, widget.viewer.layers.selection
    widget.show_step(Step.SEGMENT)
    active.active = other
    assert combo.layer() is other, "another image can be segmented"
    widget.show_step(Step.SAVE)
    assert widget.header.mask_combo.layer() is mask
    assert combo.layer() is image
    active.active = image
    active.active = other
    assert combo.layer() is image
    assert not combo.isEnabled()
    widget.show_step(Step.SEGMENT)
    assert combo.isEnabled()
    active.active = image
    active.active = other
    assert combo.layer() is other


def test_opened_with_a_mask_a_scan_shows_its_lesion(widget: UNetSegWidget, tmp_path: Path) -> None:
    labels = np.zeros(SHAPE, np.uint8)
    labels[3, 5:9, 5:9] = 1
    files = [tmp_path / "head.tif", tmp_path / "head_mask.tif"]
    write_array(files[0], np.arange(labels.size, dtype=np.uint16).reshape(SHAPE), axes="ZYX")
    write_array(files[1], labels, axes="ZYX")
    widget.open_files(files)
    assert widget.viewer.dims.current_step[0] == 3


def test_the_card_of_the_first_run_goes_away_for_good(dock: Callable[[type], Any]) -> None:
    first = dock(UNetSegWidget).open_page.first_run
    assert not first.isHidden()
    assert first.text.text().count("<br>") == 3
    first.close_button.click()
    assert first.isHidden()
    assert dock(UNetSegWidget).open_page.first_run.isHidden()


def test_help_has_the_keys_and_the_manual(widget: UNetSegWidget) -> None:
    widget.header.help_button.click()
    (dialog,) = widget.findChildren(HelpDialog)
    assert "Ctrl+Shift+M" in dialog.text.toPlainText()
    click(dialog.manual_button)
    assert dialog.text.source().fileName() == "index.md"
    assert "napari-unet-seg" in dialog.text.toPlainText()
    dialog.close()


@pytest.mark.usefixtures("widget")
def test_naparis_own_list_has_the_keys(qtbot: QtBot) -> None:
    editor = ShortcutEditor()
    qtbot.addWidget(editor)
    table = editor._table
    shown = {
        table.item(row, 0).text(): table.item(row, 2).text() for row in range(table.rowCount())
    }
    ours = {text: key for text, key in shown.items() if text.startswith("U-Net Seg, ")}
    assert len(ours) == len(KEYS)
    (accept,) = (key for text, key in ours.items() if "accept the slice" in text)
    assert accept == "A"


def test_a_key_that_is_changed_in_napari_is_used(
    qtbot: QtBot, widget: UNetSegWidget, monkeypatch: pytest.MonkeyPatch
) -> None:
    chosen = {**get_settings().shortcuts.shortcuts, f"{PLUGIN}:accept": ["Shift-A"]}
    monkeypatch.setattr(get_settings().shortcuts, "shortcuts", chosen)
    assert key_of("accept").replace("+", "-") == "Shift-A"
    assert key_of("skip") == "S"


def test_the_page_of_the_manual_is_the_list_of_keys() -> None:
    from pathlib import Path

    page = Path(__file__).parents[3] / "docs" / "reference" / "keys.md"
    assert page.read_text(encoding="utf-8") == keys_as_markdown()


@pytest.mark.usefixtures("only_this_plugin")
def test_program_script_and_menu_lead_to_one_dock(
    qtbot: QtBot, make_napari_viewer: Callable[..., Any]
) -> None:
    viewer = make_napari_viewer(show=True)
    docked, widget = viewer.window.add_plugin_dock_widget(PLUGIN, TITLE)
    qtbot.waitUntil(docked.isVisible)
    again = viewer.window.add_plugin_dock_widget(PLUGIN, TITLE)[1]
    assert again is widget
    (action,) = actions_of(viewer.window.plugins_menu, TITLE)
    action.trigger()
    assert docked.isHidden()
    action.trigger()
    assert not docked.isHidden()
    assert viewer.window._qt_window.findChildren(UNetSegWidget) == [widget]


@pytest.mark.usefixtures("only_this_plugin")
def test_a_dock_that_is_closed_by_its_cross_leaves_nothing_to_the_next(
    qtbot: QtBot, make_napari_viewer: Callable[..., Any]
) -> None:
    viewer = make_napari_viewer(show=True)
    first, second = opened_and_closed(qtbot, viewer), opened_and_closed(qtbot, viewer)
    assert first == second
    assert second[1] == 1, "a key of two docks does nothing"


def opened_and_closed(qtbot: QtBot, viewer: Any) -> tuple[int, int]:
    """Open the dock and close it; return how many follow the layers, and have its key."""
    docked, widget = viewer.window.add_plugin_dock_widget(PLUGIN, TITLE)
    qtbot.waitUntil(lambda: widget._shortcut is not None and docked.isVisible())
    own = widget._shortcut.key()
    shortcuts = viewer.window._qt_window.findChildren(QShortcut)
    found = (
        len(viewer.layers.events.removed.callbacks),
        sum(each.key() == own for each in shortcuts),
    )
    ended: list[bool] = []
    widget.destroyed.connect(lambda: ended.append(True))
    assert close_by_cross(widget, None) == ""
    qtbot.waitUntil(lambda: bool(ended))
    return found


@pytest.mark.usefixtures("only_this_plugin")
def test_the_cross_asks_while_a_mask_is_written(
    qtbot: QtBot, make_napari_viewer: Callable[..., Any]
) -> None:
    written = Event()

    def write() -> Iterator[None]:
        written.wait(20)
        yield

    viewer = make_napari_viewer(show=True)
    docked, widget = viewer.window.add_plugin_dock_widget(PLUGIN, TITLE)
    qtbot.waitUntil(docked.isVisible)
    widget.correct.desk.run(write(), lambda _: None, "Saving a mask")
    assert close_by_cross(widget, "Keep open") == "Saving a mask is running."
    written.set()
    qtbot.waitUntil(lambda: not widget.correct.desk.busy)


def actions_of(menu: Any, title: str) -> list[Any]:
    """Return the entries of a menu and its submenus that start with a title."""
    found = []
    for action in menu.actions():
        if action.menu() is not None:
            found += actions_of(action.menu(), title)
        elif action.text().startswith(title):
            found.append(action)
    return found


def test_a_file_that_is_opened_hides_what_was_open(widget: UNetSegWidget, tmp_path: Path) -> None:
    old = add_scan(widget, "old")
    add_mask(widget.viewer, np.zeros(SHAPE, np.uint8))
    write_array(tmp_path / "new.tif", np.ones(SHAPE, np.uint8), axes="ZYX")
    widget.open_files([tmp_path / "new.tif"])
    assert not old.visible
    assert [layer.name for layer in widget.viewer.layers if layer.visible] == ["new.tif"]
    assert widget.step is Step.SEGMENT
    widget.show_step(Step.OPEN)
    names = [each.path for each in widget.open_page.listed]
    assert names == [tmp_path / "new.tif"]
    labels = np.zeros(SHAPE, np.uint8)
    labels[1, 5:9, 5:9] = 1
    write_array(tmp_path / "new_mask.tif", labels, axes="ZYX")
    widget.open_files([tmp_path / "new_mask.tif"])
    shown = [layer.name for layer in widget.viewer.layers if layer.visible]
    assert shown == ["new.tif", "new_mask.tif"], "a mask is shown on its image"
