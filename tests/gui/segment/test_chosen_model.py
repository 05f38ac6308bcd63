"""The model in use, which is remembered between two starts of napari."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from napari_unet_seg._napari.segment import chosen_model
from napari_unet_seg._napari.segment.model_choice import ModelChoice
from napari_unet_seg._napari.widgets import settings
from napari_unet_seg.models import BRAIN, BUNDLED

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pytestqt.qtbot import QtBot


def start_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chosen_model._CHOICE, "path", None)
    monkeypatch.setattr(chosen_model._CHOICE, "made", False)


@pytest.mark.parametrize("use", [chosen_model.choose_model, chosen_model.use_model])
def test_the_model_in_use_is_used_after_the_next_start(
    qtbot: QtBot,
    monkeypatch: pytest.MonkeyPatch,
    make_checkpoint: Callable[..., Path],
    use: Callable[[Path], None],
) -> None:
    path = make_checkpoint()
    use(path)
    start_again(monkeypatch)
    choice = ModelChoice()
    qtbot.addWidget(choice)
    assert choice.value() == path
    assert not chosen_model.is_model_chosen(), "a session goes on with its own model"


def test_a_model_of_the_package_is_used_after_the_next_start(
    qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    chosen_model.choose_model(BRAIN)
    assert str(BRAIN) not in str(settings.recall("model", "")), "it may be installed elsewhere"
    start_again(monkeypatch)
    choice = ModelChoice()
    qtbot.addWidget(choice)
    assert choice.value() == BRAIN
    assert choice.description().startswith("Finds brain")
    assert BRAIN not in chosen_model.recent_models()


@pytest.mark.parametrize("gone", [False, True])
def test_the_bundled_model_is_used_after_it_was_chosen_or_the_other_is_gone(
    monkeypatch: pytest.MonkeyPatch, make_checkpoint: Callable[..., Path], *, gone: bool
) -> None:
    path = make_checkpoint()
    chosen_model.choose_model(path)
    if gone:
        path.unlink()
    else:
        chosen_model.choose_model(BUNDLED)
    start_again(monkeypatch)
    assert chosen_model.current_model() == BUNDLED
