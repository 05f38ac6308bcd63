"""The line that changes the score which the results of an open mask need."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple
from weakref import WeakKeyDictionary

import numpy as np
from qtpy.QtCore import QSignalBlocker
from qtpy.QtWidgets import QDoubleSpinBox, QHBoxLayout, QLabel, QWidget
from superqt import QElidingLabel

from napari_unet_seg._napari.files.coco.results.dialog import ResultsChoice, range_of
from napari_unet_seg._napari.files.coco.results.drawing import checksum, draw_results
from napari_unet_seg._napari.layers.conversion import categories_of
from napari_unet_seg._napari.layers.edit_monitor import EditWatch
from napari_unet_seg._napari.layers.instances import is_instances, object_colormap, table_of
from napari_unet_seg._napari.layers.layer_record import record_of
from napari_unet_seg._napari.layers.undoable_edits import replace_slice
from napari_unet_seg._napari.widgets import jobs

if TYPE_CHECKING:
    from collections.abc import Generator

    from napari.layers import Labels
    from pandas import DataFrame

    from napari_unet_seg._napari.files.coco.results.drawing import DrawnLabels

_TIP = "Results of a lower score are left out; Ctrl+Z takes a change back"
_EDITED = "edited, so the score stays"
_EDITED_TIP = "The mask was edited; open the list of results again to choose another score"


class _State(NamedTuple):
    """What a mask was drawn from."""

    threshold: float
    table: DataFrame


class ThresholdBar(QWidget):
    """Draws a mask of a model's results with another threshold, until the mask is edited."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._mask: Labels | None = None
        self._states: WeakKeyDictionary[Labels, dict[int, _State]] = WeakKeyDictionary()
        """By the checksum of the labels: undo and redo lead to labels that were drawn before."""
        self._job: jobs.Job | None = None
        self._edits = EditWatch(self)
        self._edits.edited.connect(self._follow)
        self.threshold = QDoubleSpinBox()
        self.threshold.setSingleStep(0.05)
        self.threshold.setKeyboardTracking(False)
        self.threshold.setToolTip(_TIP)
        self.threshold.valueChanged.connect(self._draw)
        self.count = QElidingLabel()  # a longer text would widen the dock
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(QLabel("Score of at least"))
        layout.addWidget(self.threshold)
        layout.addWidget(self.count, 1)
        self.hide()

    def show_mask(self, mask: Labels | None) -> None:
        """Show the threshold of a mask; hidden for a mask that is not of a model's results."""
        if mask is self._mask:
            return
        self._stop()
        drawn = None if mask is None else record_of(mask).results
        self._mask = None if drawn is None else mask
        self._edits.watch(self._mask)
        self.setVisible(self._mask is not None)
        if mask is not None and drawn is not None:
            first = {drawn.checksum: _State(drawn.threshold, mask.features)}
            self._states.setdefault(mask, first)
            blocker = QSignalBlocker(self.threshold)
            self.threshold.setRange(*range_of(drawn.results))
            blocker.unblock()
            self._follow()

    def _follow(self) -> None:
        """Show what the labels were drawn with: they may be edited, or an undo was made."""
        mask = self._mask
        drawn = None if mask is None else record_of(mask).results
        if mask is None or drawn is None:
            return
        state = self._state(mask)
        self.threshold.setEnabled(state is not None)
        self.threshold.setToolTip(_TIP if state is not None else _EDITED_TIP)
        if state is None:
            self.count.setText(_EDITED)
            return
        blocker = QSignalBlocker(self.threshold)
        self.threshold.setValue(state.threshold)
        blocker.unblock()
        boxes = self._choice(mask).boxes
        number = drawn.results.count(state.threshold, boxes=boxes)
        total = drawn.results.count(float("-inf"), boxes=True)
        self.count.setText(f"{number:,} of {total:,} results")
        if is_instances(mask) and len(mask.features) != len(state.table):
            mask.features = state.table
            if colormap := object_colormap(state.table):
                mask.colormap = colormap

    def _state(self, mask: Labels) -> _State | None:
        """Return what a mask was drawn with; None if it was edited, or its labels renumbered."""
        drawn = record_of(mask).results
        known = () if drawn is None else tuple(c.id for c in drawn.results.dataset.categories)
        ids = tuple(c.id for c in categories_of(mask))
        return self._states[mask].get(checksum(mask.data)) if ids[: len(known)] == known else None

    def _choice(self, mask: Labels) -> ResultsChoice:
        record = record_of(mask)
        boxes = record.coco is not None and record.coco.boxes
        return ResultsChoice(self.threshold.value(), boxes, record.values)

    def _draw(self) -> None:
        self._stop()
        mask = self._mask
        if mask is not None:
            self._job = jobs.run(
                _drawn(mask, self._choice(mask)),
                on_event=self._on_drawn,
                on_done=self._on_done,
                name="Drawing the results",
            )

    def _on_drawn(self, event: tuple[Labels, float, DrawnLabels]) -> None:
        mask, threshold, drawn = event
        if self._state(mask) is None:  # edited meanwhile
            return
        table = table_of(drawn.rows) if is_instances(mask) else mask.features
        self._states[mask][checksum(drawn.labels)] = _State(threshold, table)
        replace_slice(mask, drawn.labels, ())
        self._follow()

    def _on_done(self) -> None:
        self._job = None

    def _stop(self) -> None:
        if self._job is not None:
            self._job.abandon()
            self._job = None


def _drawn(mask: Labels, choice: ResultsChoice) -> Generator[Any, Any, None]:
    record = record_of(mask)
    if record.results is not None and record.coco is not None:
        size = tuple(np.shape(mask.data)[1:])
        drawn = draw_results(record.results.results, record.coco.ids, size, choice)
        yield mask, choice.threshold, drawn
