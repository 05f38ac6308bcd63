"""The layers of a case beside its first sequence, read in a thread while that is on screen."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from napari.layers import Layer
from qtpy.QtCore import QObject, Signal

from napari_unet_seg._napari.files.case_layers import other_layers
from napari_unet_seg._napari.widgets import jobs

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from napari.viewer import ViewerModel

    from napari_unet_seg.io.cases.case import Case
    from napari_unet_seg.io.common.scan import Scan


class OtherLayers(QObject):
    """Adds masks and other sequences of the open case; the layer that is chosen stays chosen.

    Parameters
    ----------
    viewer : napari.Viewer
        The viewer that gets the layers.
    parent : QObject
        The object with which reading ends.
    """

    job_started = Signal(object)
    """Emitted with the `Job` that reads."""

    def __init__(self, viewer: ViewerModel, parent: QObject) -> None:
        super().__init__(parent)
        self._viewer = viewer
        self._job: jobs.Job | None = None
        self._keep: Callable[[Layer], None] = lambda layer: None

    def show(self, case: Case, scan: Scan, keep: Callable[[Layer], None]) -> None:
        """Read and add the layers.

        Parameters
        ----------
        case : Case
            The open case.
        scan : Scan
            Its first sequence, which is on screen.
        keep : callable
            Called with each layer that was added.
        """
        self.stop()
        if case.masks or len(case.sequences) > 1:
            self._keep = keep
            layers = _in_turn(case, scan)
            self._job = jobs.run(layers, on_event=self._on_layer, name=f"Opening {case.name}")
            self.job_started.emit(self._job)

    def stop(self) -> None:
        """Add no more layers: another scan is opened."""
        if self._job is not None:
            self._job.quit()
            self._job = None

    def _on_layer(self, layer_data: tuple[Any, dict[str, Any], str]) -> None:
        layers = self._viewer.layers
        active = layers.selection.active
        is_image = layer_data[2] == "image"
        layer = Layer.create(*layer_data)
        layers.insert(0 if is_image else len(layers), layer)
        self._keep(layer)
        if active is not None:
            layers.selection.active = active


def _in_turn(case: Case, scan: Scan) -> Generator[Any, Any, None]:
    yield from jobs.until_stopped(other_layers(case, scan))
