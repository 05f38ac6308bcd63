"""Texts of combo boxes are whole, or shortened in their middle, and readable while held."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from napari.qt import get_stylesheet
from qtpy.QtGui import QColor, QImage
from qtpy.QtWidgets import QApplication, QCheckBox, QTextEdit

from napari_unet_seg._napari.widgets.form.eliding_combo import ElidingCombo
from napari_unet_seg._napari.widgets.form.fitted_tabs import FittedTabs

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

NAME = "phantom-22 · round 1 · 2026-11-29"


@pytest.fixture
def combo(qtbot: QtBot) -> ElidingCombo:
    combo = ElidingCombo(empty_text="no mask yet")
    qtbot.addWidget(combo)
    return combo


def test_a_text_that_does_not_fit_loses_its_middle(combo: ElidingCombo) -> None:
    combo.addItem(NAME)
    combo.resize(600, 24)
    assert combo.shown_text() == NAME
    combo.resize(200, 24)
    start, end = combo.shown_text().split("…")
    assert NAME.startswith(start)
    assert NAME.endswith(end)
    assert start
    assert end


def test_a_box_without_entries_says_so(combo: ElidingCombo) -> None:
    assert combo.full_text() == "no mask yet"


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_a_held_choice_is_as_readable_as_any(combo: ElidingCombo, theme: str) -> None:
    combo.addItem("mask")
    combo.setStyleSheet(get_stylesheet(theme))
    combo.resize(200, 26)
    free = contrast(combo)
    combo.setHeld(True)
    held = contrast(combo)
    assert not combo.isEnabled()
    assert held > 4.5
    assert held == pytest.approx(free, rel=0.2)
    combo.setHeld(False)
    combo.setEnabled(False)
    assert contrast(combo) < 0.7 * held, "a box that is merely disabled is fainter"


def contrast(combo: ElidingCombo) -> float:
    """Return the ratio of luminance, as WCAG has it, between the text and its ground."""
    QApplication.processEvents()
    image = combo.grab().toImage().convertToFormat(QImage.Format.Format_RGB32)
    field = [
        luminance(image.pixelColor(x, y))
        for x in range(4, combo.width() // 2)
        for y in range(4, combo.height() - 4)
    ]
    ground = max(set(field), key=field.count)
    return max((max(ground, v) + 0.05) / (min(ground, v) + 0.05) for v in field)


def luminance(colour: QColor) -> float:
    linear = (
        c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4
        for c in (colour.redF(), colour.greenF(), colour.blueF())
    )
    return sum(share * c for share, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def test_tabs_are_as_high_as_the_page_that_is_shown(qtbot: QtBot) -> None:
    tabs = FittedTabs()
    qtbot.addWidget(tabs)
    tabs.addTab(QCheckBox("one line"), "low")
    low = tabs.sizeHint().height()
    tabs.addTab(QTextEdit(), "high")
    assert tabs.sizeHint().height() == low
    tabs.setCurrentIndex(1)
    assert tabs.sizeHint().height() > 2 * low
