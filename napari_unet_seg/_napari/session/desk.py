"""The desk: opens, holds and closes the open session of a window."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from napari.layers import Labels
from qtpy.QtCore import QObject, QTimer, Signal

from napari_unet_seg._napari.categories.edits import set_categories
from napari_unet_seg._napari.layers.conversion import categories_of, is_user_layer
from napari_unet_seg._napari.layers.images.owner import record_image
from napari_unet_seg._napari.layers.images.turned_mask import turn_onto_image
from napari_unet_seg._napari.layers.layer_record import record_of
from napari_unet_seg._napari.layers.position import make_editable
from napari_unet_seg._napari.session import recovery
from napari_unet_seg._napari.session.deleted_mask import DeletedMask
from napari_unet_seg._napari.session.jobs import SessionWithMask, create_session, reopen_session
from napari_unet_seg._napari.session.open_session import OpenSession
from napari_unet_seg._napari.session.other_masks import record_masks
from napari_unet_seg._napari.session.session_changes import SessionChanges
from napari_unet_seg._napari.session.session_layers import session_arguments, show_session
from napari_unet_seg._napari.widgets import jobs
from napari_unet_seg._napari.widgets.dock_widget import connect
from napari_unet_seg._napari.widgets.messages import show_error, show_info, show_warning
from napari_unet_seg.errors import SegmentationError
from napari_unet_seg.events import Progress

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Sequence

    from napari.layers import Image, Layer
    from napari.viewer import ViewerModel
    from qtpy.QtWidgets import QWidget

    from napari_unet_seg.session.session import Session

_WRITES = "The session is written whole or not at all; it can be deleted afterwards."


class SessionDesk(QObject):
    """Owns the open session; other parts of the dock connect to its signals.

    Parameters
    ----------
    viewer : napari.Viewer
        The viewer that shows sessions.
    dock : QWidget
        The dock with which the desk is destroyed.
    """

    opened = Signal(object)
    """Emitted with the new `OpenSession`."""
    leaving = Signal()
    """Emitted when the session is no longer open, before its last save."""
    session_changed = Signal(object)
    """Emitted with the `Session` after `opened`; with None after a session was closed."""
    mask_deleted = Signal(object)
    """Emitted with the `DeletedMask` after the session was closed because its mask was deleted."""
    busy_changed = Signal(bool)
    """Emitted with whether a session is being started or opened, or a mask written."""
    job_started = Signal(object)
    """Emitted with the `Job` of what makes the desk busy."""

    def __init__(self, viewer: ViewerModel, dock: QWidget) -> None:
        super().__init__(dock)
        self._viewer = viewer
        self._current: OpenSession | None = None
        self._job: jobs.Job | None = None
        self._lent: Session | None = None
        self._is_dismissed = False
        self._changes = SessionChanges(dock)
        # Of all layers that are removed at once the session's mask, which closes it, may be last.
        self._removed = QTimer(self)
        self._removed.setSingleShot(True)
        self._removed.timeout.connect(self._record_masks)
        self.others: Sequence[Layer] = ()
        """Layers of the case's other channels, sequences and masks, which came with the session."""
        events = viewer.layers.events
        connect(dock, (events.inserted, self._on_inserted), (events.removed, self._on_removed))

    @property
    def current(self) -> OpenSession | None:
        """The open session with its layers."""
        return self._current

    @property
    def session(self) -> Session | None:
        """The open session."""
        return self._current.session if self._current else None

    @property
    def busy(self) -> bool:
        """Whether a session is being started or opened, or a mask written."""
        return self._job is not None

    def start(self, image: Image, mask: Labels, folder: Path) -> None:
        """Start a session on an image and its mask in a folder."""
        if self.busy:
            return
        try:
            turn_onto_image(mask, image)
            arguments = session_arguments(image, mask, self._viewer.layers)
        except SegmentationError as error:
            show_error(str(error))
            return

        def show(opened: SessionWithMask) -> None:
            if not {image, mask} <= set(self._viewer.layers):
                opened.session.close()
                show_error(f"{image.name} or {mask.name} was removed; add it and start again.")
                return
            if opened.mask is not mask.data:
                mask.data = opened.mask
            record_image(mask, image)
            if not categories_of(mask):
                set_categories(mask, opened.session.categories)
            self._begin(opened.session, image, mask)

        images = record_of(mask).coco
        source = images.source if images is not None else None
        events = create_session(folder, arguments, source)
        self.run(events, show, "Starting the session", unstoppable=_WRITES)

    def open(self, folder: Path | str) -> None:
        """Open a session with its scan and its last saved mask."""
        folder = Path(folder).absolute()
        already = self.session is not None and self.session.folder == folder
        if self.busy or already:
            return

        def show(opened: SessionWithMask) -> None:
            try:
                image, mask, others = show_session(self._viewer, *opened[:-1])
            except BaseException:
                opened.session.close()
                raise
            for problem in opened.problems:
                show_warning(problem)
            self._begin(opened.session, image, mask, others).decisions.go_on()

        self.run(reopen_session(folder, self._held(folder)), show, "Opening the session")

    def restore(self, deleted: DeletedMask) -> None:
        """Bring back a deleted mask, and open its session again."""
        if self.busy:
            return

        def show(opened: SessionWithMask) -> None:
            deleted.add_again(self._viewer)
            if not np.array_equal(deleted.mask.data, opened.mask):  # another program has edited it
                deleted.mask.data = opened.mask
            self._begin(opened.session, deleted.image, deleted.mask)

        self.run(
            reopen_session(deleted.folder, self._held(deleted.folder)), show, "Opening the session"
        )

    def close(self) -> None:
        """Save and close the session; its layers stay open."""
        current, self._current = self._current, None
        if current is None:
            return
        self.leaving.emit()
        self._changes.ask_before_close(current)
        current.close()
        recovery.record_closed(current.session.folder)
        self.session_changed.emit(None)

    def lend(self, session: Session) -> None:
        """Record that a background round holds a session, so that it can be opened again."""
        self._lent = session

    def dismiss(self, is_dismissed: bool) -> None:
        """Set whether the dock is closed; a session that is opened later is closed at once."""
        self._is_dismissed = is_dismissed

    def run(
        self,
        events: Generator[Any, Any, None],
        on_event: Callable[[Any], None],
        name: str,
        on_error: Callable[[SegmentationError], None] | None = None,
        unstoppable: str = "",
    ) -> None:
        """Run a job on sessions in a thread, one at a time; see `jobs.run`."""

        def on_done() -> None:
            self._job = None
            self.busy_changed.emit(False)

        def deliver(event: Any) -> None:
            if isinstance(event, Progress):
                return
            if self._is_dismissed and isinstance(event, SessionWithMask):
                event.session.close()
                return
            try:
                on_event(event)
            except SegmentationError as error:
                show_error(str(error))

        self._job = jobs.run(
            events,
            on_event=deliver,
            on_error=on_error,
            on_done=on_done,
            name=name,
            unstoppable=unstoppable,
        )
        self._job.owner = self  # so that the × of the dock asks
        self.busy_changed.emit(True)
        self.job_started.emit(self._job)

    def _begin(
        self, session: Session, image: Image, mask: Labels, others: Sequence[Layer] = ()
    ) -> OpenSession:
        self.close()
        self.others = others
        make_editable(mask)
        self._current = current = OpenSession(self._viewer, session, image, mask)
        self._changes.watch(current)
        self.opened.emit(current)
        recovery.record_open(session.folder)
        if session.lock.note:
            show_info(session.lock.note)
        self.session_changed.emit(session)
        return current

    def _held(self, folder: Path) -> Session | None:
        """Return the lent session of a folder, held once more, if its round has not ended."""
        lent = self._lent
        return lent if lent is not None and lent.folder == folder and lent.hold_again() else None

    def _on_inserted(self, event: Any) -> None:
        if is_user_layer(event.value, Labels):
            self._record_masks()

    def _record_masks(self) -> None:
        if self._current is not None:
            record_masks(self._current)

    def _on_removed(self, event: Any) -> None:
        current = self._current
        if current is None or event.value is not current.mask:
            self._removed.start(0)
            return
        self.close()
        folder = current.session.folder
        self.mask_deleted.emit(DeletedMask(folder, current.image, current.mask, event.index))
