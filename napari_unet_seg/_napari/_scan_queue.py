"""The scans of a folder, opened one after another, each with its session."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from napari.layers import Image, Labels
from napari.utils.notifications import show_error, show_warning
from qtpy.QtCore import QObject, QTimer

from napari_unet_seg._napari import _worker
from napari_unet_seg._napari._connect import connect
from napari_unet_seg._napari._layers import is_users, metadata_of
from napari_unet_seg._napari._read_ahead import ReadAhead
from napari_unet_seg._napari._reader import scan_layer
from napari_unet_seg._napari._scan_bar import ScanBar
from napari_unet_seg._napari._session_bar import find_session, free_folder
from napari_unet_seg.errors import SegmentationError
from napari_unet_seg.io.files import split_suffix
from napari_unet_seg.io.find import find_scans_and_series
from napari_unet_seg.io.ome_zarr import is_zarr

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence
    from pathlib import Path

    from napari.layers import Layer
    from napari.viewer import ViewerModel

    from napari_unet_seg._napari.review import ReviewWidget
    from napari_unet_seg.io.scan import Scan
    from napari_unet_seg.session import Session


class ScanQueue(QObject):
    """Goes through the scans of a folder; the next one is read while one is worked on.

    A scan that has a session is opened with it. On any other the session starts by itself once
    Segment has made a mask. Going on saves the session and removes the layers of the scan; labels
    that were never in a session stay.

    Parameters
    ----------
    viewer : napari.Viewer
        Where the scans are shown.
    review : ReviewWidget
        Which opens, starts and closes their sessions.
    """

    def __init__(self, viewer: ViewerModel, review: ReviewWidget) -> None:
        super().__init__(review)
        self._viewer, self._review = viewer, review
        self.bar = ScanBar()
        self._paths: Sequence[Path] = ()
        self._at = 0
        self._reader: ReadAhead | None = None
        self._waiting = False
        self._earlier: set[Layer] = set()
        self._layers: list[Layer] = []
        self.bar.step_wanted.connect(lambda by: self.go_to(self._at + by))
        self.bar.close_wanted.connect(self.close)
        review.session_changed.connect(self._on_session)
        connect(review, (viewer.layers.events.inserted, self._on_inserted))

    @property
    def path(self) -> Path | None:
        """The scan that is worked on."""
        return self._paths[self._at] if self._paths else None

    def open_folder(self, folder: Path) -> None:
        """Find the scans of a folder and open the first one."""
        work = _finding(folder)
        _worker.run(work, on_event=self._on_found, name="Looking for scans")

    def go_to(self, at: int) -> None:
        """Save the session that is open, and open another scan of the folder.

        Where it cannot be saved, everything stays; the reason has been told.
        """
        reviewing = self._review.reviewing
        if reviewing is not None and not reviewing.autosave.finish():
            return
        self._leave()
        self._at = at
        path = self._paths[at]
        self.bar.show_scan(path, at, len(self._paths))
        self._earlier, self._layers = set(self._viewer.layers), []
        session = self._session_of(path)
        if session is not None:
            self._review.open_session(session)
            self._read_next()
        elif self._reader is not None:
            self._waiting = True
            self.set_busy(True)
            self._reader.take(path)

    def set_busy(self, busy: bool) -> None:
        """Lock the buttons while the widget opens or starts a session."""
        self.bar.set_busy(busy or self._waiting)

    def close(self) -> None:
        """Leave the folder; layers and session stay."""
        if self._reader is not None:
            self._reader.close()
            self._reader = None
        self._paths, self._layers, self._waiting = (), [], False
        self.bar.hide()

    def _on_found(self, paths: Sequence[Path]) -> None:
        self.close()
        self._reader = ReadAhead()
        self._reader.arrived.connect(self._on_arrived)
        self._review.destroyed.connect(self._reader.close)
        self._paths = paths
        self.go_to(0)

    def _on_arrived(self, path: Path, result: Scan | SegmentationError) -> None:
        if not self._waiting or path != self.path:
            return
        self._waiting = False
        if isinstance(result, SegmentationError):
            show_error(str(result))
        else:
            self._show(result, _name(path))
        self._review.refresh()
        self._read_next()

    def _show(self, scan: Scan, name: str) -> None:
        for note in scan.meta.get("notes", ()):
            show_warning(f"{name}: {note}")
        data, options, kind = scan_layer(scan, name)
        added = getattr(self._viewer, f"add_{kind}")(data, **options)
        self._layers = list(added) if isinstance(added, list) else [added]
        self._viewer.reset_view()

    def _read_next(self) -> None:
        following = self._paths[self._at + 1 : self._at + 2]
        if following and self._reader is not None and self._session_of(following[0]) is None:
            self._reader.read_ahead(following[0])

    def _leave(self) -> None:
        """Save and close the session, and remove the layers of the scan that was worked on."""
        self._review.close_session()
        ours = set(self._layers)
        drawn = {layer for layer in self._viewer.layers if not is_users(layer, type(layer))}
        for layer in ours | (drawn - self._earlier):
            if layer in self._viewer.layers:
                self._viewer.layers.remove(layer)

    def _on_session(self, session: Session | None) -> None:
        """Take the layers of the scan's session for those of the scan, also once it is closed."""
        reviewing = self._review.reviewing
        if session is not None and reviewing is not None:
            if self._paths and session.extra.get("source") == str(self.path):
                self._layers = [*self._layers, reviewing.image, reviewing.mask]

    def _session_of(self, path: Path) -> Path | None:
        return find_session(self._review.bar.parent_folder(), _name(path), path)

    def _on_inserted(self, event: Any) -> None:
        if self._paths and self._is_of_scan(event.value):
            # Once whoever adds it has noted how it was predicted.
            QTimer.singleShot(0, lambda: self._start(event.value))

    def _is_of_scan(self, layer: Layer) -> bool:
        scan = metadata_of(layer).get("scan")
        return is_users(layer, Labels) and scan is not None and scan.path == self.path

    def _start(self, mask: Labels) -> None:
        """Start the session of a mask that has just come."""
        bar, path = self._review.bar, self.path
        images = [layer for layer in self._layers if isinstance(layer, Image)]
        if path is None or mask not in self._viewer.layers or not images:
            return
        if self._review.reviewing is not None:
            return
        bar.mask_combo.setLayer(mask)
        bar.image_combo.setLayer(images[0])
        bar.folder.setValue(free_folder(bar.parent_folder(), _name(path)))
        self._review.start_session()


def _finding(folder: Path) -> Generator[list[Path], Any, None]:
    yield find_scans_and_series(folder.absolute())


def _name(path: Path) -> str:
    return split_suffix(path)[0] if path.is_file() or is_zarr(path) else path.name
