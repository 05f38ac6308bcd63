"""What to do with files of the open session that another program has changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import QObject

from napari_unet_seg._napari.files.changed_dialog import SessionChangedDialog
from napari_unet_seg._napari.widgets.messages import show_error
from napari_unet_seg.errors import ChangedError
from napari_unet_seg.session.stored.scan import SESSION_FILE

if TYPE_CHECKING:
    from qtpy.QtWidgets import QWidget

    from napari_unet_seg._napari.session.open_session import OpenSession
    from napari_unet_seg.errors import SegmentationError


class SessionChanges(QObject):
    """Shows the errors of saves, and asks which version stays where a file was changed.

    Parameters
    ----------
    dock : QWidget
        The dock, below the question.
    """

    def __init__(self, dock: QWidget) -> None:
        super().__init__(dock)
        self._dock = dock
        self.dialog: SessionChangedDialog | None = None
        """The question that is open."""
        self._current: OpenSession | None = None

    def watch(self, current: OpenSession) -> None:
        """Show the errors of the saves of a session from now on."""
        self._current = current
        # A method of a QObject, as the signal comes from another thread.
        current.autosave.failed.connect(self._report)

    def _report(self, error: SegmentationError) -> None:
        if not isinstance(error, ChangedError):
            show_error(str(error))
            return
        current = self._current
        # The error may be of a session that was closed, or settled since.
        if self.dialog is None and current is not None and current.autosave.changed is not None:
            self.dialog = self._question(current, error)
            self.dialog.finished.connect(lambda _: self._settle(current))
            self.dialog.open()

    def ask_before_close(self, current: OpenSession) -> None:
        """Write the session, and ask about each changed file until it is settled or left."""
        self._current = None
        if self.dialog is not None:
            self.dialog.reject()
        while not current.save() and (error := current.autosave.changed) is not None:
            dialog = self._question(current, error)
            dialog.exec()
            version = dialog.value()
            dialog.deleteLater()
            if version is None:
                show_error(str(error))
                return
            current.keep(error.path, version)

    def _settle(self, current: OpenSession) -> None:
        dialog, self.dialog = self.dialog, None
        if dialog is None:
            return
        dialog.deleteLater()
        if (version := dialog.value()) is not None:
            current.keep(dialog.path, version)
            current.autosave.save()

    def _question(self, current: OpenSession, error: ChangedError) -> SessionChangedDialog:
        is_record = error.path.name == SESSION_FILE
        stem = error.path.stem
        what = "The states of the slices" if is_record else f"The mask of slice {int(stem)}"
        return SessionChangedDialog(error, f"{what} in {current.session.folder.name}", self._dock)
