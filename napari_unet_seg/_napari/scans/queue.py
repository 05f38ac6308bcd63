"""The scans of a folder, opened one after another, each with its session."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari.utils.notifications import show_error
from qtpy.QtCore import QObject, Signal

from napari_unet_seg._napari.scans.bar import NEXT_KEY, PREVIOUS_KEY, ScanBar
from napari_unet_seg._napari.scans.folder import OtherSessions, ScanFolder, finding
from napari_unet_seg._napari.scans.layers import ScanLayers
from napari_unet_seg._napari.scans.start import AutoStart, OpenScan
from napari_unet_seg._napari.scans.thumbnails import of_layers, of_scan
from napari_unet_seg._napari.widgets import jobs
from napari_unet_seg._napari.widgets.keys import Keys, shown_key
from napari_unet_seg.errors import SegmentationError
from napari_unet_seg.session.folders import find_session, free_folder
from napari_unet_seg.session.review_queue import Queue, ReviewState
from napari_unet_seg.session.scan_review import scan_review, what_next
from napari_unet_seg.training.replay import names

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from napari.viewer import ViewerModel
    from qtpy.QtWidgets import QWidget

    from napari_unet_seg._napari.scans.folder import Named
    from napari_unet_seg._napari.scans.thumbnails import Source
    from napari_unet_seg._napari.session.desk import SessionDesk
    from napari_unet_seg._napari.session.open_session import OpenSession
    from napari_unet_seg.io.common.scan import Scan


class ScanQueue(QObject):
    """Goes through the scans of a folder; the next one is read while one is worked on.

    A scan that has a session is opened with it. On any other the session starts by itself once
    Segment has made a mask. Going on saves the session and removes the layers of the scan; labels
    that were never in a session stay.

    Parameters
    ----------
    viewer : napari.Viewer
        Where the scans are shown.
    desk : SessionDesk
        Which opens, starts and closes their sessions.
    parent_folder : callable
        Returns the folder that new sessions go into.
    dock : QWidget
        The dock that the queue ends with.
    """

    changed = Signal()
    """Another folder is gone through, or none, or there is news of its scans."""

    note_changed = Signal(str)
    """What there is to do after the last decision on a scan; empty if nothing is."""
    folder_proposed = Signal(object)
    """The folder that a session of the scan would go into."""

    def __init__(
        self,
        viewer: ViewerModel,
        desk: SessionDesk,
        parent_folder: Callable[[], Path],
        dock: QWidget,
    ) -> None:
        super().__init__(dock)
        self._viewer, self._desk, self._parent_folder = viewer, desk, parent_folder
        self.bar = ScanBar()
        self._list = self.bar.scans
        self._keys = Keys(viewer)
        self._folder: ScanFolder | None = None
        self._at: int | None = None
        """The scan that is worked on; None until it is known which comes first."""
        self._queue = Queue()
        self._parent: Path | None = None
        """Where the sessions of the scans are, whatever other session was opened meanwhile."""
        self._layers = ScanLayers(viewer)
        self._waiting = self._busy = False
        self.bar.step_wanted.connect(self._step)
        self.bar.close_wanted.connect(self.close)
        self.bar.list_wanted.connect(self._on_list)
        self._list.chosen.connect(self._on_chosen)
        self._list.bar.order_changed.connect(self._arrange)
        self._list.bar.filter_changed.connect(self._arrange)
        desk.session_changed.connect(self._on_session)
        AutoStart(viewer, desk, self._without_session, parent_folder, dock)

    @property
    def path(self) -> Path | None:
        """The scan that is worked on."""
        return None if self._folder is None or self._at is None else self._folder.paths[self._at]

    @property
    def folder(self) -> ScanFolder | None:
        """The folder that is gone through."""
        return self._folder

    def other_sessions(self) -> OtherSessions | None:
        """Return what there is to learn from with the open session.

        None where no folder is gone through, or what is open is not of its scan.
        """
        reviewing, folder = self._reviewing(), self._folder
        if reviewing is None or folder is None:
            return None
        wanted = names(reviewing.session.categories)
        others = (found for at, found in enumerate(folder.states.found) if at != self._at)
        sessions = [
            found
            for found in others
            if found is not None and found.accepted and names(found.record.categories) == wanted
        ]
        return OtherSessions(folder, wanted, sessions)

    def open_folder(self, folder: Path) -> None:
        """Find the scans of a folder, and open the first one that is to do."""
        jobs.run(finding(folder), on_event=self._on_found, name="Looking for scans")

    def go_to(self, at: int) -> None:
        """Save the session that is open, and open another scan of the folder.

        Where it cannot be saved, everything stays; the reason has been told.
        """
        folder, current = self._folder, self._desk.current
        if folder is None or (current is not None and not current.autosave.finish()):
            return
        self._desk.close()
        self._layers.remove()
        self._layers.begin()
        self._at, self._waiting = at, True
        self._show_busy()
        self._arrange()
        self._fetch(folder, at)

    def set_busy(self, busy: bool) -> None:
        """Lock the buttons while a session is being opened or started."""
        self._busy = busy
        self._show_busy()

    def close(self) -> None:
        """Leave the folder; layers and session stay."""
        if self._folder is None:
            return
        self._folder.close()
        self._keys.unbind()
        self._folder = self._at = None
        self._layers.forget()
        self._waiting = False
        self._list.hide()
        self._list.list_scans(())
        self.note_changed.emit("")
        self.bar.hide()
        self.changed.emit()

    def _on_found(self, named: Named) -> None:
        self.close()
        self._folder = folder = ScanFolder(named, self._live, self.bar.devicePixelRatioF())
        folder.reader.arrived.connect(self._on_arrived)
        folder.reader.read.connect(self._show_list)
        folder.states.changed.connect(self._arrange)
        folder.states.changed.connect(self.changed)
        folder.states.looked.connect(self._on_looked)
        for worker in folder.workers:
            self.parent().destroyed.connect(worker.close)
        self._list.list_scans(folder.titles, folder.thumbnails)
        steps = {NEXT_KEY: self.bar.next_button, PREVIOUS_KEY: self.bar.previous_button}
        self._keys.bind({key: button.click for key, button in steps.items()})
        self._parent = self._parent_folder()
        folder.states.look(self._parent)

    def _on_looked(self) -> None:
        """Open the first scan, once it is known which of them are done."""
        if self._at is None:
            self._arrange()
            order, states = self._queue.order, self._queue.states
            todo = (i for i in order if states[i] is ReviewState.TODO)
            self.go_to(next(todo, order[0]))

    def _step(self, by: int) -> None:
        if self._at is not None and (at := self._queue.step(self._at, by)) != self._at:
            self.go_to(at)

    def _on_chosen(self, at: int) -> None:
        if at != self._at:
            self.go_to(at)

    def _on_list(self) -> None:
        if self._folder is not None:
            self._folder.states.look(self._parent_folder())
            self._fill_list()

    def _show_list(self) -> None:
        if self._list.isVisible():
            self._fill_list()

    def _fill_list(self) -> None:
        if self._folder is not None:
            self._folder.thumbnails.check_again()
            self._list.show_queue(self._queue, self._folder.states.reviews, self._at)

    def _arrange(self) -> None:
        """Put the scans in order again, as what is known of them, or what is wanted, changed."""
        folder, at, wanted = self._folder, self._at, self._list.bar
        if folder is not None:
            self._queue = folder.states.queue(wanted.order, wanted.shown)
        if folder is None or at is None:
            return
        queue = self._queue
        self.bar.show_scan(folder.paths[at], queue.order.index(at), len(folder.paths))
        self.bar.set_steps(queue.step(at, -1) != at, queue.step(at, 1) != at)
        self._show_list()
        self._tell_done(folder, at)
        if not self._waiting:
            folder.read_next(queue, at)

    def _tell_done(self, folder: ScanFolder, at: int) -> None:
        done = self._reviewing() and self._queue.states[at] is not ReviewState.TODO
        key = f"▸ [{shown_key(NEXT_KEY)}]"
        note = what_next(self._queue, at, folder.titles, key) if done else ""
        self.note_changed.emit(note)

    def _show_busy(self) -> None:
        self.bar.set_busy(self._busy or self._waiting)

    def _live(self, at: int) -> Source | None:
        reviewing, scan = self._reviewing(), self._layers.scan
        if at != self._at:
            return None
        if reviewing is not None:
            session = reviewing.session
            return of_layers(session.scan, reviewing.mask.data, session.categories)
        return None if scan is None else of_scan(scan)

    def _fetch(self, folder: ScanFolder, at: int) -> None:
        path, parent = folder.paths[at], self._parent_folder()
        found = find_session(parent, folder.names[at], path)
        if found is None:
            folder.reader.take(path)
            return
        self._waiting = False
        self._desk.open(found.folder)
        self._show_busy()
        self._arrange()

    def _on_arrived(self, path: Path, result: Scan | SegmentationError) -> None:
        if not self._waiting or path != self.path:
            return
        self._waiting = False
        if isinstance(result, SegmentationError):
            show_error(str(result))
        else:
            self._layers.show(result, self._name())
        self._show_busy()
        self._arrange()

    def _reviewing(self) -> OpenSession | None:
        """Return the session of the scan that is worked on, if that is what is open."""
        reviewing = self._desk.current
        source = reviewing.session.origin.scan if reviewing else ""
        return reviewing if self.path is not None and source == str(self.path) else None

    def _on_session(self) -> None:
        """Take the layers of the scan's session for those of the scan, also once it is closed."""
        reviewing, folder = self._reviewing(), self._folder
        if reviewing is not None:
            self._parent = reviewing.session.folder.parent
            self._layers.take(reviewing.image, reviewing.mask, self._desk.channels)
            reviewing.queue_changed.connect(self._on_review)
            self._on_review()
        elif folder is not None and self._desk.current is None:
            self._on_closed(folder)

    def _on_closed(self, folder: ScanFolder) -> None:
        if self._parent is not None and self._parent_folder() != self._parent:
            # That of a session that was no scan's of the folder.
            self.folder_proposed.emit(free_folder(self._parent, self._name()))
        folder.states.set_live(None)
        if self._at is not None:
            folder.states.look_at(self._at, self._parent_folder())
        folder.states.look(self._parent_folder())

    def _on_review(self) -> None:
        reviewing = self._reviewing()
        if reviewing is not None and self._folder is not None:
            known = reviewing.session
            review = scan_review(known.states, known.predicted_dice)
            self._folder.states.set_live(self._at, review)
            self._arrange()

    def _without_session(self) -> OpenScan | None:
        if self.path is None or self._desk.current is not None:
            return None
        return OpenScan(self.path, self._name())

    def _name(self) -> str:
        """Return the name of the scan that is worked on, as its session has it."""
        return "" if self._folder is None or self._at is None else self._folder.names[self._at]
