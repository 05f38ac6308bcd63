from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from napari.utils.notifications import Notification, notification_manager
from qtpy.QtWidgets import QApplication

from napari_unet_seg._napari.widgets.fitted_text import fitted
from napari_unet_seg._napari.widgets.messages import show_error
from napari_unet_seg._napari.widgets.status_label import StatusLabel

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytestqt.qtbot import QtBot

LONG = "/data/hospital/patients/TCGA_CS_4941_19960909/flair.nii.gz"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Saved /data/a.nii.gz.", "Saved /data/a.nii.gz."),
        (f"Saved {LONG}.", "Saved /data/hospital/patients/TCGA_C…/flair.nii.gz."),
        (f"{LONG} cannot be read: it is empty.",
         "/data/hospital/patients/TCGA_C…/flair.nii.gz cannot be read: it is empty."),
        (f"{LONG}; {LONG}",
         "/data/hospital/patients/TCGA_C…/flair.nii.gz; "
         "/data/hospital/patients/TCGA_C…/flair.nii.gz"),
        (r"C:\data\hospital\patients\TCGA_CS_4941_19960909\flair.nii.gz",
         "C:\\data\\hospital\\patients\\TCGA…\\flair.nii.gz"),
        (f"/data/{'n' * 60}.nii", f"…/{'n' * 20}…{'n' * 16}.nii"),
        ("T1 and/or T2, 3/4 of all", "T1 and/or T2, 3/4 of all"),
    ],
)  # fmt: skip
def test_paths_are_shortened_in_the_middle(text: str, shown: str) -> None:
    assert fitted(text) == shown


def test_a_notification_shows_all_its_lines(
    qtbot: QtBot, make_napari_viewer: Callable[..., Any]
) -> None:
    viewer = make_napari_viewer(show=True)
    viewer.window._qt_window.resize(1366, 768)
    text = f"{LONG} cannot be read: it ends after 1,024 of 8,388,608 bytes; copy it again."
    show_error(text)
    (toast,) = (w for w in QApplication.allWidgets() if type(w).__name__ == "NapariQtNotification")
    qtbot.waitUntil(lambda: toast.geom_anim.state() == toast.geom_anim.State.Stopped)
    label = toast.message
    assert label.height() >= label.heightForWidth(label.width()) > label.fontMetrics().height()
    assert toast.rect().contains(label.geometry())
    assert "/flair.nii.gz" in toast.message.text()
    assert toast.toolTip() == text
    toast.close()


def test_a_notification_leaves_those_of_napari_as_they_are(
    qtbot: QtBot, make_napari_viewer: Callable[..., Any]
) -> None:
    make_napari_viewer(show=True)
    notification_manager.dispatch(Notification("Of napari", "warning"))
    show_error("Of the plugin")
    toasts = [w for w in QApplication.allWidgets() if type(w).__name__ == "NapariQtNotification"]
    assert {toast.message.text() for toast in toasts} == {"Of napari", "Of the plugin"}
    for toast in toasts:
        toast.close()


def test_a_status_line_fits_and_has_the_whole_on_hover(qtbot: QtBot) -> None:
    status = StatusLabel()
    qtbot.addWidget(status)
    status.setText(f"Saved {LONG}")
    assert status.text() == status.toolTip() == f"Saved {LONG}"
    status.setText("Saved /a.tif")
    assert status.toolTip() == ""
