"""The scans of a folder, opened one after another, each with its session."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import QObject, Signal

from napari_unet_seg._napari.scans.bar import ScanBar
from napari_unet_seg._napari.scans.folder import OtherSessions, ScanFolder
from napari_unet_seg._napari.scans.folder_planner import FolderPlanner
from napari_unet_seg._napari.scans.layers import ScanLayers
from napari_unet_seg._napari.scans.other_layers import OtherLayers
from napari_unet_seg._napari.scans.session_starter import ScanWithoutSession, SessionStarter
from napari_unet_seg._napari.scans.shown_queue import ShownQueue
from napari_unet_seg._napari.scans.thumbnails import source_of_layers, source_of_scan
from napari_unet_seg._napari.widgets.keys import KeyBindings, key_of
from napari_unet_seg._napari.widgets.messages import show_error
from napari_unet_seg.errors import SegmentationError
from napari_unet_seg.io.cases.scans import case_scans
from napari_unet_seg.session.folders import free_folder
from napari_unet_seg.session.scan_review import scan_review

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from napari.viewer import ViewerModel
    from qtpy.QtWidgets import QWidget

    from napari_unet_seg._napari.scans.thumbnails import ThumbnailSource
    from napari_unet_seg._napari.session.desk import SessionDesk
    from napari_unet_seg._napari.session.open_session import OpenSession
    from napari_unet_seg.io.cases.case import Plan, Source
    from napari_unet_seg.io.common.scan import Scan


class ScanQueue(QObject):
    """Opens the scans of a folder in their order, and reads the next scan in advance.

    A scan with a session is opened with that session. For any other scan the session starts when
    Segment has made a mask. Opening another scan saves the session and removes the layers of the
    current scan; labels that were never in a session stay.

    Parameters
    ----------
    viewer : napari.Viewer
        The viewer that shows the scans.
    desk : SessionDesk
        Opens, starts and closes the sessions.
    parent_folder : callable
        Returns the folder that new sessions go into.
    dock : QWidget
        The dock with which the queue is destroyed.
    """

    opened = Signal(object)
    """Emitted with the plan of a folder that was opened, before its first scan is."""
    changed = Signal()
    """Another folder was opened, the folder was closed, or the state of a scan changed."""

    scan_opened = Signal(bool)
    """Emitted with whether the scan that is opened has a session."""
    note_changed = Signal(str)
    """The note on a reviewed scan, with the next scan to do; empty for no note."""
    folder_proposed = Signal(object)
    """The folder for a session on the scan."""
    job_started = Signal(object)
    """Emitted with the `Job` that finds scans, or reads what belongs to the current one."""

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
        self._shown = ShownQueue(self.bar, self)
        self._keys = KeyBindings(viewer)
        self._folder: ScanFolder | None = None
        self._at: int | None = None
        """The current scan; None until `_on_refreshed` chooses the first scan."""
        self._parent: Path | None = None
        """Folder of the scans' sessions; a session of no scan of the folder does not change it."""
        self._layers = ScanLayers(viewer)
        self._others = OtherLayers(viewer, self)
        self.planner = FolderPlanner(dock)
        self.planner.planned.connect(self._on_planned)
        for worker in (self.planner, self._others):
            worker.job_started.connect(self.job_started)
        self._waiting = self._busy = False
        self.bar.step_wanted.connect(self._step)
        self.bar.close_wanted.connect(self.close)
        self.bar.list_wanted.connect(self._on_list)
        scans = self.bar.scans
        scans.chosen.connect(self._on_chosen)
        scans.bar.order_changed.connect(self._arrange)
        scans.bar.filter_changed.connect(self._arrange)
        desk.session_changed.connect(self._on_session)
        SessionStarter(viewer, desk, self._without_session, parent_folder, dock)

    @property
    def path(self) -> Path | None:
        """The path of the current scan."""
        return None if self._folder is None or self._at is None else self._folder.paths[self._at]

    @property
    def _source(self) -> Source | None:
        return None if self._folder is None or self._at is None else self._folder.sources[self._at]

    @property
    def folder(self) -> ScanFolder | None:
        """The open folder."""
        return self._folder

    def other_sessions(self) -> OtherSessions | None:
        """Return the other sessions of the folder that fine-tuning can use with the open session.

        None if no folder is open, or the open session is not on its current scan.
        """
        open_session, folder = self._open_session(), self._folder
        if open_session is None or folder is None:
            return None
        return OtherSessions.of(folder, self._at, open_session.session.categories)

    def open_folder(self, folder: Path) -> None:
        """Show what a folder holds, if it is not one plain case, and open the first scan to do."""
        self.planner.plan(folder)

    def go_to(self, at: int) -> None:
        """Save the open session, and open another scan of the folder.

        If saving fails, nothing changes; the autosave shows the error.
        """
        folder = self._folder
        if folder is None or not self._is_saved():
            return
        self._leave_scan()
        self._layers.start_scan()
        self._at, self._waiting = at, True
        self._show_busy()
        self._arrange()
        self._fetch(folder, at)

    def set_busy(self, busy: bool) -> None:
        """Disable the buttons while a session is being opened or started."""
        self._busy = busy
        self._show_busy()

    def close(self) -> None:
        """Close the folder; layers and session stay open."""
        self._close_folder()
        self._layers.release()

    def _close_folder(self) -> None:
        if self._folder is None:
            return
        self._folder.close()
        self._keys.unbind()
        self._folder = self._at = None
        self._others.stop()
        self._waiting = False
        self._shown.hide()
        self.note_changed.emit("")
        self.changed.emit()

    def _is_saved(self) -> bool:
        """Save the open session; False if that failed, of which the autosave tells."""
        current = self._desk.current
        return current is None or current.autosave.finish()

    def _leave_scan(self) -> None:
        self._desk.close()
        self._others.stop()
        self._layers.remove()

    def _on_planned(self, plan: Plan) -> None:
        if not self._is_saved():
            return
        self._close_folder()
        self._leave_scan()
        self.opened.emit(plan)
        scans, ratio = case_scans(plan), self.bar.devicePixelRatioF()
        self._folder = folder = ScanFolder(scans, self._open_source, ratio)
        folder.reader.arrived.connect(self._on_arrived)
        folder.states.changed.connect(self._arrange)
        folder.states.changed.connect(self.changed)
        folder.states.refreshed.connect(self._on_refreshed)
        for worker in folder.workers:
            self.parent().destroyed.connect(worker.close)
        self._shown.show_folder(folder)
        steps = {"next_scan": self.bar.next_button, "previous_scan": self.bar.previous_button}
        self._keys.bind({key_of(name): button.click for name, button in steps.items()})
        self._parent = self._parent_folder()
        folder.states.refresh(self._parent)

    def _on_refreshed(self) -> None:
        """Open the first scan to do, when the states of all scans have been read."""
        if self._at is None:
            self._arrange()
            queue = self._shown.queue
            self.go_to(next(iter(queue.todo), queue.order[0]))

    def _step(self, by: int) -> None:
        if self._at is not None:
            self._on_chosen(self._shown.queue.step(self._at, by))

    def _on_chosen(self, at: int) -> None:
        if at != self._at:
            self.go_to(at)

    def _on_list(self) -> None:
        if self._folder is not None:
            self._folder.states.refresh(self._parent_folder())
            self._shown.fill_list()

    def _arrange(self) -> None:
        """Sort the scans again, after their states or the wanted order have changed."""
        folder, at = self._folder, self._at
        if folder is None:
            return
        self._shown.arrange(folder, at)
        if at is None:
            return
        self.note_changed.emit(self._shown.note() if self._open_session() else "")
        if not self._waiting:
            folder.read_next(self._shown.queue, at)

    def _show_busy(self) -> None:
        self.bar.set_busy(self._busy or self._waiting)

    def _open_source(self, at: int) -> ThumbnailSource | None:
        open_session, scan = self._open_session(), self._layers.scan
        if at != self._at:
            return None
        if open_session is not None:
            session = open_session.session
            return source_of_layers(session.scan, open_session.mask.data, session.categories)
        return None if scan is None else source_of_scan(scan)

    def _fetch(self, folder: ScanFolder, at: int) -> None:
        source = folder.sources[at]
        found = folder.states.find(at, self._parent_folder())
        self.scan_opened.emit(found is not None)
        if found is None:
            folder.reader.request(source)
            return
        self._waiting = False
        self._desk.open(found.folder)
        self._show_busy()
        self._arrange()

    def _on_arrived(self, source: Source, result: Scan | SegmentationError) -> None:
        if not self._waiting or source != self._source:
            return
        self._waiting = False
        if isinstance(result, SegmentationError):
            show_error(str(result))
        else:
            self._show_case(result)
        self._show_busy()
        self._arrange()

    def _show_case(self, scan: Scan) -> None:
        """Add the scan, and the other sequences and the masks of its case."""
        if self._folder is not None and self._at is not None:
            case = self._folder.scans[self._at].case
            self._layers.show(scan, case)
            self._others.show(case, scan, self._layers.keep)

    def _open_session(self) -> OpenSession | None:
        """Return the open session if it is on the current scan, else None."""
        open_session, source = self._desk.current, self._source
        is_on = source and open_session and open_session.session.record.is_on(source)
        return open_session if is_on else None

    def _on_session(self) -> None:
        """Follow the opening and the closing of the current scan's session."""
        open_session, folder = self._open_session(), self._folder
        if open_session is not None:
            self._parent = open_session.session.folder.parent
            self._layers.add_session(open_session.image, open_session.mask, self._desk.others)
            open_session.decisions.queue_changed.connect(self._on_review)
            self._on_review()
        elif folder is not None and self._desk.current is None:
            self._on_closed(folder)

    def _on_closed(self, folder: ScanFolder) -> None:
        if self._parent is not None and self._parent_folder() != self._parent:
            # The closed session was on no scan of the folder and had another parent folder.
            self.folder_proposed.emit(free_folder(self._parent, self._name()))
        folder.states.set_open(None)
        if self._at is not None:
            folder.states.refresh_scan(self._at, self._parent_folder())
        folder.states.refresh(self._parent_folder())

    def _on_review(self) -> None:
        open_session = self._open_session()
        if open_session is not None and self._folder is not None:
            session = open_session.session
            review = scan_review(session.states, session.predicted_dice)
            self._folder.states.set_open(self._at, review)
            self._arrange()

    def _without_session(self) -> ScanWithoutSession | None:
        if self.path is None or self._desk.current is not None:
            return None
        return ScanWithoutSession(self.path, self._name())

    def _name(self) -> str:
        """Return the name of the current scan's session."""
        return "" if self._folder is None or self._at is None else self._folder.names[self._at]
