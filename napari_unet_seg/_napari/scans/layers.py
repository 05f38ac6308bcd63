"""The layers of the scan of a folder that is worked on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari.utils.notifications import show_warning

from napari_unet_seg._napari.files.reader import scan_layers
from napari_unet_seg._napari.layers.carried import carried
from napari_unet_seg._napari.layers.channels import show_channel
from napari_unet_seg._napari.layers.layers import is_users

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari.layers import Image, Labels, Layer
    from napari.viewer import ViewerModel

    from napari_unet_seg.io.common.scan import Scan


class ScanLayers:
    """Knows which layers come and go with a scan.

    Parameters
    ----------
    viewer : napari.Viewer
        Where they are.
    """

    def __init__(self, viewer: ViewerModel) -> None:
        self._viewer = viewer
        self._earlier: set[Layer] = set()
        self._ours: list[Layer] = []
        self._channel: int | None = None
        """What the last session was on; the next scan is likely to be segmented there too."""
        self.scan: Scan | None = None
        """What was read, where it had no session."""

    def begin(self) -> None:
        """Take what is there now for no part of the scan that comes."""
        self._earlier = set(self._viewer.layers)
        self.forget()

    def forget(self) -> None:
        """Leave the layers to the user."""
        self._ours, self.scan = [], None

    def show(self, scan: Scan, name: str) -> None:
        """Add a scan that was read, and tell what is wrong with it."""
        for note in scan.meta.get("notes", ()):
            show_warning(f"{name}: {note}")
        self.scan = scan
        self._ours = [
            getattr(self._viewer, f"add_{kind}")(data, **options)
            for data, options, kind in scan_layers(scan, name)
        ]
        for layer in self._ours:
            if self._channel is not None and carried(layer).channel == self._channel:
                show_channel(self._viewer, layer)
                self._viewer.layers.selection.active = layer
        self._viewer.reset_view()

    def take(self, image: Image, mask: Labels, others: Sequence[Image]) -> None:
        """Count the layers of its session, with the other channels, among those of the scan."""
        self._ours += [*others, image, mask]
        self._channel = carried(image).channel
        self.scan = None

    def remove(self) -> None:
        """Remove the layers of the scan, and what was drawn of them meanwhile."""
        drawn = {layer for layer in self._viewer.layers if not is_users(layer, type(layer))}
        for layer in {*self._ours} | (drawn - self._earlier):
            if layer in self._viewer.layers:
                self._viewer.layers.remove(layer)
