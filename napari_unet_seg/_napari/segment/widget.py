"""Segment: a button that adds a mask to the chosen image."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import numpy as np
from napari.utils.notifications import show_error, show_warning
from qtpy.QtCore import Qt, Signal
from qtpy.QtGui import QKeySequence
from qtpy.QtWidgets import QShortcut

from napari_unet_seg._napari.layers.channels import show_channel
from napari_unet_seg._napari.layers.conversion import scan_from_layer
from napari_unet_seg._napari.layers.geometry import is_on_screen, viewer_point
from napari_unet_seg._napari.layers.images.recorder import ImageRecorder
from napari_unet_seg._napari.layers.layer_record import ModelFile
from napari_unet_seg._napari.layers.prediction import checksums, show_maps, show_prediction
from napari_unet_seg._napari.segment.chosen_model import last_config
from napari_unet_seg._napari.segment.form import SHORTCUT, SegmentForm
from napari_unet_seg._napari.widgets import jobs
from napari_unet_seg._napari.widgets.dock_widget import DockWidget, connect
from napari_unet_seg._napari.widgets.scroll import fill_with_scroll_column
from napari_unet_seg._napari.widgets.settings import remember
from napari_unet_seg.errors import DataError, SegmentationError
from napari_unet_seg.events import DeviceFallback, PredictFinished, PredictStarted, TileDone
from napari_unet_seg.io.hashing import sha256_once
from napari_unet_seg.process.warm_engine import WarmEngine

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

    from napari.layers import Image, Labels
    from napari.viewer import Viewer

    from napari_unet_seg.config import PredictConfig
    from napari_unet_seg.io.common.places import Place
    from napari_unet_seg.io.common.scan import Scan

_CLOSED = "The image was closed; its mask is discarded."


@dataclass(frozen=True, slots=True, eq=False)
class _Request:
    """The input of one prediction."""

    image: Image
    scan: Scan
    place: Place
    config: PredictConfig
    checkpoint: Path


@dataclass(frozen=True, slots=True, eq=False)
class _Result:
    prediction: PredictFinished
    model: ModelFile
    sums: dict[Place, int]
    summary: str


class SegmentWidget(DockWidget):
    """Segments an image layer with a model.

    Parameters
    ----------
    napari_viewer : napari.Viewer
        The viewer whose active image layer is segmented, and which gets the masks.
    """

    finished = Signal(object)
    """Emitted with the labels layer of the mask; with None after a stop or an error."""

    def __init__(self, napari_viewer: Viewer) -> None:
        super().__init__(napari_viewer)
        self._engine = WarmEngine()
        self._job: jobs.Job | None = None
        self._request: _Request | None = None
        self._has_outcome = False
        """Whether the job has delivered a mask or an error."""
        self._mask: Labels | None = None
        self._masks: WeakKeyDictionary[Image, Labels] = WeakKeyDictionary()
        ImageRecorder(napari_viewer, self)
        self.form = SegmentForm(napari_viewer)
        fill_with_scroll_column(self, self.form, minimum_height=280)
        self.form.config_form.setValue(last_config())
        self._connect()
        self.form.show_running(False)
        self._warm_up()

    def segment_layer(self, layer: Image | None = None) -> None:
        """Segment a layer, by default the chosen one; `finished` is emitted at the end."""
        if layer is not None:
            self.form.image_combo.setLayer(layer)
        image = self.form.image_combo.layer()
        if self._job is not None or image is None:
            return
        try:
            request = self._make_request(image)
        except SegmentationError as error:
            self._show_error(error)
            return
        self._request, self._mask, self._has_outcome = request, None, False
        self.form.status.setText("Starting the network …")
        self.form.show_progress(0, 0)
        self._job = jobs.run(
            self._predict(request),
            on_event=self._on_event,
            on_error=self._on_error,
            on_done=self._on_done,
            name="Segmenting",
        )
        self.form.show_running(True)

    def stop(self) -> None:
        """Stop at the next tile; no layer is changed."""
        if self._job is not None:
            self.form.status.setText("Stopping …")
            self._job.stop()

    def _connect(self) -> None:
        self.form.segment_button.clicked.connect(lambda: self.segment_layer())
        self.form.stop_button.clicked.connect(self.stop)
        self.form.model_choice.valueChanged.connect(self._warm_up)
        shortcut = QShortcut(QKeySequence(SHORTCUT), self)
        shortcut.setContext(Qt.ShortcutContext.ApplicationShortcut)
        shortcut.activated.connect(lambda: self.segment_layer())
        connect(self, (self.viewer.layers.events.removed, self._on_removed))
        engine = self._engine
        self.destroyed.connect(lambda: engine.close())

    def _warm_up(self, _: Any = None) -> None:
        self._engine.warm_up(self.form.config_form.value(), self.form.model_choice.value())

    def _make_request(self, image: Image) -> _Request:
        scan = scan_from_layer(image)
        place = () if self.form.whole() else shown_place(self.viewer, image)
        config = self.form.config_form.value()
        self.form.model_choice.info()
        remember("predict", config.model_dump(mode="json"))
        return _Request(image, scan, place, config, self.form.model_choice.value())

    def _predict(self, request: _Request) -> Generator[Any, Any, None]:
        """Yield the engine's events, the last one as `_Result`; runs in a thread."""
        model = ModelFile(str(request.checkpoint), sha256_once(request.checkpoint))
        events = self._engine.predict(
            request.config, request.checkpoint, request.scan, request.place
        )
        command = None
        try:
            while True:
                event = events.send(command)
                if isinstance(event, PredictFinished):
                    sums = checksums(event.labels, request.place)
                    command = yield _Result(event, model, sums, _summary(event))
                else:
                    command = yield event
        except StopIteration:
            return
        finally:
            events.close()

    def _on_event(self, event: Any) -> None:
        if isinstance(event, PredictStarted):
            self.form.status.setText(f"Segmenting on {event.device}, {event.precision} …")
            self.form.show_progress(0, event.count)
        elif isinstance(event, TileDone):
            self.form.show_progress(event.index, event.count)
        elif isinstance(event, DeviceFallback):
            self.form.status.setText(event.message)
            show_warning(event.message)
        elif isinstance(event, _Result):
            self._show(event)

    def _show(self, result: _Result) -> None:
        request, prediction = self._request, result.prediction
        self._has_outcome = True
        if request is None or request.image not in self.viewer.layers:
            self.form.status.setText(_CLOSED)
            return
        try:
            self._mask = show_prediction(
                self.viewer,
                request.image,
                self._masks.get(request.image),
                prediction.labels,
                prediction.categories,
                request.place,
                result.sums,
                result.model,
                prediction.dice,
            )
        except SegmentationError as error:
            self._show_error(error)
            return
        self._masks[request.image] = self._mask
        show_channel(self.viewer, request.image)
        show_maps(self.viewer, request.image, self._mask, prediction, request.place)
        self.form.status.setText(result.summary)

    def _on_error(self, error: SegmentationError) -> None:
        self._has_outcome = True
        self.form.status.setText(str(error))

    def _show_error(self, error: SegmentationError) -> None:
        self.form.status.setText(str(error))
        show_error(str(error))

    def _on_removed(self, event: Any) -> None:
        """Stop segmenting an image that was closed, so that another one can be segmented."""
        request = self._request
        if request is not None and event.value.unique_id == request.image.unique_id:
            self.stop()

    def _on_done(self) -> None:
        job, self._job = self._job, None
        request, self._request = self._request, None
        if job is not None and job.was_stopped and not self._has_outcome:
            closed = request is not None and request.image not in self.viewer.layers
            self.form.status.setText(_CLOSED if closed else "Stopped.")
        self.form.show_running(False)
        mask, self._mask = self._mask, None
        self.finished.emit(mask)


def shown_place(viewer: Viewer, image: Image) -> Place:
    """Return the index of the slice on screen, along all axes but the last two.

    Raises
    ------
    DataError
        If no slice of the image is on screen.
    """
    if not is_on_screen(viewer, image):
        raise DataError(
            f"No slice of {image.name} is on screen; go to one of its slices, or segment all."
        )
    return tuple(round(index) for index in viewer_point(viewer, image)[:-2])


def _summary(prediction: PredictFinished) -> str:
    planes = prediction.labels.reshape(-1, math.prod(prediction.labels.shape[-2:]))
    counts = [
        sum(int(np.count_nonzero(plane == value)) for plane in planes)
        for value in range(len(prediction.categories) + 1)
    ]
    found = [
        f"{category.name} {counts[value]:,} pixels"
        for value, category in enumerate(prediction.categories, 1)
        if counts[value]
    ]
    what = ", ".join(found) or "nothing found"
    fit = f"predicted Dice {prediction.dice.min():.2f}"
    if prediction.dice.size > 1:
        fit += f"…{prediction.dice.max():.2f}"
    return f"{what} · {fit} · {prediction.seconds:.1f} s on {prediction.device}"
