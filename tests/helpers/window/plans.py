"""The dialog that shows the plan of a folder, in tests that are about something else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qtpy.QtWidgets import QApplication

from napari_unet_seg._napari.plan.dialog import PlanDialog

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot


def shown_plan(qtbot: QtBot) -> PlanDialog:
    """Wait for the dialog and return it."""
    qtbot.waitUntil(lambda: bool(_visible()))
    [dialog] = _visible()
    return dialog


def accept_plan(qtbot: QtBot) -> None:
    """Press the dialog's Open button."""
    shown_plan(qtbot).ok_button.click()


def _visible() -> list[Any]:
    widgets = QApplication.topLevelWidgets()
    return [w for w in widgets if isinstance(w, PlanDialog) and w.isVisible()]
