"""The form of the Segment widget: choices, one button and the progress."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtWidgets import (
    QComboBox,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from napari_unet_seg._napari.categories.legend import CategoryLegend
from napari_unet_seg._napari.layers.layer_record import record_of
from napari_unet_seg._napari.segment.channel_choice import ChannelChoice
from napari_unet_seg._napari.segment.result_card import ResultCard
from napari_unet_seg._napari.widgets.form.form import Form
from napari_unet_seg._napari.widgets.keys import label_of
from napari_unet_seg._napari.widgets.status_label import StatusLabel
from napari_unet_seg.config import PredictConfig
from napari_unet_seg.errors import CheckpointError

if TYPE_CHECKING:
    from napari.layers import Image
    from napari.viewer import ViewerModel

    from napari_unet_seg._napari.segment.model_choice import ModelChoice
    from napari_unet_seg._napari.widgets.form.layer_combo import LayerCombo

_SHOWN = (
    "threshold",
    "remove_small",
    "carry",
    "inside_brain",
    "views",
    "probabilities",
    "uncertainty",
    "disagreement",
)
_MORE = (
    "small",
    "across",
    "resample",
    "overlap",
    "batch_size",
    "device",
    "precision",
    "threads",
)
"""Settings of a prediction that are shown, and those that unfold."""


class SegmentForm(QWidget):
    """The controls of the Segment widget; the widget connects them."""

    def __init__(
        self, viewer: ViewerModel, image_combo: LayerCombo, model_choice: ModelChoice
    ) -> None:
        super().__init__()
        self.image_combo, self.model_choice = image_combo, model_choice
        self.extent_combo = QComboBox()
        self.extent_combo.setToolTip("Segment all slices of the image, or the slice on screen")
        self.model_text = QLabel()
        self.model_text.setWordWrap(True)
        self.channels = ChannelChoice(viewer, self.image_combo)
        self.config_form = Form(
            PredictConfig,
            include=_SHOWN,
            more=_MORE,
        )
        self.segment_button = QPushButton("Segment")
        self.segment_button.setToolTip(f"Segment the chosen image ({label_of('segment')})")
        self.segment_button.setMinimumHeight(40)
        font = self.segment_button.font()
        font.setBold(True)
        font.setPointSizeF(font.pointSizeF() * 1.2)
        self.segment_button.setFont(font)
        self.stop_button = QPushButton("Stop")
        self.stop_button.setMinimumHeight(40)
        self.stop_button.setToolTip("Stop; no layer is changed")
        self.progress = QProgressBar()
        self.status = StatusLabel()
        self.result = ResultCard()
        self.legend = CategoryLegend(viewer)
        self._running = False
        self._lay_out()
        self.image_combo.layerChanged.connect(self._show_extents)
        self._show_extents(self.image_combo.layer())
        self.model_choice.valueChanged.connect(self._show_model)
        self._show_model()

    def whole(self) -> bool:
        """Whether all slices are to be segmented, not only the slice on screen."""
        return self.extent_combo.currentData() is not False

    def setWhole(self, whole: bool) -> None:
        """Choose all slices or the slice on screen, if the image has several."""
        self.extent_combo.setCurrentIndex(self.extent_combo.findData(whole))

    def show_progress(self, done: int, count: int) -> None:
        """Show how many of `count` tiles or slices are done; a `count` of 0 means unknown."""
        self.progress.setRange(0, count)
        self.progress.setValue(done)

    def show_running(self, running: bool) -> None:
        """Enable the controls that can be used while a prediction runs, or none runs."""
        self._running = running
        self._enable_button()
        self.stop_button.setEnabled(running)
        self.progress.setVisible(running)
        self.image_combo.setEnabled(not running and not self.image_combo.is_held)
        for editor in (self.extent_combo, self.model_choice, self.channels, self.config_form):
            editor.setEnabled(not running)

    def _lay_out(self) -> None:
        rows = QFormLayout()
        rows.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        self._extent_label = QLabel("Slices")
        rows.addRow(self._extent_label, self.extent_combo)
        rows.addRow(self.model_text)
        rows.addRow(self.channels)
        buttons = QHBoxLayout()
        buttons.addWidget(self.segment_button, 3)
        buttons.addWidget(self.stop_button, 1)
        layout = QVBoxLayout(self)
        layout.addLayout(rows)
        layout.addLayout(buttons)
        for widget in (
            self.progress,
            self.result,
            self.status,
            self.legend,
            self.config_form,
        ):
            layout.addWidget(widget)
        layout.addStretch(1)

    def _show_model(self, _: object = None) -> None:
        self.model_text.setText(self.model_choice.description())
        try:
            self.channels.show_model(self.model_choice.info())
        except CheckpointError:
            self.channels.show_model(None)

    def _show_extents(self, layer: Image | None) -> None:
        several = layer is not None and layer.ndim > 2
        self.extent_combo.clear()
        if layer is not None and several:
            independent = _independent(layer)
            kind = "images" if independent else "slices"
            count = int(layer.data.shape[0]) if layer.ndim == 3 and not layer.multiscale else 0
            self.extent_combo.addItem(f"All {count or ''} {kind}".replace("  ", " "), True)
            self.extent_combo.addItem(f"Only the {kind[:-1]} that is shown", False)
            # A volume is read as a whole; in a data set each image is independent.
            self.setWhole(not independent)
        self.extent_combo.setVisible(several)
        self._extent_label.setVisible(several)
        self._enable_button()

    def _enable_button(self) -> None:
        self.segment_button.setEnabled(not self._running and self.image_combo.layer() is not None)


def _independent(layer: Image) -> bool:
    record = record_of(layer)
    return record.independent or (record.scan is not None and "N" in record.scan.axes)
