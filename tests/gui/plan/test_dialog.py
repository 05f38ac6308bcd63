"""The table of a folder's plan, with mouse and keys."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from qtpy.QtCore import QModelIndex, Qt
from qtpy.QtTest import QTest

from napari_unet_seg._napari.plan.dialog import PlanDialog, needs_look
from napari_unet_seg.io.cases.plan import plan_folder, recognise_folder

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pytestqt.qtbot import QtBot

LEFT = Qt.MouseButton.LeftButton
NAMES = (
    *(f"P1/P1_{n}{end}.tif" for n in range(4) for end in ("", "_mask")),
    "P2/flair.nii",
    "P2/t1ce.nii",
    "P2/wrong.nii",
    "x_mask.nii",
)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "scans"
    for name in NAMES:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()
    return root


@pytest.fixture
def dialog(qtbot: QtBot, root: Path) -> Iterator[PlanDialog]:
    dialog = PlanDialog(recognise_folder(root))
    qtbot.addWidget(dialog)
    with qtbot.waitExposed(dialog):
        dialog.show()
    yield dialog


def texts(dialog: PlanDialog) -> list[tuple[str, ...]]:
    """All rows from top to bottom, those of files after that of their case."""
    model, rows = dialog.model, []

    def add(parent: QModelIndex) -> None:
        for row in range(model.rowCount(parent)):
            columns = range(model.columnCount())
            rows.append(tuple(model.index(row, c, parent).data() for c in columns))
            add(model.index(row, 0, parent))

    add(QModelIndex())
    return rows


def click(dialog: PlanDialog, key: str, modifier: Qt.KeyboardModifier | None = None) -> None:
    place = dialog.tree.visualRect(dialog.model.place_of(key)).center()
    modifier = Qt.KeyboardModifier.NoModifier if modifier is None else modifier
    QTest.mouseClick(dialog.tree.viewport(), LEFT, modifier, place)


def press(dialog: PlanDialog, kind: str) -> None:
    QTest.mouseClick(dialog.bar.buttons[kind], LEFT)


def enter_case(dialog: PlanDialog, name: str) -> None:
    dialog.bar.case.setFocus()
    dialog.bar.case.setEditText(name)
    QTest.keyClick(dialog.bar.case, Qt.Key.Key_Return)


def test_cases_files_and_reasons(dialog: PlanDialog) -> None:
    assert texts(dialog) == [
        ("P1", "image", "mask", "", "4 numbered slices"),
        ("…_0.tif … (4 slices)", "image", "", "", ""),
        ("…_0_mask.tif … (4 slices)", "", "mask", "", ""),
        ("flair", "FLAIR", "", "", "a file of its own"),
        ("P2/flair.nii", "FLAIR", "", "", ""),
        ("t1ce", "T1c", "", "", "a file of its own"),
        ("P2/t1ce.nii", "T1c", "", "", ""),
        ("wrong", "image", "", "", "a file of its own"),
        ("P2/wrong.nii", "image", "", "", ""),
        ("Left out", "", "", "", "1 file"),
        ("x_mask.nii", "", "", "", "named as a mask, and no scan has its name"),
    ]
    assert not dialog.bar.buttons["mask"].isEnabled()


def test_a_file_is_corrected_by_a_click_and_that_is_remembered(
    dialog: PlanDialog, root: Path
) -> None:
    click(dialog, "P2/wrong.nii")
    press(dialog, "left out")
    click(dialog, "P2/t1ce.nii")
    enter_case(dialog, "flair")
    click(dialog, "x_mask.nii")
    press(dialog, "mask")
    enter_case(dialog, "flair")
    assert dialog.isVisible()
    QTest.mouseClick(dialog.ok_button, LEFT)

    plan = plan_folder(root)
    assert [(c.name, list(c.sequences), list(c.masks)) for c in plan.cases] == [
        ("P1", ["image"], ["mask"]),
        ("flair", ["FLAIR", "T1c"], ["mask"]),
    ]
    assert [left.reason for left in plan.left_out] == ["corrected by you"]


def test_several_files_and_cases_are_corrected_together(dialog: PlanDialog) -> None:
    click(dialog, "P2/flair.nii")
    click(dialog, "P2/t1ce.nii", Qt.KeyboardModifier.ControlModifier)
    assert dialog.bar.text.text() == "2 files selected:"
    press(dialog, "left out")

    assert [case.name for case in dialog.plan.cases] == ["P1", "wrong"]
    QTest.mouseClick(dialog.reset_button, LEFT)
    assert len(dialog.plan.cases) == 4


def test_cancel_remembers_nothing(dialog: PlanDialog, root: Path) -> None:
    click(dialog, "P2/wrong.nii")
    press(dialog, "mask")
    dialog.reject()

    assert plan_folder(root) == recognise_folder(root)


def test_the_chosen_sequence_comes_first(dialog: PlanDialog) -> None:
    click(dialog, "P2/t1ce.nii")
    enter_case(dialog, "flair")
    dialog.sequence.setCurrentText("T1c")

    case = next(case for case in dialog.plan.cases if case.name == "flair")
    assert list(case.sequences) == ["T1c", "FLAIR"]


def test_the_chosen_sequence_is_remembered_until_it_is_forgotten(
    qtbot: QtBot, dialog: PlanDialog, root: Path
) -> None:
    click(dialog, "P2/t1ce.nii")
    enter_case(dialog, "flair")
    dialog.sequence.setCurrentText("T1c")
    dialog.ok_button.click()

    def of_case() -> list[str]:
        return next(list(c.sequences) for c in plan_folder(root).cases if "T1c" in c.sequences)

    assert of_case() == ["T1c", "FLAIR"]
    again = PlanDialog(recognise_folder(root))
    qtbot.addWidget(again)
    again.show()
    assert again.sequence.currentText() == "T1c"
    QTest.mouseClick(again.reset_button, LEFT)
    again.ok_button.click()
    assert plan_folder(root) == recognise_folder(root)


def test_a_stack_that_was_left_out_is_taken_back(dialog: PlanDialog) -> None:
    for kind in ("left out", "scan"):
        click(dialog, "P1/P1_0.tif")
        press(dialog, kind)

    case = next(case for case in dialog.plan.cases if case.name == "P1")
    assert len(case.sequences["image"].files) == 4


def test_one_plain_case_needs_no_look(root: Path) -> None:
    assert not needs_look(recognise_folder(root / "P1"))
    assert needs_look(recognise_folder(root))


def test_five_thousand_files_are_shown_without_their_rows(qtbot: QtBot, tmp_path: Path) -> None:
    for number in range(5000):
        (tmp_path / f"p{number}_flair.nii").touch()
    dialog = PlanDialog(recognise_folder(tmp_path))
    qtbot.addWidget(dialog)

    assert dialog.model.rowCount() == 5000
    assert not dialog.tree.isExpanded(dialog.model.index(0, 0))
    dialog.tree.selectAll()
    press(dialog, "left out")
    assert len(dialog.plan.left_out) == 5000
    assert not dialog.ok_button.isEnabled()
