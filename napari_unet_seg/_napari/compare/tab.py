"""The part of the widget where two masks are compared, a slice or the whole scan."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari.utils.notifications import show_error
from qtpy.QtCore import Signal
from qtpy.QtWidgets import QFileDialog
from superqt.utils import qthrottled

from napari_unet_seg._napari.compare.comparison import (
    COLOURS,
    PREDICTION,
    Outlines,
    Wanted,
    layer_side,
    misplaced,
    prediction_side,
    slice_title,
    working,
)
from napari_unet_seg._napari.compare.form import CompareForm
from napari_unet_seg._napari.layers.history import EditedSlices
from napari_unet_seg._napari.layers.overlay import Overlay
from napari_unet_seg._napari.layers.position import index_of, off_screen, place_of
from napari_unet_seg._napari.widgets import jobs
from napari_unet_seg._napari.widgets.dock_widget import connect
from napari_unet_seg.errors import SegmentationError
from napari_unet_seg.events import ItemDone

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari.layers import Labels
    from napari.viewer import ViewerModel
    from qtpy.QtWidgets import QWidget

    from napari_unet_seg._napari.session.open_session import OpenSession
    from napari_unet_seg._napari.widgets.layer_combo import LayerCombo
    from napari_unet_seg.evaluation.compare import MaskComparison
    from napari_unet_seg.evaluation.mask_pairs import NamedMask

NAME = "contours"
_REFRESH_MS = 150


class _Watched:
    """A mask, and whether it was changed: it is drawn anew for much that changes nothing in it."""

    def __init__(self, layer: Labels) -> None:
        self._layer, self._data = layer, layer.data
        self._edited = EditedSlices(layer)
        # Of a hidden one, they tell once it is shown.
        events = layer.events
        self.emitters = (events.labels_update, events.set_data, events.visible)

    def take(self) -> bool:
        """Whether it was changed since this was last called."""
        before, self._data = self._data, self._layer.data
        if self._data is not before:
            self._edited.close()
            self._edited = EditedSlices(self._layer)
            return True
        return bool(self._edited.take())

    def close(self) -> None:
        """Let go of it."""
        self._edited.close()


class CompareTab(CompareForm):
    """Two masks of one scan: their contours on screen, and their figures in a table.

    Parameters
    ----------
    viewer : napari.Viewer
        Whose labels layers can be chosen.
    """

    compared = Signal(object)
    """The `MaskComparison` that is shown now."""

    def __init__(self, viewer: ViewerModel, parent: QWidget | None = None) -> None:
        super().__init__(viewer, parent)
        self._viewer = viewer
        self._reviewing: OpenSession | None = None
        self._watched: list[_Watched] = []
        self._job: jobs.Job | None = None
        self._waiting: list[Callable[[], None]] = []
        self._part = ""
        self._shown: tuple[MaskComparison, str] | None = None
        self._overlay: Overlay | None = None
        self._look_soon = qthrottled(self.look, timeout=_REFRESH_MS, leading=False, parent=self)
        self._connect()
        self._on_list()
        self._on_choice()

    def show_session(self, reviewing: OpenSession | None) -> None:
        """Offer the prediction of an open session, and compare its mask with it."""
        self._reviewing = reviewing
        self.contours.setChecked(False)
        for combo in (self.a, self.b):
            combo.setFirst(PREDICTION if reviewing else "")
        if reviewing is not None:
            self.b.setLayer(reviewing.mask)
            reviewing.predicted_again.connect(self._on_edit)

    def look(self) -> None:
        """Outline and measure the slice on screen, as far as that is wanted."""
        if self._shown is None or not self.whole:
            self._have_changed()  # which is nobody's concern, and not to pile up
        figures = not self.whole and not self.isHidden()
        layer, sides = self._reference(), self._sides()
        if layer is None or sides is None or not (figures or self.contours.isChecked()):
            return
        if self._job is not None:
            self._later(self.look)
            return
        a, b = (side.scan.grid_shape for side in sides)
        # Where the grids differ, that is the problem to tell.
        if a == b and (problem := off_screen(self._viewer, layer)):
            if figures:
                self._show(None)
                self.status.setText(problem)
            return
        place = place_of(self._viewer, layer)
        if figures:
            self._part = slice_title(sides[1].scan, index_of(self._viewer, layer))
        self._start(Wanted(*sides, place, figures, self.contours.isChecked()))

    def measure_whole(self) -> None:
        """Measure the whole scan."""
        sides = self._sides()
        if sides is None:
            return
        if self._job is not None:
            self._later(self.measure_whole)
            return
        self._part = "whole scan"
        self.bar.setRange(0, 0)
        self.show_running(True)
        self._have_changed()  # from here on
        self._start(Wanted(*sides, None))

    def save_csv(self, path: Path | str) -> None:
        """Write the table that is shown."""
        from napari_unet_seg.evaluation.compare import write_csv

        if self._shown is None:
            return
        try:
            write_csv(path, *self._shown)
        except SegmentationError as error:
            show_error(str(error))
        else:
            self.status.setText(f"wrote {path}")

    def showEvent(self, event: Any) -> None:
        """Look at the slice as it is now."""
        super().showEvent(event)
        self._look_soon()

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
            connect(self, (event, lambda _: self._look_soon()))
        self.destroyed.connect(lambda: self._watch(()))

    def _on_list(self) -> None:
        """Choose two masks where there are two; nobody compares one with itself."""
        layer = self.b.layer()
        others = [other for other in self.b.layers if other is not layer]
        if layer is not None and layer is self.a.layer() and others:
            self.b.setLayer(others[0])

    def _on_choice(self, _: Any = None) -> None:
        """Start afresh with the masks, and the part of them, that are chosen now."""
        self._watch(tuple(x.layer() for x in (self.a, self.b) if x.layer() is not None))
        if self._job is not None:
            self._job.quit()
        self._show(None)
        self.status.setText(misplaced(self.a.layer(), self.b.layer()))
        self.button.setEnabled(self._sides() is not None)
        self._show_contours(self.contours.isChecked())
        self._look_soon()

    def _watch(self, layers: tuple[Labels, ...]) -> None:
        for watched in self._watched:
            for emitter in watched.emitters:
                emitter.disconnect(self._on_drawn)
            watched.close()
        self._watched = [_Watched(layer) for layer in dict.fromkeys(layers)]
        for watched in self._watched:
            for emitter in watched.emitters:
                emitter.connect(self._on_drawn)

    def _have_changed(self) -> bool:
        """Whether a mask was changed since this was last called."""
        return any([watched.take() for watched in self._watched])  # noqa: C419 - all are to look

    def _reference(self) -> Labels | None:
        """A layer on the grid of the masks."""
        mask = self._reviewing.mask if self._reviewing else None
        return self.b.layer() or self.a.layer() or mask

    def _sides(self) -> tuple[NamedMask, NamedMask] | None:
        a, b = self._side(self.a), self._side(self.b)
        apart = misplaced(self.a.layer(), self.b.layer())
        return None if a is None or b is None or apart else (a, b)

    def _side(self, combo: LayerCombo) -> NamedMask | None:
        if combo.isFirst() and self._reviewing is not None:
            return prediction_side(self._reviewing.session)
        layer = combo.layer()
        return layer_side(layer) if layer is not None else None

    def _start(self, wanted: Wanted) -> None:
        self._job = jobs.run(
            working(wanted), on_event=self._on_event, on_done=self._on_done, name="Comparing"
        )

    def _later(self, work: Callable[[], None]) -> None:
        if work not in self._waiting:
            self._waiting.append(work)

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
            self.status.setText(f"{self._part}, compared at {datetime.now():%H:%M:%S}")

    def _on_done(self) -> None:
        self._job = None
        self.show_running(False)
        self.button.setEnabled(self._sides() is not None)
        waiting, self._waiting = self._waiting, []
        for work in waiting:
            work()

    def _show(self, comparison: MaskComparison | None) -> None:
        self._shown = None if comparison is None else (comparison, self._part)
        named = {c.name for side in self._sides() or () for c in side.categories}
        self.table.show_comparison(comparison, named)
        self.csv_button.setEnabled(comparison is not None)
        if comparison is not None:
            self.compared.emit(comparison)

    def _on_drawn(self, _: Any = None) -> None:
        # What changes while it is measured is seen with the next drawing.
        shown = self.whole and self._shown is not None and self._job is None
        if shown and self._have_changed():
            self._on_edit()
        self._look_soon()

    def _on_edit(self) -> None:
        if self.whole and self._shown is not None:
            self.status.setText("A mask has changed since; press Compare again.")
        self._look_soon()

    def _on_button(self) -> None:
        if self.running and self._job is not None:
            self._job.quit()
            self.button.setEnabled(False)
            self.status.setText("Stopped; the whole scan is not measured.")
        else:
            (self.measure_whole if self.whole else self.look)()

    def _on_contours(self, shown: bool) -> None:
        self._show_contours(shown)
        self.look()

    def _show_contours(self, shown: bool) -> None:
        if self._overlay is not None:
            self._overlay.hide()
        layer = self._reference()
        wanted = shown and layer is not None and self._sides() is not None
        self._overlay = Overlay(self._viewer, layer, NAME, COLOURS) if wanted else None
        if self._overlay is not None:
            self._overlay.show()

    def _browse(self) -> None:
        path, _ = QFileDialog.getSaveFileName(
            self, "Save the table", str(Path.home() / "comparison.csv"), "CSV (*.csv)"
        )
        if path:
            self.save_csv(path)
