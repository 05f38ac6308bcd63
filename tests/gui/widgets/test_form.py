from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import pytest
from pydantic import Field
from qtpy.QtWidgets import QLabel

from napari_unet_seg._napari.widgets.editors import words
from napari_unet_seg._napari.widgets.form import Form
from napari_unet_seg.config import (
    PRESETS,
    AugmentConfig,
    Config,
    ModelConfig,
    PredictConfig,
    TrainConfig,
)
from napari_unet_seg.errors import ConfigError

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot


class Inner(Config):
    rotate: bool = True
    rotation: float = Field(5.0, gt=0, le=180)
    """Largest rotation in degrees."""


class Outer(Config):
    count: int = Field(3, ge=1, le=9)
    """How many."""
    share: float = Field(0.1, gt=0, lt=1)
    kind: Literal["dice_bce", "auto"] = "auto"
    name: str = ""
    deep: bool = False
    inner: Inner = Inner()


@pytest.fixture
def form(qtbot: QtBot) -> Form[Outer]:
    form = Form(Outer)
    qtbot.addWidget(form)
    return form


@pytest.mark.parametrize("model", [ModelConfig, AugmentConfig, TrainConfig, PredictConfig])
def test_every_configuration_has_a_form_that_changes_nothing(
    qtbot: QtBot, model: type[Config]
) -> None:
    form = Form(model)
    qtbot.addWidget(form)
    assert form.value() == model()


@pytest.mark.parametrize("preset", sorted(PRESETS))
def test_what_is_set_comes_back(qtbot: QtBot, preset: str) -> None:
    form = Form(TrainConfig, exclude=["model"], more=["seed", "patience"])
    qtbot.addWidget(form)
    value = PRESETS[preset].replace(learning_rate=0.000123456, seed=2**31 - 1)
    form.setValue(value)
    assert form.value() == value


@pytest.mark.parametrize(
    ("name", "typed"),
    [("count", 7), ("share", 1e-5), ("kind", "dice_bce"), ("name", "a"), ("deep", True)],
)
def test_an_edit_is_told_once(qtbot: QtBot, form: Form[Outer], name: str, typed: object) -> None:
    told: list[Outer] = []
    form.valueChanged.connect(told.append)
    form.editor(name).setValue(typed)
    assert told == [Outer().replace(**{name: typed})]


def test_an_edit_inside_a_nested_configuration_is_told(form: Form[Outer]) -> None:
    told: list[Outer] = []
    form.valueChanged.connect(told.append)
    form.editor("inner.rotation").setValue(10)
    assert told == [Outer(inner=Inner(rotation=10))]


def test_setting_is_told_once_and_only_if_it_changes(form: Form[Outer]) -> None:
    told: list[Outer] = []
    form.valueChanged.connect(told.append)
    new = Outer(count=5, share=0.5, inner=Inner(rotate=False))
    form.setValue(new)
    form.setValue(new)
    assert told == [new]


def test_an_amount_follows_its_switch(form: Form[Outer]) -> None:
    amount = form.editor("inner.rotation")
    assert amount.isEnabled()
    form.editor("inner.rotate").setValue(False)
    assert not amount.isEnabled()
    form.setValue(Outer())
    assert amount.isEnabled()
    assert amount.text() == "5 °"


def test_numbers_are_edited_with_commas_between(qtbot: QtBot) -> None:
    form = Form(TrainConfig)
    qtbot.addWidget(form)
    editor = form.editor("terms.class_weights")
    qtbot.keyClicks(editor, "1, 2.5")
    assert form.value().terms.class_weights == (1.0, 2.5)
    qtbot.keyClicks(editor, ", much")
    with pytest.raises(ConfigError, match="class_weights"):
        form.value()
    form.setValue(TrainConfig())
    assert editor.text() == "" and form.value().terms.class_weights == ()


def test_values_that_do_not_go_together_are_said_in_the_form(qtbot: QtBot) -> None:
    form = Form(TrainConfig)
    qtbot.addWidget(form)
    told: list[TrainConfig] = []
    form.valueChanged.connect(told.append)
    form.editor("model.depth").setValue(6)
    form.editor("image_size").setValue(240)
    problem = form.findChild(QLabel, "problem")
    assert "240 is no multiple of 64" in problem.text()
    assert not problem.isHidden()
    with pytest.raises(ConfigError, match="240"):
        form.value()
    assert [t.image_size for t in told] == [256]
    form.editor("image_size").setValue(320)
    assert problem.isHidden()
    assert form.value().image_size == 320


@pytest.mark.parametrize(
    ("text", "value"), [("1e-4", 1e-4), ("0.25", 0.25), ("2.5E-3", 0.0025), ("0,5", 0.5)]
)
def test_numbers_are_typed_in_any_notation(
    qtbot: QtBot, form: Form[Outer], text: str, value: float
) -> None:
    editor = form.editor("share")
    editor.selectAll()
    qtbot.keyClicks(editor, text)
    editor.interpretText()
    assert form.value().share == value


def test_ranges_hold(form: Form[Outer]) -> None:
    form.editor("count").setValue(100)
    assert form.value().count == 9
    form.editor("share").setValue(5.0)
    assert 0.9 < form.value().share < 1


def test_docstrings_are_tooltips_and_names_are_words(form: Form[Outer]) -> None:
    assert form.editor("count").toolTip() == "How many."
    assert "Count" in {label.text() for label in form.findChildren(QLabel)}
    assert words("learning_rate") == "Learning rate"


def test_fields_left_out_keep_their_value(qtbot: QtBot) -> None:
    form = Form(Outer, include=["count"])
    qtbot.addWidget(form)
    form.setValue(Outer(name="kept"))
    form.editor("count").setValue(2)
    assert form.value() == Outer(name="kept", count=2)
