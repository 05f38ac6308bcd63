from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal

import pytest
from magicgui.backends._qtpy.widgets import QFILE_DIALOG_MODES
from magicgui.types import FileDialogMode
from pydantic import Field
from qtpy.QtCore import QPoint, QPointF, Qt
from qtpy.QtGui import QWheelEvent
from qtpy.QtWidgets import (
    QApplication,
    QLabel,
    QLineEdit,
    QPushButton,
)

from napari_unet_seg._napari.widgets.form.fields import display_name
from napari_unet_seg._napari.widgets.form.form import Form
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
    form = Form(TrainConfig, include=["epochs", "learning_rate"], more=["seed", "patience"])
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
    form.editor(name).value = typed
    assert told == [Outer().replace(**{name: typed})]


def test_an_edit_inside_a_nested_configuration_is_told(form: Form[Outer]) -> None:
    told: list[Outer] = []
    form.valueChanged.connect(told.append)
    form.editor("inner.rotation").value = 10
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
    assert amount.enabled
    form.editor("inner.rotate").value = False
    assert not amount.enabled
    form.setValue(Outer())
    assert amount.enabled
    assert amount.native.text() == "5 °"


def test_numbers_are_edited_with_commas_between(qtbot: QtBot) -> None:
    form = Form(TrainConfig)
    qtbot.addWidget(form)
    editor = form.editor("terms.class_weights").native
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
    form.editor("model.depth").value = 6
    form.editor("image_size").value = 240
    problem = form.findChild(QLabel, "problem")
    assert "240 is no multiple of 64" in problem.text()
    assert not problem.isHidden()
    with pytest.raises(ConfigError, match="240"):
        form.value()
    assert [t.image_size for t in told] == [256]
    form.editor("image_size").value = 320
    assert problem.isHidden()
    assert form.value().image_size == 320


@pytest.mark.parametrize(
    ("text", "value"), [("1e-4", 1e-4), ("0.25", 0.25), ("2.5E-3", 0.0025), ("0,5", 0.5)]
)
def test_numbers_are_typed_in_any_notation(
    qtbot: QtBot, form: Form[Outer], text: str, value: float
) -> None:
    editor = form.editor("share").native
    editor.selectAll()
    qtbot.keyClicks(editor, text)
    editor.interpretText()
    assert form.value().share == value


def test_ranges_hold(form: Form[Outer]) -> None:
    form.editor("count").value = 100
    assert form.value().count == 9
    form.editor("share").value = 5.0
    assert 0.9 < form.value().share < 1


def test_docstrings_are_tooltips_and_names_are_words(form: Form[Outer]) -> None:
    assert form.editor("count").tooltip == "How many."
    assert "Count" in {label.text() for label in form.findChildren(QLabel)}
    assert display_name("learning_rate") == "Learning rate"


def test_fields_left_out_keep_their_value(qtbot: QtBot) -> None:
    form = Form(Outer, include=["count"])
    qtbot.addWidget(form)
    form.setValue(Outer(name="kept"))
    form.editor("count").value = 2
    assert form.value() == Outer(name="kept", count=2)


def test_a_whole_number_above_its_least_is_typed_digit_by_digit(qtbot: QtBot) -> None:
    form = Form(TrainConfig)
    qtbot.addWidget(form)
    editor = form.editor("image_size").native
    editor.selectAll()
    qtbot.keyClicks(editor, "320")
    assert form.value().image_size == 320


def test_a_path_is_edited_as_it_is_and_chosen_by_a_button(
    qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    form = Form(TrainConfig, include=["encoder_weights"])
    qtbot.addWidget(form)
    editor = form.editor("encoder_weights")
    line, button = editor.native.findChild(QLineEdit), editor.native.findChild(QPushButton)
    assert form.value() == TrainConfig()
    line.setText("weights/a.pth")
    assert form.changes() == {"encoder_weights": Path("weights/a.pth")}
    choose = lambda parent, caption, start, pattern: (f"{start}.chosen", "")  # noqa: E731
    monkeypatch.setitem(QFILE_DIALOG_MODES, FileDialogMode.EXISTING_FILE, choose)
    button.click()
    assert form.changes() == {"encoder_weights": Path("weights/a.pth.chosen").absolute()}
    form.setValue(TrainConfig())
    assert line.text() == "" and form.value() == TrainConfig()


@pytest.mark.parametrize("name", ["count", "share", "kind"])
def test_the_wheel_is_left_to_what_scrolls_the_form(form: Form[Outer], name: str) -> None:
    form.setValue(Outer(count=5, share=0.5, kind="dice_bce"))
    before = form.value()
    editor = form.editor(name).native
    middle = QPointF(editor.rect().center())
    roll = QWheelEvent(
        middle,
        middle,
        QPoint(),
        QPoint(0, -120),
        Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(editor, roll)
    assert not roll.isAccepted()
    assert form.value() == before
    assert editor.focusPolicy() == Qt.FocusPolicy.StrongFocus
