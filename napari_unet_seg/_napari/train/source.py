"""The source of a training's samples: a data set's folder, or open layers."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from napari.layers import Labels
from qtpy.QtCore import Signal
from qtpy.QtWidgets import QCheckBox, QFormLayout, QVBoxLayout, QWidget

from napari_unet_seg._napari.layers.conversion import categories_of, is_user_layer, scan_from_layer
from napari_unet_seg._napari.layers.images.case import case_of, sequence_of
from napari_unet_seg._napari.layers.images.combo import MaskImageCombo
from napari_unet_seg._napari.layers.images.turned_mask import labels_on
from napari_unet_seg._napari.layers.instances import is_instances, object_categories
from napari_unet_seg._napari.segment.model_input import channels_for, sequences_beside
from napari_unet_seg._napari.train.folder_plan import FolderPlan
from napari_unet_seg._napari.train.sequence_edit import SequenceEdit
from napari_unet_seg._napari.widgets.form.fitted_tabs import FittedTabs
from napari_unet_seg._napari.widgets.form.layer_combo import LayerCombo
from napari_unet_seg._napari.widgets.form.path_edit import PathEdit
from napari_unet_seg._napari.widgets.settings import DATASET, recall, remember
from napari_unet_seg.config import IGNORE_INDEX, Category, NormaliseConfig, numbered_categories
from napari_unet_seg.data.dataset import open_dataset, sequences_of
from napari_unet_seg.data.samples import SampleSet
from napari_unet_seg.data.scan_samples import samples_from_scan, volume_sample
from napari_unet_seg.errors import DataError
from napari_unet_seg.io.common.grids.placement import misplacement
from napari_unet_seg.io.common.stacking import listed, stack
from napari_unet_seg.io.masks.labels import to_classes
from napari_unet_seg.io.masks.values import meant_labels

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from napari.components import ViewerModel
    from napari.layers import Image

    from napari_unet_seg.data.samples import Sample
    from napari_unet_seg.io.common.scan import Scan

_DEFAULT = NormaliseConfig()
_MAX_CLASSES = 20
"""Without categories, labels up to this value are classes; higher labels are instances."""


@dataclass(frozen=True, slots=True)
class FolderSource:
    """A data set on disk."""

    folder: Path
    sequences: tuple[str, ...] = ()
    """Sequences of the cases that are the channels."""

    def read(self, dimensions: int, normalise: NormaliseConfig = _DEFAULT) -> SampleSet:
        """Read the list of samples of the data set, or of the cases in the folder."""
        return open_dataset(self.folder, dimensions, self.sequences)


@dataclass(frozen=True, slots=True, eq=False)
class LayerSource:
    """A copy of an image layer and its labels, made when the training starts."""

    name: str
    scan: Scan
    labels: np.ndarray[Any, Any]
    categories: tuple[Category, ...]
    only_labelled: bool
    note: str = ""
    """Sentence on labels that lie elsewhere than the image."""
    sequences: Mapping[str, Scan] = field(default_factory=dict)
    """Scans of the sequences that are the channels, by name; empty for a scan without a name."""

    def read(self, dimensions: int, normalise: NormaliseConfig = _DEFAULT) -> SampleSet:
        """Return the slices of the scan as samples, or in 3-D the scan as one volume."""
        slices = None
        if self.only_labelled:
            held = (self.labels != 0) & (self.labels != IGNORE_INDEX)
            slices = np.flatnonzero(held.reshape(-1, *held.shape[-2:]).any(axis=(1, 2))).tolist()
            if not slices:
                raise DataError(
                    f"The labels layer {self.name} holds no labels; paint some, or choose another."
                )
        alone = all(scan is self.scan for scan in self.sequences.values())
        scan = self.scan if alone else stack(self.sequences, self.scan)
        each = normalise.per_channel or len(self.sequences) > 1
        normalise = normalise.replace(per_channel=each)
        if dimensions == 3:
            samples: tuple[Sample, ...] = (volume_sample(scan, self.labels, slices, normalise),)
        else:
            samples = samples_from_scan(scan, self.labels, slices, normalise)
        notes = (*filter(None, [self.note]), *(() if alone else scan.meta["notes"]))
        names = tuple(self.sequences)
        return SampleSet(samples, self.categories, self.name, notes=notes, sequences=names)


def source_from_layers(
    image: Image,
    labels: Labels,
    *,
    only_labelled: bool,
    sequences: Sequence[Image] = (),
) -> LayerSource:
    """Copy the image, the labels and the categories of two layers; call on the main thread.

    Parameters
    ----------
    image, labels : Image, Labels
        The layers, on one grid.
    only_labelled : bool
        Whether slices without labels are left out.
    sequences : sequence of Image
        The images of the sequences that are the channels; empty for the image alone.

    Raises
    ------
    DataError
        If the layers differ in shape, or the labels hold values that are no classes.
    """
    turned = labels_on(labels, image)
    array = np.array(turned.data)
    categories = categories_of(labels)
    if is_instances(labels):
        array = to_classes(array, object_categories(labels.features, categories), categories)
    elif not categories:
        array = meant_labels(array, f"The labels layer {labels.name}")
    seen = np.unique(array)
    top = int(seen[seen != IGNORE_INDEX].max(initial=0))
    if not categories and top <= _MAX_CLASSES:
        categories = numbered_categories(max(top, 1))
    if top > len(categories) or seen.min(initial=0) < 0:
        raise DataError(
            f"The labels layer {labels.name} holds the value {top}, for which there is no "
            "category; use values from 1 for the classes, and 0 for the background."
        )
    scan = scan_from_layer(image)
    if array.shape != scan.grid_shape:
        raise DataError(
            f"The labels layer {labels.name} is of shape {array.shape} and the image "
            f"{image.name} of {scan.grid_shape}; choose two that belong together."
        )
    apart = misplacement(scan, turned)
    note = apart and f"{labels.name} and {image.name} have one grid, but {apart}."
    scans = {
        sequence_of(layer): scan if layer is image else scan_from_layer(layer)
        for layer in sequences or [image]
    }
    named = {name: scan for name, scan in scans.items() if name}
    return LayerSource(labels.name, scan, array, categories, only_labelled, note, named)


class SourceBox(QWidget):
    """The choice between a data set's folder and open layers."""

    valueChanged = Signal()

    def __init__(self, viewer: ViewerModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._viewer = viewer
        tip = (
            "A folder of patients with masks: slices, volumes, BraTS, nnU-Net, BIDS, DICOM; or "
            "with images and masks, also in train and valid"
        )
        self.folder = PathEdit("folder", "Choose a data set's folder", tip=tip)
        self.folder.setPlaceholder("patients, or images and masks")
        self.plan = FolderPlan()
        self.labels = LayerCombo(viewer, lambda layer: is_user_layer(layer, Labels))
        self.image = MaskImageCombo(viewer, self.labels)
        self.image.setToolTip("The image that the network learns from: that of the labels")
        self.labels.setToolTip("The mask of the image, which the network learns to draw")
        self.only_labelled = QCheckBox("Only slices that hold labels")
        self.only_labelled.setToolTip("A slice without any label would count as background")
        self.only_labelled.setChecked(True)
        self.tabs = FittedTabs()
        self.tabs.addTab(_page(("Folder", self.folder), ("", self.plan)), "Data set")
        page = _page(("Image", self.image), ("Labels", self.labels), ("", self.only_labelled))
        self.tabs.addTab(page, "Open layers")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.tabs)
        self.sequences = SequenceEdit(self._sequences_of_source)
        rows = QFormLayout()
        rows.addRow("Sequences", self.sequences)
        layout.addLayout(rows)
        self.folder.valueChanged.connect(self.plan.show_folder)
        self.plan.corrected.connect(self.valueChanged)
        self.folder.setValue(recall(DATASET))
        for signal in (self.folder.valueChanged, self.image.layerChanged, self.labels.layerChanged):
            signal.connect(lambda *_: self.valueChanged.emit())
        self.tabs.currentChanged.connect(lambda *_: self.valueChanged.emit())
        self.sequences.valueChanged.connect(self.valueChanged)

    def name(self) -> str:
        """Return the name of the chosen folder, or of the case of the chosen layers."""
        folder, image = self.folder.value(), self.image.layer()
        if self.tabs.currentIndex() == 0:
            return folder.name if folder is not None else ""
        return case_of(image) if image is not None else ""

    def value(self) -> FolderSource | LayerSource:
        """The chosen source; layers are copied, because the user may edit them further.

        Raises
        ------
        DataError
            If nothing is chosen, or the chosen layers cannot be used.
        """
        if self.tabs.currentIndex() == 0:
            return self._folder()
        image, labels = self.image.layer(), self.labels.layer()
        if image is None or labels is None:
            raise DataError("No image and labels layer are chosen; choose both, or use a data set.")
        only_labelled = self.only_labelled.isChecked()
        images = self._chosen_images(image)
        return source_from_layers(image, labels, only_labelled=only_labelled, sequences=images)

    def _chosen_images(self, image: Image) -> list[Image]:
        """Return the images of the case of an image that show the chosen sequences."""
        shown = channels_for(image, self._viewer.layers, self.sequences.value())
        missing = [name for name, layer in shown.items() if layer is None]
        if missing:
            raise DataError(
                f"No open image of the case {case_of(image)} shows {listed(missing)}; open it, or "
                "leave it out of the sequences."
            )
        return [layer for layer in shown.values() if layer is not None]

    def _sequences_of_source(self) -> Callable[[], Sequence[str]]:
        """Return a function that lists the names of the sequences of the present source."""
        image, folder = self.image.layer(), self.folder.value()
        if self.tabs.currentIndex() == 0:
            return lambda: () if folder is None else sequences_of(folder)
        names = () if image is None else sequences_beside(image, self._viewer.layers)
        return lambda: names

    def _folder(self) -> FolderSource:
        folder = self.folder.value()
        if folder is None:
            raise DataError("No data set is chosen; choose its folder, or use open layers.")
        remember(DATASET, str(folder))
        return FolderSource(folder, self.sequences.value())


def _page(*rows: tuple[str, QWidget]) -> QWidget:
    page = QWidget()
    layout = QFormLayout(page)
    layout.setContentsMargins(6, 6, 6, 6)
    layout.setVerticalSpacing(4)
    for text, widget in rows:
        layout.addRow(text, widget)
    return page
