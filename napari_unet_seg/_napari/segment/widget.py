"""Segment: a button that adds a mask to the chosen image."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QWidget

from napari_unet_seg._napari.layers.edit_monitor import EditWatch
from napari_unet_seg._napari.layers.images.case import sequence_of
from napari_unet_seg._napari.layers.images.channels import show_channel
from napari_unet_seg._napari.layers.position import go_to
from napari_unet_seg._napari.layers.prediction import misfit, show_maps, show_prediction
from napari_unet_seg._napari.segment.chosen_model import last_config
from napari_unet_seg._napari.segment.form import SegmentForm
from napari_unet_seg._napari.segment.model_input import model_input
from napari_unet_seg._napari.segment.other_masks import hide_other_masks
from napari_unet_seg._napari.segment.request import Request, Result, predict, shown_place
from napari_unet_seg._napari.segment.summary import better_model, summary
from napari_unet_seg._napari.widgets import jobs
from napari_unet_seg._napari.widgets.dock_widget import connect
from napari_unet_seg._napari.widgets.messages import show_error, show_warning
from napari_unet_seg._napari.widgets.scroll import fill_with_scroll_column
from napari_unet_seg._napari.widgets.settings import remember
from napari_unet_seg.errors import SegmentationError
from napari_unet_seg.events import DeviceFallback, PredictFinished, PredictStarted, TileDone
from napari_unet_seg.io.common.places import index_at
from napari_unet_seg.process.warm_engine import WarmEngine

if TYPE_CHECKING:
    from napari.layers import Image, Labels
    from napari.viewer import Viewer

    from napari_unet_seg._napari.segment.model_choice import ModelChoice
    from napari_unet_seg._napari.widgets.form.layer_combo import LayerCombo

_CLOSED = "The image was closed; its mask is discarded."


class SegmentWidget(QWidget):
    """Segments an image layer with a model.

    Parameters
    ----------
    viewer : napari.Viewer
        The viewer that gets the masks.
    image_combo : LayerCombo
        The image that is segmented.
    model_choice : ModelChoice
        The model that segments.
    """

    finished = Signal(object)
    """Emitted with the labels layer of the mask; with None after a stop or an error."""
    correct_wanted = Signal(object)
    """Emitted with the mask of the last result, which the user wants to correct."""
    device_known = Signal(str)
    """Emitted with the device that the network runs on."""

    def __init__(self, viewer: Viewer, image_combo: LayerCombo, model_choice: ModelChoice) -> None:
        super().__init__()
        self.viewer = viewer
        self._engine = WarmEngine()
        self._is_warm = False
        self._job: jobs.Job | None = None
        self._request: Request | None = None
        self._has_outcome = False
        """Whether the job has delivered a mask or an error."""
        self._mask: Labels | None = None
        self._last: Labels | None = None
        """The mask of the last result."""
        self._edits = EditWatch(self)
        self._masks: WeakKeyDictionary[Image, Labels] = WeakKeyDictionary()
        self.form = SegmentForm(viewer, image_combo, model_choice)
        fill_with_scroll_column(self, self.form, minimum_height=280)
        self.form.config_form.setValue(last_config())
        self._connect()
        self.form.show_running(False)

    def warm_up(self) -> None:
        """Load the network now and whenever another one is chosen, before it is needed."""
        if not self._is_warm:
            self._is_warm = True
            self.form.model_choice.valueChanged.connect(self._warm_up)
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
        self.form.result.hide()
        self.form.status.setText("Starting the network …")
        self.form.show_progress(0, 0)
        self._job = jobs.run(
            predict(self._engine, request),
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
        self.form.result.correct_button.clicked.connect(self._on_correct)
        self._edits.edited.connect(self._on_edited)
        connect(self, (self.viewer.layers.events.removed, self._on_removed))
        engine = self._engine
        self.destroyed.connect(lambda: engine.close())

    def _warm_up(self, _: Any = None) -> None:
        self._engine.warm_up(
            self.form.config_form.value(), self.form.model_choice.value(), self._on_ready
        )

    def _on_ready(self, started: PredictStarted) -> None:
        with suppress(RuntimeError):  # the dock may be deleted by now
            self.device_known.emit(started.device)

    def _make_request(self, image: Image) -> Request:
        info = self.form.model_choice.info()
        taken = model_input(image, self.form.channels.value(), info)
        place = () if self.form.whole() else shown_place(self.viewer, image)
        config = self.form.config_form.value()
        remember("predict", config.model_dump(mode="json"))
        return Request(image, taken, place, config, self.form.model_choice.value())

    def _on_event(self, event: Any) -> None:
        if isinstance(event, PredictStarted):
            self.device_known.emit(event.device)
            self.form.status.setText(f"Segmenting on {event.device}, {event.precision} …")
            self.form.show_progress(0, event.count)
        elif isinstance(event, TileDone):
            self.form.show_progress(event.index, event.count)
        elif isinstance(event, DeviceFallback):
            self.form.status.setText(event.message)
            show_warning(event.message)
        elif isinstance(event, Result):
            self._show(event)

    def _show(self, result: Result) -> None:
        request, prediction = self._request, result.prediction
        self._has_outcome = True
        if request is None or request.image not in self.viewer.layers:
            self.form.status.setText(_CLOSED)
            return
        present = self._masks.get(request.image)
        self._edits.watch(present)
        try:
            mask = show_prediction(
                self.viewer,
                request.image,
                present,
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
        self._mask = self._masks[request.image] = self._last = mask
        show_channel(self.viewer, request.image)
        show_maps(self.viewer, request.image, mask, prediction, request.place)
        notes = () if mask is present else self._why_another(present, request, prediction)
        better = better_model(request.checkpoint, sequence_of(request.image))
        sentences = filter(None, (*result.notes, *notes, better))
        self.form.status.setText(summary(prediction, tuple(sentences)))
        self.form.result.show_findings(result.findings)
        if mask is present:
            self._edits.settle()
        else:
            self._edits.watch(mask)
        hidden = [] if mask is present else hide_other_masks(self.viewer, mask, request.image)
        self.form.result.offer_hidden(hidden)
        if not request.place and result.findings.place:
            index = index_at(result.findings.place, mask.data.shape[:-2])
            go_to(self.viewer, mask, index)

    def _why_another(
        self, present: Labels | None, request: Request, prediction: PredictFinished
    ) -> tuple[str, ...]:
        """Return a sentence on why the prediction is a mask beside the one of the image, if so."""
        if present is None or present not in self.viewer.layers:
            return ()
        reason = misfit(present, request.place, prediction.categories)
        return (f"A new mask was made, because {present.name} {reason}.",) if reason else ()

    def _on_correct(self) -> None:
        if self._last is not None:
            self.correct_wanted.emit(self._last)

    def _on_error(self, error: SegmentationError) -> None:
        self._has_outcome = True
        self.form.status.setText(str(error))

    def _show_error(self, error: SegmentationError) -> None:
        self.form.status.setText(str(error))
        show_error(str(error))

    def _on_removed(self, event: Any) -> None:
        """Stop segmenting an image that was closed, so that another one can be segmented."""
        if event.value is self._last:
            self._last = None
            self._edits.watch(None)
            self.form.result.hide()
            self.form.status.setText("")
        request = self._request
        if request is not None and event.value.unique_id == request.image.unique_id:
            self.stop()

    def _on_edited(self) -> None:
        self.form.result.show_edited()
        if self._job is None:
            self.form.status.setText("")

    def _on_done(self) -> None:
        job, self._job = self._job, None
        request, self._request = self._request, None
        if job is not None and job.was_stopped and not self._has_outcome:
            closed = request is not None and request.image not in self.viewer.layers
            self.form.status.setText(_CLOSED if closed else "Stopped.")
        self.form.show_running(False)
        mask, self._mask = self._mask, None
        self.finished.emit(mask)
