"""Names of files that are saved: the suffix of the chosen type, once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from qtpy.QtCore import QTimer
from qtpy.QtWidgets import QApplication, QFileDialog, QLineEdit, QMessageBox

from napari_unet_seg._napari.files.save_dialog import SaveDialog

if TYPE_CHECKING:
    from pathlib import Path

    from pytestqt.qtbot import QtBot

TIFF, NIFTI, ZARR = "TIFF (*.tif *.tiff)", "NIfTI (*.nii.gz *.nii)", "OME-Zarr (*.zarr)"
FOLDER = "Folder of TIFFs (*)"
KINDS = ";;".join((TIFF, NIFTI, ZARR, FOLDER))


@pytest.fixture
def dialog(qtbot: QtBot, tmp_path: Path) -> SaveDialog:
    """The dialog as the user sees it first: a TIFF in an empty folder."""
    dialog = SaveDialog(None, "Save the mask", str(tmp_path / "mask.tif"), KINDS)
    qtbot.addWidget(dialog)
    dialog.show()
    return dialog


def saved(dialog: SaveDialog, name: str | None, kind: str) -> str:
    """Choose a type, then type a name; return the name of the file."""
    dialog.selectNameFilter(kind)
    # What Qt does only for a person who chooses the type.
    dialog.filterSelected.emit(kind)
    edit = dialog.findChild(QLineEdit, "fileNameEdit")
    if name is not None:
        edit.setText(name)
    dialog.accept()
    assert dialog.result() == QFileDialog.DialogCode.Accepted
    (path,) = dialog.selectedFiles()
    return path.rpartition("/")[2]


@pytest.mark.gui
@pytest.mark.parametrize(
    ("kind", "name", "expected"),
    [
        (TIFF, None, "mask.tif"),
        (NIFTI, None, "mask.nii.gz"),
        (ZARR, None, "mask.zarr"),
        (FOLDER, None, "mask"),
        (NIFTI, "mask.gz", "mask.nii.gz"),  # what Qt makes of mask.tif where the type changes
        (NIFTI, "mask", "mask.nii.gz"),
        (NIFTI, "mask.nii", "mask.nii"),
        (NIFTI, "mask.nii.gz", "mask.nii.gz"),
        (NIFTI, "T1.c", "T1.c.nii.gz"),
        (TIFF, "T1.c", "T1.c.tif"),
        (TIFF, "T1.c.TIFF", "T1.c.TIFF"),
        (TIFF, "scan.ome.tif", "scan.ome.tif"),
        (TIFF, "mask.nii.gz", "mask.nii.gz"),
        (ZARR, "scan.ome", "scan.ome.zarr"),
        (ZARR, "scan.ome.zarr", "scan.ome.zarr"),
        (FOLDER, "T1.c", "T1.c"),
    ],
)
def test_the_suffix_of_the_type_is_appended_once(dialog, kind, name, expected):
    assert saved(dialog, name, kind) == expected


@pytest.mark.gui
def test_qt_asks_before_it_replaces_the_file_of_the_completed_name(dialog, tmp_path):
    (tmp_path / "T1.c.nii.gz").write_bytes(b"an older mask")
    asked: list[str] = []
    timer = QTimer(dialog)

    def refuse() -> None:
        box = QApplication.activeModalWidget()
        if isinstance(box, QMessageBox):
            timer.stop()
            asked.append(box.text())
            box.button(QMessageBox.StandardButton.No).click()

    timer.timeout.connect(refuse)
    timer.start(0)
    dialog.selectNameFilter(NIFTI)
    dialog.findChild(QLineEdit, "fileNameEdit").setText("T1.c")
    dialog.accept()
    (question,) = asked
    assert "T1.c.nii.gz" in question
    assert dialog.isVisible()
