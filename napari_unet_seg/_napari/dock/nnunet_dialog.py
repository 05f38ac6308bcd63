"""The dialog that writes sessions as a data set which nnU-Net trains on."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QDialog, QFormLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from napari_unet_seg._napari.widgets import jobs
from napari_unet_seg._napari.widgets.form.path_edit import PathEdit
from napari_unet_seg._napari.widgets.job_bar import JobBar
from napari_unet_seg._napari.widgets.settings import recall, remember
from napari_unet_seg._napari.widgets.status_label import StatusLabel
from napari_unet_seg.events import ItemDone
from napari_unet_seg.io.common.counting import counted
from napari_unet_seg.io.nnunet.raw import dataset_folder
from napari_unet_seg.session.nnunet_export import export_nnunet

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari_unet_seg.errors import SegmentationError
    from napari_unet_seg.io.nnunet.raw import RawWritten

_KEY = "nnunet/raw"
"""Key for the folder of nnU-Net's data sets."""
_ONE = "The session with all its sequences. nnU-Net learns from its accepted slices alone."
_SEVERAL = (
    "{} sessions with the sequences that all of them have. nnU-Net learns from their accepted "
    "slices alone."
)


class NnunetDialog(QDialog):
    """Asks for a folder, and writes a new data set there.

    Parameters
    ----------
    parent : QWidget
        The dock.
    sessions : sequence of Path
        Folders of the sessions, at least one.
    named : Path
        Folder that the data set is named after.
    """

    def __init__(self, parent: QWidget, sessions: Sequence[Path], named: Path) -> None:
        super().__init__(parent)
        self._sessions, self._named = list(sessions), named
        self._job: jobs.Job | None = None
        self._left_out: list[str] = []
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle("Data set for nnU-Net")
        tip = "A new folder DatasetNNN_NAME, or the folder in which it gets a free number"
        self.folder = PathEdit("folder", "Choose the folder of nnU-Net's data sets", tip=tip)
        self.export_button = QPushButton("Write data set")
        self.export_button.setToolTip("Write scans and masks as nnU-Net reads them")
        self.bar = JobBar()
        self.status = StatusLabel()
        self._lay_out()
        self.export_button.clicked.connect(self.export)
        self._propose(Path(recall(_KEY, str(self._sessions[0].parent.parent / "nnUNet_raw"))))

    def export(self) -> None:
        """Write the data set; an existing one is never replaced."""
        out = self.folder.value()
        if out is None or self._job is not None:
            return
        self._left_out = []
        self.status.setText("")
        self._job = jobs.run(
            export_nnunet(self._sessions, dataset_folder(out, self._named)),
            on_event=self._on_event,
            on_error=self._on_error,
            on_done=self._on_done,
            name="Writing the data set",
        )
        self.bar.watch(self._job)
        self.export_button.setEnabled(False)

    def done(self, result: int) -> None:
        """Stop what is written when the dialog is closed."""
        if self._job is not None:
            self._job.abandon()
        super().done(result)

    def _on_event(self, event: ItemDone | RawWritten) -> None:
        if isinstance(event, ItemDone):
            if event.problem:
                self._left_out.append(f"Left out {event.name}: {event.problem}")
            return
        count = counted(event.training + event.test, "case")
        wrote = f"Wrote {event.folder} with {count}."
        self.status.setText("\n".join((wrote, *event.notes, *self._left_out)))
        remember(_KEY, str(event.folder.parent))
        self._propose(event.folder.parent)

    def _on_error(self, error: SegmentationError) -> None:
        self.status.setText(f"Nothing was written. {error}")

    def _on_done(self) -> None:
        if self._job is not None and self._job.was_stopped:
            self.status.setText("Stopped; nothing was written.")
        self._job = None
        self.export_button.setEnabled(True)

    def _propose(self, raw: Path) -> None:
        self.folder.setValue(dataset_folder(raw, self._named))

    def _lay_out(self) -> None:
        count = len(self._sessions)
        about = QLabel(_SEVERAL.format(count) if count > 1 else _ONE)
        about.setWordWrap(True)
        row = QFormLayout()
        row.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        row.addRow("Folder", self.folder)
        layout = QVBoxLayout(self)
        layout.addWidget(about)
        layout.addLayout(row)
        layout.addWidget(self.export_button)
        layout.addWidget(self.bar)
        layout.addWidget(self.status)
        layout.addStretch(1)
        self.resize(560, 240)
