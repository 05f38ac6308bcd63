"""Import COCO: inspect a data set, open it, or write it as masks for training."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from napari.layers import Layer
from qtpy.QtCore import QSignalBlocker, Signal
from qtpy.QtWidgets import (
    QCheckBox,
    QComboBox,
    QFormLayout,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from napari_unet_seg._napari.categories.legend import CategoryLegend
from napari_unet_seg._napari.coco.other_layers import put_aside
from napari_unet_seg._napari.coco.table import CocoTable
from napari_unet_seg._napari.coco.write_dataset import WriteDatasetBox
from napari_unet_seg._napari.files.coco.layers import CocoStack, coco_layers, coco_stacks
from napari_unet_seg._napari.widgets import jobs
from napari_unet_seg._napari.widgets.dock_widget import DockWidget
from napari_unet_seg._napari.widgets.form.path_edit import PathEdit
from napari_unet_seg._napari.widgets.scroll import fill_with_scroll_column
from napari_unet_seg._napari.widgets.settings import recall, remember
from napari_unet_seg._napari.widgets.status_label import StatusLabel
from napari_unet_seg.io.coco.read import CocoDataset, read_coco
from napari_unet_seg.io.coco.report import CocoReport, Overlaps, inspect, overlaps
from napari_unet_seg.io.coco.splits import other_splits

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from napari.viewer import Viewer

    from napari_unet_seg._napari.layers.layer_record import Values
    from napari_unet_seg.errors import SegmentationError


_VALUES = "coco/values"


class Inspected(NamedTuple):
    """A COCO file with the report on it."""

    dataset: CocoDataset
    report: CocoReport
    others: tuple[CocoDataset, ...]
    """The COCO files of the other splits of the same data set."""


class Loaded(NamedTuple):
    """The images and masks of a data set, ready to become layers."""

    dataset: CocoDataset
    stacks: list[CocoStack]


class ImportCocoWidget(DockWidget):
    """Shows the content of a COCO file, opens the file as layers or writes it as a data set.

    Parameters
    ----------
    napari_viewer : napari.Viewer
        The viewer that the layers are added to.
    """

    inspected = Signal(object)
    """Emitted with the report when the table shows it and the data set can be opened."""
    opened = Signal(object)
    """Emitted with the new layers."""

    def __init__(self, napari_viewer: Viewer) -> None:
        super().__init__(napari_viewer)
        self._dataset: CocoDataset | None = None
        self._report: CocoReport | None = None
        self._others: tuple[CocoDataset, ...] = ()
        self._job: jobs.Job | None = None
        self._build()
        self.path_edit.valueChanged.connect(self._on_path)
        self.images_edit.valueChanged.connect(self._inspect)
        self.hide_parent.toggled.connect(self._on_hide)
        self.boxes.toggled.connect(self._inspect)
        self.open_button.clicked.connect(self.open)
        self._show_state()

    def setPath(self, path: Path | str) -> None:
        """Choose a COCO file, as if its path was typed in."""
        self.path_edit.setValue(path)

    def dataset(self) -> CocoDataset | None:
        """The data set as it would be opened; None until a file was inspected."""
        dataset = self._dataset
        if dataset is None or not dataset.hidden or self.hide_parent.isChecked():
            return dataset
        return replace(dataset, categories=(*dataset.hidden, *dataset.categories), hidden=())

    def open(self) -> None:
        """Open the images and masks as layers."""
        dataset = self.dataset()
        if dataset is None or self._job is not None:
            return
        remember(_VALUES, self.values.currentData())
        events = _load(dataset, self.boxes.isChecked(), self.values.currentData())
        self._start(events, self._on_loaded, "Opening", "Drawing the annotations …")

    def _build(self) -> None:
        self._add_paths()
        self._add_choices()
        self.table = CocoTable()
        self.open_button = QPushButton("Open images and masks")
        self.open_button.setToolTip("One stack per image size; a slice is read when it is shown")
        self.status = StatusLabel("Choose a COCO file to list its content.")
        self.legend = CategoryLegend(self.viewer)
        self.write_box = WriteDatasetBox()
        content = QWidget()
        layout = QVBoxLayout(content)
        layout.addLayout(_rows({"Annotations": self.path_edit, "Images": self.images_edit}))
        layout.addWidget(self.status)
        layout.addWidget(self.table, 1)
        layout.addLayout(_rows({"Labels": self.values}))
        for widget in (self.boxes, self.hide_parent, self.open_button, self.legend, self.write_box):
            layout.addWidget(widget)
        fill_with_scroll_column(self, content, minimum_height=280)

    def _add_paths(self) -> None:
        tip = "A COCO file; its content is listed before anything is opened"
        pattern = "COCO annotations (*.json)"
        self.path_edit = PathEdit("file", "Choose a COCO file", pattern, tip=tip)
        self.path_edit.setPlaceholder("annotations.json")
        if last := recall("coco"):
            self.path_edit.start = Path(last)
        tip = "Only needed if the images are not found next to the COCO file"
        self.images_edit = PathEdit("folder", "Choose the folder of the images", tip=tip)
        self.images_edit.setPlaceholder("found automatically")

    def _add_choices(self) -> None:
        self.hide_parent = QCheckBox("Hide the unused parent category")
        self.hide_parent.setToolTip(
            "A category that only groups others gets no label; untick the box to give it a label"
        )
        self.hide_parent.setChecked(True)
        self.hide_parent.hide()
        self.boxes = QCheckBox("Draw boxes where there is no outline")
        self.boxes.setToolTip(
            "Fill the box of an annotation without outline; otherwise the annotation is skipped"
        )
        self.boxes.hide()
        self.values = QComboBox()
        self.values.addItem("one for each category", "classes")
        self.values.addItem("one for each annotation", "instances")
        self.values.setCurrentIndex(max(self.values.findData(recall(_VALUES)), 0))
        self.values.setToolTip(
            "One for each category: for training and correction. One for each annotation: single "
            "objects are separate, with their id and attributes in the status bar."
        )

    def _on_path(self, path: Path | None) -> None:
        # The images of another file lie elsewhere, and it may have outlines.
        blocker = QSignalBlocker(self.boxes)
        self.boxes.setChecked(False)
        blocker.unblock()
        self.boxes.hide()
        self.images_edit.line.clear()
        self._inspect()

    def _inspect(self, _: Any = None) -> None:
        path = self.path_edit.value()
        self._dataset = self._report = None
        self.table.clear()
        if self._job is not None:
            self._job.quit()
        if path is None:
            self._show_state()
            return
        events = _inspect(path, self.images_edit.value(), self.boxes.isChecked())
        name, message = "Reading the annotations", f"Reading {path.name} …"
        self._start(events, self._on_inspected, name, message, then=self._tell_inspected)

    def _start(
        self,
        events: Generator[Any, Any, None],
        on_event: Any,
        name: str,
        message: str,
        then: Callable[[], None] | None = None,
    ) -> None:
        self.status.setText(message)
        job: jobs.Job | None = None

        def done() -> None:
            # A later inspection may have replaced this one.
            if self._job is job:
                self._job = None
                self._show_state()
                if then is not None:
                    then()

        job = jobs.run(events, on_event=on_event, on_error=self._on_error, on_done=done, name=name)
        self._job = job
        self._show_state()

    def _on_inspected(self, event: Inspected) -> None:
        self._dataset, self._report, self._others = event
        remember("coco", str(event.dataset.path))
        only_boxes = any(why == "it has only a box" for _, why in event.report.skipped)
        self.boxes.setVisible(only_boxes or self.boxes.isChecked())
        self.images_edit.setPlaceholder(str(event.dataset.folder))
        self.hide_parent.setVisible(bool(event.dataset.hidden))
        names = ", ".join(category.name for category in event.dataset.hidden)
        self.hide_parent.setText(f"Hide the unused parent category {names}")
        self._show_report()

    def _tell_inspected(self) -> None:
        """Tell so once the data set can be opened, which waits for the end of the job."""
        if self._report is not None:
            self.inspected.emit(self._report)

    def _on_hide(self) -> None:
        if self._report is not None:
            self._show_report()

    def _show_report(self) -> None:
        dataset, report = self.dataset(), self._report
        if dataset is None or report is None:
            return
        counts = {c: report.annotations.get(c, 0) for c in dataset.categories}
        self.table.show_report(dataset, replace(report, annotations=counts))
        self.write_box.setDataset(dataset, self._others, boxes=self.boxes.isChecked())
        usable, total = len(report.usable), len(dataset.images)
        skipped = f", {len(report.skipped)} entries will be skipped" if report.skipped else ""
        self.status.setText(f"{usable} of {total} images can be opened{skipped}.")

    def _on_loaded(self, event: Loaded | Overlaps) -> None:
        if isinstance(event, Overlaps):
            self.status.setText(f"{self.status.text()} {event}".strip())
            return
        layers = [Layer.create(*data) for data in coco_layers(event.dataset, event.stacks)]
        put_aside(self.viewer)
        for layer in layers:
            self.viewer.add_layer(layer)
        self.viewer.dims.current_step = (0,) * self.viewer.dims.ndim
        self.viewer.reset_view()
        names = ", ".join(stack.name for stack in event.stacks)
        self.status.setText(f"Opened {names} with masks.")
        self.opened.emit(layers)

    def _on_error(self, error: SegmentationError) -> None:
        self.status.setText(str(error))

    def _show_state(self) -> None:
        ready = self._dataset is not None and self._job is None
        usable = self._report is not None and bool(self._report.usable)
        self.open_button.setEnabled(ready and usable)
        self.write_box.setReady(ready and usable)


def _rows(fields: dict[str, QWidget]) -> QFormLayout:
    rows = QFormLayout()
    rows.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
    for label, field in fields.items():
        rows.addRow(label, field)
    return rows


def _inspect(path: Path, images: Path | None, boxes: bool) -> Generator[Inspected, Any, None]:
    dataset = read_coco(path, images)
    yield Inspected(dataset, inspect(dataset, boxes=boxes), other_splits(dataset))


def _load(
    dataset: CocoDataset, boxes: bool, values: Values
) -> Generator[Loaded | Overlaps, Any, None]:
    stacks = coco_stacks(dataset, boxes=boxes, values=values)
    yield Loaded(dataset, stacks)
    shown = [dataset.by_id[identity] for stack in stacks for identity in stack.image_ids]
    yield overlaps(dataset, shown, boxes=boxes)
