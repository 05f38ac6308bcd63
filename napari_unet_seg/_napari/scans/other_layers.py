"""The layers of a case beside its first sequence, read in a thread while that is on screen."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from napari.layers import Image, Layer
from qtpy.QtCore import QObject, Signal

from napari_unet_seg._napari.files.case_layers import other_layers
from napari_unet_seg._napari.layers.position import go_to_part
from napari_unet_seg._napari.widgets import jobs
from napari_unet_seg.correct.lesions import largest_lesion

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from napari.viewer import ViewerModel

    from napari_unet_seg._napari.files.case_layers import LaterLayers
    from napari_unet_seg.io.cases.case import Case
    from napari_unet_seg.io.common.places import Place
    from napari_unet_seg.io.common.scan import Scan


class OtherLayers(QObject):
    """Adds masks and other sequences of the open case; the layer that is chosen stays chosen.

    The lesion of the mask that is shown comes on screen.

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
            self._job = jobs.run(layers, on_event=self._on_read, name=f"Opening {case.name}")
            self.job_started.emit(self._job)

    def stop(self) -> None:
        """Add no more layers: another scan is opened."""
        if self._job is not None:
            self._job.quit()
            self._job = None

    def _on_read(self, read: tuple[LaterLayers, Place | None]) -> None:
        later, lesion = read
        for data, options, kind in later.make():
            layer = Layer.create(data, options, kind)
            self._add(layer)
            if lesion is not None:
                go_to_part(self._viewer, layer, lesion)

    def _add(self, layer: Layer) -> None:
        layers = self._viewer.layers
        active = layers.selection.active
        layers.insert(0 if isinstance(layer, Image) else len(layers), layer)
        self._keep(layer)
        if active is not None:
            layers.selection.active = active


def _in_turn(case: Case, scan: Scan) -> Generator[Any, Any, None]:
    yield from jobs.until_stopped(_with_lesions(case, scan))


def _with_lesions(case: Case, scan: Scan) -> Generator[tuple[LaterLayers, Place | None], Any, None]:
    """Yield the layers, the mask that is shown with the slice of its largest lesion."""
    volume = scan.grid_axes.endswith("ZYX")
    for later in other_layers(case, scan):
        labels = later.shown
        yield later, None if labels is None else largest_lesion(labels, volume=volume)
