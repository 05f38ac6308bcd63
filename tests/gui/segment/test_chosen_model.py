"""The model in use, which is remembered between two starts of napari."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from napari_unet_seg._napari.segment import chosen_model
from napari_unet_seg._napari.segment.chosen_model import POINT, SEGMENT
from napari_unet_seg._napari.segment.model_choice import ModelChoice
from napari_unet_seg._napari.segment.use_button import UseButton
from napari_unet_seg._napari.widgets import settings
from napari_unet_seg.errors import CheckpointError
from napari_unet_seg.models import BRAIN, BUNDLED, PROMPT_NETWORK

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pytestqt.qtbot import QtBot


def start_again(monkeypatch: pytest.MonkeyPatch) -> None:
    for choice in (SEGMENT, POINT):
        monkeypatch.setattr(choice, "path", None)
        monkeypatch.setattr(choice, "is_made", False)


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
    assert BRAIN not in SEGMENT.recent()


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


@pytest.mark.parametrize("gone", [False, True])
def test_the_network_of_point_is_asked_after_the_next_start(
    monkeypatch: pytest.MonkeyPatch, make_checkpoint: Callable[..., Path], *, gone: bool
) -> None:
    path = make_checkpoint(prompts=True)
    POINT.choose(path)
    if gone:
        path.unlink()
    start_again(monkeypatch)
    assert POINT.current() == (PROMPT_NETWORK if gone else path)
    assert chosen_model.current_model() == BUNDLED


@pytest.mark.parametrize(
    ("chosen", "model", "why"),
    [
        (SEGMENT, {"prompts": True}, "takes prompts and finds nothing by itself"),
        (POINT, {}, "takes no prompts"),
        (POINT, {"prompts": True, "dimensions": 3}, "takes prompts in volumes"),
        (POINT, {"prompts": True, "sequences": ("T1", "T2")}, "looks at T1 and T2 together"),
    ],
)
def test_a_model_that_is_of_no_use_is_refused_by_its_name(
    qtbot: QtBot,
    make_checkpoint: Callable[..., Path],
    chosen: chosen_model.ChosenModel,
    model: dict[str, Any],
    why: str,
) -> None:
    path, before = make_checkpoint(**model), chosen.current()
    choice = ModelChoice(chosen)
    qtbot.addWidget(choice)
    with pytest.raises(CheckpointError, match=f"{path.name} {why}"):
        choice.setValue(path)
    assert chosen.current() == choice.value() == before


def listed(choice: ModelChoice) -> list[Path]:
    choice.showPopup()
    choice.hidePopup()
    return [choice.itemData(index) for index in range(choice.count())]


@pytest.mark.parametrize(
    ("chosen", "other", "prompts"), [(SEGMENT, POINT, False), (POINT, SEGMENT, True)]
)
def test_a_trained_model_is_offered_where_it_is_of_use(
    qtbot: QtBot,
    make_checkpoint: Callable[..., Path],
    notifications: list[str],
    chosen: chosen_model.ChosenModel,
    other: chosen_model.ChosenModel,
    prompts: bool,
) -> None:
    button, choices = UseButton(), (ModelChoice(chosen), ModelChoice(other))
    for widget in (button, *choices):
        qtbot.addWidget(widget)
    path, before = make_checkpoint(prompts=prompts), other.current()
    button.offer(path)
    assert (button.text(), button.isEnabled()) == (f"Use in {chosen.place}", True)
    assert [path in listed(choice) for choice in choices] == [True, False]
    assert chosen.current() != path
    button.click()
    assert (chosen.current(), other.current()) == (path, before)
    assert notifications[0].startswith(chosen.place) and path.stem in notifications[0]


def test_a_network_that_nothing_in_the_window_asks_cannot_be_used(
    qtbot: QtBot, make_checkpoint: Callable[..., Path]
) -> None:
    button = UseButton()
    qtbot.addWidget(button)
    button.offer(make_checkpoint(prompts=True, dimensions=3))
    assert not button.isEnabled() and "prompts in volumes" in button.toolTip()
    assert not POINT.recent()
