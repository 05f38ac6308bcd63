"""Report: what the developers need to know when something goes wrong."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from qtpy.QtWidgets import QApplication, QHBoxLayout, QPlainTextEdit, QPushButton, QVBoxLayout

from napari_unet_seg._napari.files.save_dialog import SaveDialog
from napari_unet_seg._napari.widgets import jobs
from napari_unet_seg._napari.widgets.dock_widget import DockWidget
from napari_unet_seg.doctor.report import sections
from napari_unet_seg.io.disk.files import atomic

if TYPE_CHECKING:
    from napari.viewer import ViewerModel

    from napari_unet_seg.doctor.report import Section

_KINDS = "Text (*.txt)"


class ReportWidget(DockWidget):
    """Shows the report section by section as its checks end, with buttons to copy and save it.

    Parameters
    ----------
    napari_viewer : napari.Viewer
        The viewer of the window.
    """

    def __init__(self, napari_viewer: ViewerModel) -> None:
        super().__init__(napari_viewer)
        self.text = QPlainTextEdit()
        self.text.setReadOnly(True)
        self.text.setToolTip("It holds no names of files and no data of patients")
        self.copy_button, self.save_button = QPushButton("Copy"), QPushButton("Save…")
        self.copy_button.setToolTip("Copy the report, to paste it into a message")
        self.save_button.setToolTip("Save the report as a text file")
        buttons = QHBoxLayout()
        buttons.addWidget(self.copy_button)
        buttons.addWidget(self.save_button)
        layout = QVBoxLayout(self)
        layout.addWidget(self.text)
        layout.addLayout(buttons)
        self.copy_button.clicked.connect(self._copy)
        self.save_button.clicked.connect(self._browse)
        self._set_ready(False)
        self.job = jobs.run(
            sections(), on_event=self._on_section, on_done=self._on_done, name="The report"
        )

    def _set_ready(self, ready: bool) -> None:
        self.copy_button.setEnabled(ready)
        self.save_button.setEnabled(ready)

    def _on_section(self, section: Section) -> None:
        self.text.appendPlainText(f"{section}\n")

    def _on_done(self) -> None:
        self._set_ready(True)

    def _copy(self) -> None:
        QApplication.clipboard().setText(self.text.toPlainText())

    def _browse(self) -> None:
        path, _ = SaveDialog.ask(self, "Save the report", str(Path.home() / "report.txt"), _KINDS)
        if path:
            self.save(Path(path))

    def save(self, path: Path) -> None:
        """Write the report to a text file.

        Raises
        ------
        WriteError
            If the file cannot be written.
        """
        with atomic(path) as temporary:
            temporary.write_text(self.text.toPlainText(), encoding="utf-8")
