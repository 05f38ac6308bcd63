"""Train U-Net: choose data and settings, watch the training, use the model."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QEvent, Qt
from qtpy.QtWidgets import (
    QDockWidget,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSplitter,
    QVBoxLayout,
    QWidget,
)

from napari_unet_seg._napari.layers.images.recorder import record_images
from napari_unet_seg._napari.segment.use_button import UseButton
from napari_unet_seg._napari.train.augmented_samples import AugmentedSamples
from napari_unet_seg._napari.train.doubts import ask_about_doubts
from napari_unet_seg._napari.train.panel import TrainingPanel
from napari_unet_seg._napari.train.preview_layers import PreviewLayers
from napari_unet_seg._napari.train.run_folder import RunFolder
from napari_unet_seg._napari.train.settings_bar import SettingsBar
from napari_unet_seg._napari.train.source import SourceBox
from napari_unet_seg._napari.widgets.dock_widget import DockWidget
from napari_unet_seg._napari.widgets.form.form import Form
from napari_unet_seg._napari.widgets.messages import show_error, show_info
from napari_unet_seg._napari.widgets.scroll import ScrollColumn
from napari_unet_seg._napari.widgets.settings import recall, remember
from napari_unet_seg._napari.widgets.windows import ancestor
from napari_unet_seg.config import TrainConfig
from napari_unet_seg.data.samples import SampleSet
from napari_unet_seg.errors import ConfigError, SegmentationError, UnconfirmedError
from napari_unet_seg.events import TrainStarted
from napari_unet_seg.process.training_process import ENGINE, train_in_child
from napari_unet_seg.training.held_out.unchanged import unchanged

if TYPE_CHECKING:
    from pathlib import Path

    from napari.components import ViewerModel

    from napari_unet_seg.events import TrainFinished

_BASIC = (
    "epochs", "batch_size", "learning_rate", "image_size", "augment", "loss", "device",
)  # fmt: skip
_OF_SOURCE = ("sequences",)
"""Settings that the source has an editor for."""
_MORE = tuple(name for name in TrainConfig.model_fields if name not in (*_BASIC, *_OF_SOURCE))


class TrainWidget(DockWidget):
    """Trains a network on a data set or on open layers.

    Parameters
    ----------
    napari_viewer : napari.Viewer
        The viewer whose layers can be trained on and that shows previews.
    engine : str
        The function that trains in the child process, as `module:function`.
    """

    def __init__(self, napari_viewer: ViewerModel, *, engine: str = ENGINE) -> None:
        super().__init__(napari_viewer)
        record_images(self.viewer)
        self._engine = engine
        self._preview = PreviewLayers(self.viewer, self)
        self._finished: TrainFinished | None = None
        self._held_out = 0
        """Number of samples that the last training was measured on."""
        self._doubts = ""
        """Why the masks of the last training can hardly be meant; empty if nothing is asked."""
        self.source = SourceBox(self.viewer)
        self.presets = SettingsBar()
        self.form = Form(TrainConfig, include=_BASIC, more=_MORE)
        self.augmented = AugmentedSamples(self._source_and_config)
        self.output = RunFolder(self.source.name)
        self.start_button = QPushButton("Start training")
        self.start_button.setToolTip("Train in the background; Stop keeps the best model so far")
        self.panel = TrainingPanel(self.viewer)
        self.result = QLabel()
        self.result.setWordWrap(True)
        self.use_button = UseButton()
        self._lay_out()
        self._connect()
        self._recall()

    def value(self) -> TrainConfig:
        """The settings in the form, see `Form.value`, with the sequences of the source."""
        return self.form.value().replace(sequences=self.source.sequences.value())

    def setValue(self, config: TrainConfig) -> None:
        """Show settings."""
        self.source.sequences.setValue(config.sequences)
        self.form.setValue(config.replace(sequences=()))
        self.presets.show_settings(self.form.value())

    def start(self, *, confirmed: bool = False) -> None:
        """Start the training that the form describes.

        Parameters
        ----------
        confirmed : bool
            Whether the user has confirmed masks that can hardly be meant.
        """
        try:
            source, config, run = self.source.value(), self.value(), self.output.usable()
        except SegmentationError as error:
            show_error(str(error))
            return
        remember("train/config", config.model_dump(mode="json"))
        resume = self.output.begin(run)
        self._finished = None
        self.use_button.withdraw()
        self._doubts = ""
        events = train_in_child(
            source, config, run, resume=resume, engine=self._engine, confirmed=confirmed
        )
        self.panel.start(events, "Training")

    def load(self, path: Path) -> None:
        """Show the settings of a file."""
        try:
            self.setValue(TrainConfig.from_file(path))
        except ConfigError as error:
            show_error(str(error))

    def save(self, path: Path) -> None:
        """Write the settings to a file."""
        try:
            self.value().to_file(path)
        except ConfigError as error:
            show_error(str(error))
        except OSError as error:
            show_error(f"{path} cannot be written: {error.strerror}; choose another folder.")

    def event(self, event: QEvent) -> bool:
        """Stop the training when this widget is taken out of its dock.

        The previews are removed then, and when the dock is hidden.
        """
        if event.type() == QEvent.Type.ParentChange and self.parent() is None:
            self.panel.stop()
            self.augmented.clear()
            self._preview.remove()
        elif event.type() == QEvent.Type.Hide and self._is_put_away:
            self._preview.remove()
        return bool(super().event(event))

    @property
    def _is_put_away(self) -> bool:
        """Whether the dock was closed while its training goes on; another tab does not count."""
        dock = ancestor(self, QDockWidget)
        return dock is not None and bool(dock.isHidden())

    def _lay_out(self) -> None:
        self.settings = QWidget()
        top = QVBoxLayout(self.settings)
        top.setContentsMargins(4, 4, 4, 4)
        top.setSpacing(6)
        top.addWidget(self.source)
        top.addWidget(self.presets)
        top.addWidget(self.form)
        top.addWidget(self.augmented)
        top.addWidget(self.output)
        top.addStretch(1)
        splitter = QSplitter(Qt.Orientation.Vertical)
        splitter.setChildrenCollapsible(False)
        splitter.addWidget(ScrollColumn(self.settings))
        splitter.addWidget(self.panel)
        splitter.setSizes([240, 320])
        done = QHBoxLayout()
        done.addWidget(self.result, 1)
        done.addWidget(self.use_button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(4, 4, 4, 4)
        layout.addWidget(splitter, 1)
        layout.addLayout(done)
        layout.addWidget(self.start_button)
        self.panel.hide()
        self.result.hide()

    def _connect(self) -> None:
        self.presets.chosen.connect(self.form.setValue)
        self.presets.load_wanted.connect(self.load)
        self.presets.save_wanted.connect(self.save)
        self.form.valueChanged.connect(self.presets.show_settings)
        self.form.valueChanged.connect(lambda _: self.augmented.clear())
        self.source.valueChanged.connect(self.augmented.clear)
        self.source.valueChanged.connect(self.output.follow_name)
        self.start_button.clicked.connect(lambda: self.start())
        self.panel.event_arrived.connect(self._on_event)
        self.panel.preview.connect(self._on_preview)
        self.panel.finished.connect(self._on_finished)
        self.panel.running_changed.connect(self._on_running)

    def _recall(self) -> None:
        try:
            self.setValue(TrainConfig.parse(recall("train/config", {}), "remembered settings"))
        except ConfigError:
            # Written by another version; the form shows the defaults.
            self.setValue(TrainConfig())
        self.output.recall()

    def _source_and_config(self) -> tuple[Any, TrainConfig]:
        return self.source.value(), self.value()

    def _on_running(self, running: bool) -> None:
        self.settings.setEnabled(not running)
        self.start_button.setEnabled(not running)
        if running:
            self.panel.show()
        else:
            self._preview.remove()
            self.output.offer_resume()  # the training may have failed, or its process died
        self.result.setVisible(self._finished is not None)
        if self._doubts and not running:
            ask_about_doubts(self, self._doubts, on_yes=lambda: self.start(confirmed=True))

    def _on_event(self, event: Any) -> None:
        if isinstance(event, TrainStarted):
            self._held_out = event.valid
        elif isinstance(event, SampleSet):
            self._preview.categories = event.categories
        elif isinstance(event, UnconfirmedError):
            self._doubts = event.doubts

    def _on_preview(self, event: Any) -> None:
        if not self._is_put_away:
            self._preview.show(event)

    def _on_finished(self, event: TrainFinished) -> None:
        self._finished = event
        dice = event.valid_dice
        score = "nothing held out"
        if event.is_unchanged:
            score = unchanged(self._held_out, "sample")
        elif math.isfinite(dice):
            score = f"best validation Dice {dice:.3f} on {self._held_out} held out"
        where = f"The model is {event.best}."
        self.result.setText(where)  # the panel above it shows the score
        self.use_button.offer(event.best)
        show_info(f"{'Stopped' if event.stopped else 'Trained'}: {score}. {where}")
        self.output.finish()
