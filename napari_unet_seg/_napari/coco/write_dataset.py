"""The box of Import COCO that writes a data set of images and masks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from qtpy.QtCore import Signal
from qtpy.QtWidgets import (
    QCheckBox,
    QFormLayout,
    QGroupBox,
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QPushButton,
    QSpinBox,
    QWidget,
)

from napari_unet_seg._napari.widgets import jobs
from napari_unet_seg._napari.widgets.form.path_edit import PathEdit
from napari_unet_seg._napari.widgets.settings import DATASET, remember
from napari_unet_seg._napari.widgets.status_label import StatusLabel
from napari_unet_seg.data.dataset_write import write_dataset
from napari_unet_seg.data.description import read_description
from napari_unet_seg.io.common.counting import counted, was_or_were

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence
    from pathlib import Path

    from napari_unet_seg.errors import SegmentationError
    from napari_unet_seg.events import Command, ItemDone
    from napari_unet_seg.io.coco.read import CocoDataset


class _Written(NamedTuple):
    """The folder of a written data set, and a note on near-copies in it."""

    folder: Path
    note: str


class WriteDatasetBox(QGroupBox):
    """Folder, shares of the splits, buttons and progress of writing a data set."""

    written = Signal(object)
    """Emitted with the data set's folder."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("Write data set for training", parent)
        self._dataset: CocoDataset | None = None
        self._job: jobs.Job | None = None
        self._ready = False
        self._problems = 0
        self._others: tuple[CocoDataset, ...] = ()
        self._boxes = False
        self._build()
        self.write_button.clicked.connect(self.write)
        self.stop_button.clicked.connect(self.stop)
        self.folder_edit.line.textChanged.connect(self._show_state)
        self.with_others.toggled.connect(self._show_state)
        self._show_state()

    def setDataset(
        self, dataset: CocoDataset, others: Sequence[CocoDataset] = (), *, boxes: bool = False
    ) -> None:
        """Choose the COCO data set to write, and propose a folder.

        Parameters
        ----------
        dataset : CocoDataset
            The COCO file that was chosen.
        others : sequence of CocoDataset
            The COCO files of the other splits of the same data set.
        boxes : bool
            Draw annotations that have only a box as a rectangle.
        """
        self._dataset, self._others, self._boxes = dataset, tuple(others), boxes
        names = ", ".join(f"{d.split} ({len(d.images)} images)" for d in others)
        self.with_others.setText(f"With its other splits: {names}")
        self.with_others.setVisible(bool(others))
        self.folder_edit.setValue(_free_folder(dataset))
        self._show_state()

    def setReady(self, ready: bool) -> None:
        """Enable the button if there is something to write."""
        self._ready = ready
        self._show_state()

    def write(self) -> None:
        """Write the images and masks of each split as TIFF."""
        folder = self.folder_edit.value()
        if self._dataset is None or folder is None or self._job is not None:
            return
        self._problems = 0
        self.progress.setRange(0, 0)
        self.message.setText("Writing …")
        shares = (self.valid.value() / 100, self.test.value() / 100)
        self._job = jobs.run(
            _write(self.parts(), folder, *shares, self._boxes),
            on_event=self._on_event,
            on_error=self._on_error,
            on_done=self._on_done,
            name="Writing the data set",
        )
        self._show_state()

    def parts(self) -> list[CocoDataset]:
        """The COCO files that are written together."""
        if self._dataset is None:
            return []
        together = self.with_others.isChecked() and self._others
        return [self._dataset, *(self._others if together else ())]

    def stop(self) -> None:
        """Stop, and delete what was written so far."""
        if self._job is not None:
            self.message.setText("Stopped; nothing was written.")
            self._job.stop()

    def _build(self) -> None:
        tip = "A new or empty folder; training reads the data set from it"
        self.folder_edit = PathEdit("folder", "Choose the folder to write to", tip=tip)
        self.valid = _share(20, "Share of the images on which a running training is measured")
        self.test = _share(0, "Share of the images that no training uses")
        shares = QHBoxLayout()
        for name, box in (("Validation", self.valid), ("Test", self.test)):
            shares.addWidget(QLabel(name))
            shares.addWidget(box, 1)
        self.with_others = QCheckBox()
        self.with_others.setToolTip("Keep the splits of the COCO files instead of a new split")
        self.with_others.setChecked(True)
        self.with_others.hide()
        self.write_button = QPushButton("Write data set")
        self.write_button.setToolTip("Copy the images and write their masks as TIFF, by split")
        self.stop_button = QPushButton("Stop")
        self.stop_button.setToolTip("Stop writing, and delete what was written so far")
        buttons = QHBoxLayout()
        buttons.addWidget(self.write_button, 1)
        buttons.addWidget(self.stop_button)
        self.progress = QProgressBar()
        self.message = StatusLabel()
        layout = QFormLayout(self)
        layout.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        layout.addRow("Folder", self.folder_edit)
        layout.addRow(shares)
        for row in (self.with_others, buttons, self.progress, self.message):
            layout.addRow(row)

    def _on_event(self, event: ItemDone | _Written) -> None:
        if isinstance(event, _Written):
            count = self._problems
            problems = f"; {counted(count, 'image')} {was_or_were(count)} skipped"
            skipped = problems if count else ""
            self.message.setText(f"Wrote {event.folder}{skipped}. {event.note}".rstrip())
            remember(DATASET, str(event.folder))
            self.written.emit(event.folder)
            return
        self.progress.setRange(0, event.count)
        self.progress.setValue(event.index)
        self._problems += bool(event.problem)

    def _on_error(self, error: SegmentationError) -> None:
        self.message.setText(str(error))

    def _on_done(self) -> None:
        self._job = None
        self._show_state()

    def _show_state(self, _: Any = None) -> None:
        running = self._job is not None
        splits_itself = len(self.parts()) < 2
        self.valid.setEnabled(splits_itself)
        self.test.setEnabled(splits_itself)
        self.write_button.setEnabled(self._ready and not running and bool(self.folder_edit.value()))
        self.stop_button.setEnabled(running)
        self.progress.setVisible(running)
        self.message.setVisible(bool(self.message.text()))


def _write(
    parts: Sequence[CocoDataset],
    folder: Path,
    valid_fraction: float,
    test_fraction: float,
    boxes: bool,
) -> Generator[ItemDone | _Written, Command | None, None]:
    written = yield from write_dataset(
        parts, folder, valid_fraction=valid_fraction, test_fraction=test_fraction, boxes=boxes
    )
    if written is not None:
        yield _Written(written, read_description(written).note)


def _free_folder(dataset: CocoDataset) -> Path:
    """Return a folder next to the data set that does not exist yet."""
    above = dataset.path.absolute().parent
    base = above.parent if dataset.split else above
    names = (f"{base.name}-dataset{number or ''}" for number in range(1000))
    return next(base.parent / name for name in names if not (base.parent / name).exists())


def _share(value: int, tip: str) -> QSpinBox:
    box = QSpinBox()
    box.setToolTip(tip)
    box.setRange(0, 90)
    box.setSuffix(" %")
    box.setValue(value)
    return box
