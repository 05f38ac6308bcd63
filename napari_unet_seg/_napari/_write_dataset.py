"""The part of the import that writes a data set of images and masks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qtpy.QtCore import Signal
from qtpy.QtWidgets import (
    QFormLayout,
    QGroupBox,
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QPushButton,
    QSpinBox,
    QWidget,
)

from napari_unet_seg._napari import _worker
from napari_unet_seg._napari._path_edit import PathEdit
from napari_unet_seg.data.dataset import write_dataset

if TYPE_CHECKING:
    from napari_unet_seg.errors import SegmentationError
    from napari_unet_seg.events import ItemDone
    from napari_unet_seg.io.coco import CocoDataset


class WriteDatasetBox(QGroupBox):
    """Folder, shares, a button, and how far it is."""

    written = Signal(object)
    """The data set's folder."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("Write data set for training", parent)
        self._dataset: CocoDataset | None = None
        self._job: _worker.Job | None = None
        self._ready = False
        self._problems = 0
        self._failed = False
        self._build()
        self.write_button.clicked.connect(self.write)
        self.stop_button.clicked.connect(self.stop)
        self.folder_edit.line.textChanged.connect(self._show_state)
        self._show_state()

    def setDataset(self, dataset: CocoDataset) -> None:
        """Choose what is written, and name a folder for it."""
        self._dataset = dataset
        named = dataset.split
        self.valid.setEnabled(named is None)
        self.test.setEnabled(named is None)
        self.hint.setText(f"The file says that this is the {named} part." if named else "")
        self.hint.setVisible(named is not None)
        self.folder_edit.setValue(dataset.path.parent.parent / f"{dataset.path.parent.name}-masks")

    def setReady(self, ready: bool) -> None:
        """Tell whether there is something to write."""
        self._ready = ready
        self._show_state()

    def write(self) -> None:
        """Write `train|valid|test/{images,masks}`."""
        folder = self.folder_edit.value()
        if self._dataset is None or folder is None or self._job is not None:
            return
        self._problems, self._failed = 0, False
        self.progress.setRange(0, 0)
        self._job = _worker.run(
            write_dataset(
                [self._dataset],
                folder,
                valid_fraction=self.valid.value() / 100,
                test_fraction=self.test.value() / 100,
            ),
            on_event=self._on_event,
            on_error=self._on_error,
            on_done=self._on_done,
            name="Writing the data set",
        )
        self.message.setText("Writing …")
        self._show_state()

    def stop(self) -> None:
        """Stop; nothing is left behind."""
        if self._job is not None:
            self._failed = True
            self.message.setText("Stopped; nothing was written.")
            self._job.stop()

    def _build(self) -> None:
        self.folder_edit = PathEdit("folder", "Choose the folder to write to")
        self.valid, self.test = _share(20), _share(0)
        shares = QHBoxLayout()
        for name, box in (("Validation", self.valid), ("Test", self.test)):
            shares.addWidget(QLabel(name))
            shares.addWidget(box, 1)
        self.hint = QLabel()
        self.hint.setWordWrap(True)
        self.hint.hide()
        self.write_button = QPushButton("Write data set")
        self.write_button.setToolTip("Copy the images and write their masks as TIFF, in parts")
        self.stop_button = QPushButton("Stop")
        buttons = QHBoxLayout()
        buttons.addWidget(self.write_button, 1)
        buttons.addWidget(self.stop_button)
        self.progress = QProgressBar()
        self.message = QLabel()
        self.message.setWordWrap(True)
        layout = QFormLayout(self)
        layout.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        layout.addRow("Folder", self.folder_edit)
        layout.addRow(shares)
        for row in (self.hint, buttons, self.progress, self.message):
            layout.addRow(row)

    def _on_event(self, event: ItemDone) -> None:
        self.progress.setRange(0, event.count)
        self.progress.setValue(event.index)
        if event.problem:
            self._problems += 1
        if not self._failed:
            self.message.setText(f"{event.index} of {event.count}: {event.name}")

    def _on_error(self, error: SegmentationError) -> None:
        self._failed = True
        self.message.setText(str(error))

    def _on_done(self) -> None:
        self._job = None
        folder = self.folder_edit.value()
        if not self._failed:
            left_out = f"; {self._problems} images were left out" if self._problems else ""
            self.message.setText(f"Wrote {folder}{left_out}.")
            self.written.emit(folder)
        self._show_state()

    def _show_state(self, _: Any = None) -> None:
        running = self._job is not None
        self.write_button.setEnabled(self._ready and not running and bool(self.folder_edit.value()))
        self.stop_button.setEnabled(running)
        self.progress.setVisible(running)
        self.message.setVisible(bool(self.message.text()))


def _share(value: int) -> QSpinBox:
    box = QSpinBox()
    box.setRange(0, 90)
    box.setSuffix(" %")
    box.setValue(value)
    return box
