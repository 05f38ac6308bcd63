"""The scans of a folder in their order, as the bar and its list show them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import QObject

from napari_unet_seg._napari.widgets.keys import label_of
from napari_unet_seg.session.review_queue import Queue, ReviewState
from napari_unet_seg.session.scan_review import next_scan_note

if TYPE_CHECKING:
    from napari_unet_seg._napari.scans.bar import ScanBar
    from napari_unet_seg._napari.scans.folder import ScanFolder


class ShownQueue(QObject):
    """Sorts the scans of a folder, and shows them with the current one.

    Parameters
    ----------
    bar : ScanBar
        The bar, whose list has the wanted order and filter.
    parent : QObject
        Owner of this object.
    """

    def __init__(self, bar: ScanBar, parent: QObject) -> None:
        super().__init__(parent)
        self._bar, self._list = bar, bar.scans
        self._folder: ScanFolder | None = None
        self._at: int | None = None
        self.queue = Queue()
        """The scans in their order; empty until `arrange`."""

    def show_folder(self, folder: ScanFolder) -> None:
        """List the scans of a folder, of which none is open yet."""
        self._folder, self._at = folder, None
        folder.reader.read.connect(self._update_list)
        self._list.list_scans(folder.titles, folder.thumbnails)

    def hide(self) -> None:
        """Show no folder."""
        self._folder = self._at = None
        self._list.hide()
        self._list.list_scans(())
        self._bar.hide()

    def arrange(self, folder: ScanFolder, at: int | None) -> None:
        """Sort the scans by their present states, and show the current one, if there is one yet."""
        wanted = self._list.bar
        self.queue = queue = folder.states.queue(wanted.order, wanted.shown)
        self._at = at
        if at is not None:
            rank = queue.order.index(at)
            self._bar.show_scan(folder.paths[at], folder.titles[at], rank, len(folder.paths))
            self._bar.set_neighbours(queue.step(at, -1) != at, queue.step(at, 1) != at)
            self._update_list()

    def note(self) -> str:
        """Return what to do next if the current scan is done, else an empty text."""
        folder, at = self._folder, self._at
        if folder is None or at is None or self.queue.states[at] is ReviewState.TODO:
            return ""
        return next_scan_note(self.queue, at, folder.titles, f"▸ [{label_of('next_scan')}]")

    def fill_list(self) -> None:
        """Show the present states in the list."""
        if self._folder is not None:
            self._folder.thumbnails.check_again()
            self._list.show_queue(self.queue, self._folder.states.reviews, self._at)

    def _update_list(self) -> None:
        if self._list.isVisible():
            self.fill_list()
