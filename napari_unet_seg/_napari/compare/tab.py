"""The tab in which two masks are compared, on a slice or on the whole scan."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import Signal
from superqt.utils import qthrottled

from napari_unet_seg._napari.compare.comparison import (
    COLOURS,
    PREDICTION,
    ComparisonRequest,
    Outlines,
    compare,
    mask_of_layer,
    mask_of_prediction,
    misplacement,
    plane_title,
)
from napari_unet_seg._napari.compare.form import CompareForm
from napari_unet_seg._napari.files.save_dialog import SaveDialog
from napari_unet_seg._napari.layers.edit_monitor import EditMonitor
from napari_unet_seg._napari.layers.images.owner import are_of_one_image
from napari_unet_seg._napari.layers.overlay import Overlay
from napari_unet_seg._napari.layers.position import off_screen_problem, shown_part
from napari_unet_seg._napari.widgets import jobs
from napari_unet_seg._napari.widgets.dock_widget import connect
from napari_unet_seg._napari.widgets.messages import show_error
from napari_unet_seg.errors import SegmentationError
from napari_unet_seg.events import ItemDone
from napari_unet_seg.io.common.counting import counted

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari.layers import Labels
    from napari.viewer import ViewerModel
    from qtpy.QtWidgets import QWidget

    from napari_unet_seg._napari.session.open_session import OpenSession
    from napari_unet_seg._napari.widgets.form.layer_combo import LayerCombo
    from napari_unet_seg.evaluation.compare import MaskComparison
    from napari_unet_seg.evaluation.mask_pairs import NamedMask

NAME = "contours"
_REFRESH_MS = 150


class CompareTab(CompareForm):
    """Compares two masks of one scan: contours on screen, scores in a table.

    Parameters
    ----------
    viewer : napari.Viewer
        The viewer whose labels layers can be chosen.
    """

    compared = Signal(object)
    """Emitted with the `MaskComparison` that the table shows."""

    def __init__(self, viewer: ViewerModel, parent: QWidget | None = None) -> None:
        super().__init__(viewer, parent)
        self._viewer = viewer
        self._open_session: OpenSession | None = None
        self._monitors: list[EditMonitor] = []
        self._job: jobs.Job | None = None
        self._waiting: list[Callable[[], None]] = []
        self._part = ""
        self._shown: tuple[MaskComparison, str] | None = None
        self._overlay: Overlay | None = None
        self._compare_slice_soon = qthrottled(
            self.compare_slice, timeout=_REFRESH_MS, leading=False, parent=self
        )
        self._connect()
        self._on_list()
        self._on_choice()

    def show_session(self, open_session: OpenSession | None) -> None:
        """Offer the prediction of an open session, and compare the session's mask with it."""
        self._open_session = open_session
        self.contours.setChecked(False)
        for combo in (self.a, self.b):
            combo.setNoLayerText(PREDICTION if open_session else "")
        if open_session is not None:
            self.b.setLayer(open_session.mask)
            open_session.predicted_again.connect(self._on_edit)

    def compare_slice(self) -> None:
        """Outline and measure the slice on screen, if contours or scores are shown."""
        if self._shown is None or not self.whole:
            self._take_edits()  # the table shows no whole scan that these edits could outdate
        scores = not self.whole and not self.isHidden()
        layer, masks = self._reference(), self._masks()
        if layer is None or masks is None or not (scores or self.contours.isChecked()):
            return
        if self._job is not None:
            self._after_job(self.compare_slice)
            return
        a, b = (mask.scan.grid_shape for mask in masks)
        # Different grids are reported first, by `compare`.
        if a == b and (problem := off_screen_problem(self._viewer, layer)):
            if scores:
                self._show(None)
                self.status.setText(problem)
            return
        place = shown_part(self._viewer, layer)
        if scores:
            self._part = plane_title(masks[1].scan, place)
        self._start(ComparisonRequest(*masks, place, scores, self.contours.isChecked()))

    def measure_whole(self) -> None:
        """Measure the whole scan."""
        masks = self._masks()
        if masks is None:
            return
        if self._job is not None:
            self._after_job(self.measure_whole)
            return
        self._part = "whole scan"
        self.bar.setRange(0, 0)
        self.show_running(True)
        self._take_edits()  # only later edits make the result outdated
        self._start(ComparisonRequest(*masks, None))

    def save_csv(self, path: Path | str) -> None:
        """Write the table on screen."""
        from napari_unet_seg.evaluation.compare import write_csv

        if self._shown is None:
            return
        try:
            write_csv(path, *self._shown)
        except SegmentationError as error:
            show_error(str(error))
        else:
            self.status.setText(f"Saved {path}")

    def showEvent(self, event: Any) -> None:
        """Compare the slice on screen when the tab is shown."""
        super().showEvent(event)
        self._compare_slice_soon()

    def _connect(self) -> None:
        for combo in (self.a, self.b):
            combo.layerChanged.connect(self._on_choice)
            combo.listChanged.connect(self._on_list)
        self.part.currentIndexChanged.connect(self._on_choice)
        self.button.clicked.connect(self._on_button)
        self.contours.toggled.connect(self._on_contours)
        self.csv_button.clicked.connect(self._browse)
        dims = self._viewer.dims.events
        for event in (dims.point, dims.order, dims.ndisplay):
            connect(self, (event, lambda _: self._compare_slice_soon()))
        self.destroyed.connect(lambda: self._watch(()))

    def _on_list(self) -> None:
        """Choose two different masks, if there are two."""
        layer = self.b.layer()
        others = [other for other in self.b.layers if other is not layer]
        if layer is not None and layer is self.a.layer() and others:
            self.b.setLayer(max(others, key=lambda other: are_of_one_image(layer, other)))

    def _on_choice(self, _: Any = None) -> None:
        """Empty the table, and compare the chosen masks on the chosen extent."""
        self._watch(tuple(x.layer() for x in (self.a, self.b) if x.layer() is not None))
        if self._job is not None:
            self._job.quit()
        self._show(None)
        self.status.setText(self._problem())
        self.button.setEnabled(self._masks() is not None)
        self._show_contours(self.contours.isChecked())
        self._compare_slice_soon()

    def _watch(self, layers: tuple[Labels, ...]) -> None:
        for monitor in self._monitors:
            monitor.close()
        self._monitors = [EditMonitor(layer, self._on_drawn) for layer in dict.fromkeys(layers)]

    def _take_edits(self) -> bool:
        """Return whether a mask was edited since the last call."""
        return any([monitor.take() for monitor in self._monitors])  # noqa: C419 - call all of them

    def _reference(self) -> Labels | None:
        """Return a layer on the grid of mask B."""
        mask = self._open_session.mask if self._open_session else None
        return self.b.layer() or mask or self.a.layer()

    def _masks(self) -> tuple[NamedMask, NamedMask] | None:
        a, b = self._mask_of(self.a), self._mask_of(self.b)
        return None if a is None or b is None or self._problem() else (a, b)

    def _problem(self) -> str:
        """Return why the chosen masks cannot be compared, empty if they can."""
        a, b = self.a.layer(), self.b.layer()
        if a is b and a is not None:
            return f"A and B are both {a.name}; open or choose another mask."
        return misplacement(a, b)

    def _mask_of(self, combo: LayerCombo) -> NamedMask | None:
        if combo.isNoLayer() and self._open_session is not None:
            return mask_of_prediction(self._open_session.session)
        layer = combo.layer()
        return mask_of_layer(layer) if layer is not None else None

    def _start(self, wanted: ComparisonRequest) -> None:
        self._job = jobs.run(
            compare(wanted), on_event=self._on_event, on_done=self._on_done, name="Comparing"
        )

    def _after_job(self, action: Callable[[], None]) -> None:
        if action not in self._waiting:
            self._waiting.append(action)

    def _on_event(self, event: Any) -> None:
        if isinstance(event, ItemDone):
            self.bar.setRange(0, event.count)
            self.bar.setValue(event.index)
        elif isinstance(event, Outlines):
            if self._overlay is not None:
                self._overlay.draw(*event)
        elif isinstance(event, SegmentationError):
            self._show(None)
            self.status.setText(str(event))
        else:
            self._show(event)
            left_out = f"; {counted(event.unreviewed, 'pixel')} left out as not reviewed"
            text = f"{self._part}, compared at {datetime.now():%H:%M:%S}"
            self.status.setText(text + (left_out if event.unreviewed else ""))

    def _on_done(self) -> None:
        self._job = None
        self.show_running(False)
        self.button.setEnabled(self._masks() is not None)
        waiting, self._waiting = self._waiting, []
        for action in waiting:
            action()

    def _show(self, comparison: MaskComparison | None) -> None:
        self._shown = None if comparison is None else (comparison, self._part)
        named = {c.name for mask in self._masks() or () for c in mask.categories}
        self.table.show_comparison(comparison, named)
        self.csv_button.setEnabled(comparison is not None)
        if comparison is not None:
            self.compared.emit(comparison)

    def _on_drawn(self, _: Any = None) -> None:
        # Edits during a measurement are detected at the next redraw.
        shown = self.whole and self._shown is not None and self._job is None
        if shown and self._take_edits():
            self._on_edit()
        self._compare_slice_soon()

    def _on_edit(self) -> None:
        if self.whole and self._shown is not None:
            self.status.setText("A mask has changed since; press Compare again.")
        self._compare_slice_soon()

    def _on_button(self) -> None:
        if self.running and self._job is not None:
            self._job.quit()
            self.button.setEnabled(False)
            self.status.setText("Stopped; the whole scan is not measured.")
        else:
            (self.measure_whole if self.whole else self.compare_slice)()

    def _on_contours(self, shown: bool) -> None:
        self._show_contours(shown)
        self.compare_slice()

    def _show_contours(self, shown: bool) -> None:
        if self._overlay is not None:
            self._overlay.hide()
        layer = self._reference()
        wanted = shown and layer is not None and self._masks() is not None
        self._overlay = Overlay(self._viewer, layer, NAME, COLOURS) if wanted else None
        if self._overlay is not None:
            self._overlay.show()

    def _browse(self) -> None:
        path, _ = SaveDialog.ask(
            self, "Save the table", str(Path.home() / "comparison.csv"), "CSV (*.csv)"
        )
        if path:
            self.save_csv(path)
