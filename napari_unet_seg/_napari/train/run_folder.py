"""The folder of the next run: a new one is proposed, and a stopped run can be resumed."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from qtpy.QtWidgets import QCheckBox, QFormLayout, QWidget

from napari_unet_seg._napari.widgets.form.path_edit import PathEdit
from napari_unet_seg._napari.widgets.settings import recall, remember
from napari_unet_seg.errors import DataError
from napari_unet_seg.session.folders import free_folder
from napari_unet_seg.training.run import Run

if TYPE_CHECKING:
    from collections.abc import Callable

_PARENT = "train/runs"
_BEGUN = "train/run"


class RunFolder(QWidget):
    """Chooses the folder of the next run.

    Parameters
    ----------
    name : callable
        Returns the name of the data, after which a run is named.
    """

    def __init__(self, name: Callable[[], str]) -> None:
        super().__init__()
        self._name = name
        self._proposed: Path | None = None
        """The folder that was proposed for the next run; None once a run uses it."""
        tip = "Folder for the run's settings, its curves and its best and last model"
        self.edit = PathEdit("folder", "Choose the run's folder", tip=tip)
        self.resume = QCheckBox("Resume the run in this folder")
        self.resume.setToolTip("Continue after the run's last complete epoch")
        layout = QFormLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addRow("Save to", self.edit)
        layout.addRow(self.resume)
        self.edit.valueChanged.connect(self.offer_resume)

    def value(self) -> Path | None:
        """The chosen folder."""
        return self.edit.value()

    def setValue(self, folder: Path | str) -> None:
        """Choose a folder."""
        self.edit.setValue(folder)

    def recall(self) -> None:
        """Show the folder of a run that no window saw the end of, else propose a new folder."""
        self.propose()
        begun = recall(_BEGUN, "")
        if begun and Run(Path(begun)).unfinished():
            self.setValue(begun)

    def propose(self) -> None:
        """Propose a new folder, named after the data and the day."""
        parent = Path(recall(_PARENT, str(Path.home() / "napari-unet-seg" / "runs")))
        name = f"{self._name()} {datetime.now():%Y-%m-%d}".strip()
        self._proposed = free_folder(parent, name)
        self.setValue(self._proposed)

    def follow_name(self) -> None:
        """Propose a folder by the new name of the data, unless the user has chosen one."""
        if self.value() == self._proposed:
            self.propose()

    def usable(self) -> Path:
        """Return the folder, a new one if none is chosen.

        Raises
        ------
        DataError
            If it holds a run that is not to be resumed.
        """
        if self.value() is None:
            self.propose()
        folder = self.value()
        self.offer_resume()
        if folder is None or (Run(folder).holds_model and not self._resumes()):
            raise DataError(f"{folder} already holds a run; choose another folder, or resume it.")
        return folder

    def begin(self, folder: Path) -> Path | None:
        """Record that a run starts in a folder; return the model that the run resumes, if any."""
        remember(_PARENT, str(folder.parent))
        remember(_BEGUN, str(folder))
        self._proposed = None
        return Run(folder).last if self._resumes() else None

    def finish(self) -> None:
        """Record that the run has ended, and propose a folder for the next one."""
        remember(_BEGUN, "")
        self.propose()

    def offer_resume(self) -> None:
        """Offer to resume the run in the folder, if there is one."""
        folder = self.value()
        run = Run(folder) if folder is not None else None
        stopped = run.unfinished() if run else ""
        self.resume.setText("Resume the run in this folder" + (stopped and f" after {stopped}"))
        self.resume.setVisible(run is not None and run.can_resume)

    def _resumes(self) -> bool:
        return bool(self.resume.isChecked() and not self.resume.isHidden())
