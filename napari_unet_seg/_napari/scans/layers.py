"""The layers of the current scan of a folder."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_unet_seg._napari.files.case_layers import first_sequence
from napari_unet_seg._napari.files.reader import scan_layers
from napari_unet_seg._napari.layers.conversion import is_user_layer
from napari_unet_seg._napari.layers.images.channels import show_channel
from napari_unet_seg._napari.layers.layer_record import record_of, update_record
from napari_unet_seg._napari.widgets.messages import show_warning

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari.layers import Image, Labels, Layer
    from napari.viewer import ViewerModel

    from napari_unet_seg.io.cases.case import Case
    from napari_unet_seg.io.common.scan import Scan


class ScanLayers:
    """Adds the layers of the current scan, and removes them with the scan.

    Parameters
    ----------
    viewer : napari.Viewer
        The viewer of the layers.
    """

    def __init__(self, viewer: ViewerModel) -> None:
        self._viewer = viewer
        self._layers_before: set[Layer] = set()
        self._scan_layers: list[Layer] = []
        self._channel: int | None = None
        """The channel of the last session, which is selected in the next scan too."""
        self.scan: Scan | None = None
        """The current scan, if it has no session."""

    def start_scan(self) -> None:
        """Begin with another scan; the layers of now do not belong to that scan."""
        self._layers_before = set(self._viewer.layers)
        self.release()

    def release(self) -> None:
        """Keep the layers in the viewer when the folder is closed."""
        self._scan_layers, self.scan = [], None

    def show(self, scan: Scan, case: Case) -> None:
        """Add the layers of a case's first sequence, and show its defects as warnings."""
        name, sequence = first_sequence(case)
        for note in scan.meta.get("notes", ()):
            show_warning(f"{name}: {note}")
        self.scan = scan
        self._scan_layers = [
            getattr(self._viewer, f"add_{kind}")(data, **options)
            for data, options, kind in scan_layers(scan, name, is_image=True)
        ]
        for layer in self._scan_layers:
            update_record(layer, case=case.name, sequence=sequence)
            if self._channel is not None and record_of(layer).channel == self._channel:
                show_channel(self._viewer, layer)
                self._viewer.layers.selection.active = layer
        self._viewer.reset_view()

    def keep(self, layer: Layer) -> None:
        """Take a layer that belongs to the current scan, to remove it with the scan."""
        self._scan_layers.append(layer)

    def add_session(self, image: Image, mask: Labels, others: Sequence[Layer]) -> None:
        """Add the layers of the scan's session, all that came with it, to those of the scan."""
        self._scan_layers += [*others, image, mask]
        self._channel = record_of(image).channel
        self.scan = None

    def remove(self) -> None:
        """Remove the layers of the scan, and the maps and overlays that were drawn for them."""
        drawn = {layer for layer in self._viewer.layers if not is_user_layer(layer, type(layer))}
        for layer in {*self._scan_layers} | (drawn - self._layers_before):
            if layer in self._viewer.layers:
                self._viewer.layers.remove(layer)
