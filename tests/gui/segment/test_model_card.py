"""The card of a model, opened from the header of the dock."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from napari.components import ViewerModel
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QDialogButtonBox

from napari_unet_seg._napari.dock.header import CaseHeader
from napari_unet_seg._napari.segment import chosen_model
from napari_unet_seg._napari.segment.model_card import ModelCard
from napari_unet_seg._napari.segment.model_choice import describe
from napari_unet_seg.models import BUNDLED
from napari_unet_seg.models.header import read_header

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pytestqt.qtbot import QtBot


@pytest.fixture
def header(qtbot: QtBot) -> CaseHeader:
    header = CaseHeader(ViewerModel())
    qtbot.addWidget(header)
    header.show()
    return header


def card_of(header: CaseHeader, qtbot: QtBot) -> ModelCard:
    qtbot.mouseClick(header.card_button, Qt.MouseButton.LeftButton)
    return header.findChildren(ModelCard)[-1]


def test_the_bundled_models_card_is_shown_and_closed(header: CaseHeader, qtbot: QtBot) -> None:
    card = card_of(header, qtbot)
    text = card.text.toPlainText()
    assert card.isVisible()
    for words in ("Not for clinical use", "CC BY 4.0", "95 % interval", "Known failures"):
        assert words in text
    assert "benchmarks.bundled.train_bundled" in text
    box = card.findChild(QDialogButtonBox)
    with qtbot.waitSignal(card.destroyed):
        qtbot.mouseClick(
            box.button(QDialogButtonBox.StandardButton.Close), Qt.MouseButton.LeftButton
        )


def test_any_other_models_card_is_made_of_its_header(
    header: CaseHeader, qtbot: QtBot, make_checkpoint: Callable[..., Path]
) -> None:
    path = make_checkpoint(classes=2, head="softmax")
    chosen_model.choose_model(path)
    card = card_of(header, qtbot)
    text = card.text.toPlainText()
    assert "U-Net in 2D" in text
    assert "c0, c1" in text
    assert "Not for clinical use" in text
    card.close()


def test_a_model_that_is_gone_has_no_card(
    header: CaseHeader,
    qtbot: QtBot,
    make_checkpoint: Callable[..., Path],
    notifications: list[str],
) -> None:
    path = make_checkpoint()
    chosen_model.choose_model(path)
    path.unlink()
    qtbot.mouseClick(header.card_button, Qt.MouseButton.LeftButton)
    assert not header.findChildren(ModelCard)
    assert str(path) in notifications[0]


def test_the_bundled_models_line_tells_its_dice() -> None:
    info = read_header(BUNDLED)
    assert f"Dice {info.metrics['dice']:.2f} on 894 held-out slices" in describe(info)
