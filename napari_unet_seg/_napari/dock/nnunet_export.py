"""The two ways to a data set for nnU-Net: of the open session, and of a folder of scans."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_unet_seg._napari.widgets.messages import show_info
from napari_unet_seg.session.folders import damaged_sessions

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from qtpy.QtWidgets import QPushButton

    from napari_unet_seg._napari.dock.nnunet_dialog import NnunetDialog
    from napari_unet_seg._napari.review.widget import ReviewWidget
    from napari_unet_seg._napari.scans.folder import ScanFolder


class NnunetExport:
    """Opens the dialog once the open session is on disk.

    Parameters
    ----------
    correct : ReviewWidget
        The page with the open session and the scans of the folder.
    button : QPushButton
        The button of the page Save, for the open session.
    """

    def __init__(self, correct: ReviewWidget, button: QPushButton) -> None:
        self._correct, self._button = correct, button
        self.dialog: NnunetDialog | None = None
        """The dialog that was opened last."""
        button.clicked.connect(self.of_session)
        correct.desk.session_changed.connect(self._show_session)
        correct.scans.bar.scans.export_wanted.connect(self.of_folder)
        self._show_session(None)

    def of_session(self) -> None:
        """Export the open session."""
        session = self._correct.session
        if session is not None:
            self._open([session.folder], session.folder)

    def of_folder(self) -> None:
        """Export the sessions on the scans of the open folder."""
        folder = self._correct.scans.folder
        if folder is None:
            return
        if sessions := self._sessions(folder):
            self._open(sessions, folder.root)
        else:
            show_info(f"No scan of {folder.root} has a session yet; accept slices first.")

    def _sessions(self, folder: ScanFolder) -> list[Path]:
        """Return the sessions on the scans of a folder, and damaged ones, which are then told."""
        current, parent = self._correct.session, self._correct.bar.parent_folder()
        sessions = []
        for name, found in zip(folder.names, folder.states.found, strict=True):
            sessions += damaged_sessions(parent, name) if found is None else [found.folder]
        is_of_folder = current is not None and any(map(current.record.is_on, folder.sources))
        if current is not None and is_of_folder and current.folder not in sessions:
            sessions.append(current.folder)  # it has started since the folder was read
        return sessions

    def _open(self, sessions: Sequence[Path], named: Path) -> None:
        # Imported here, since nibabel takes its time.
        from napari_unet_seg._napari.dock.nnunet_dialog import NnunetDialog

        current = self._correct.desk.current
        if current is not None and not current.autosave.finish():
            return  # the autosave shows the error
        self.dialog = NnunetDialog(self._correct.window(), sessions, named)
        self.dialog.show()

    def _show_session(self, session: object) -> None:
        is_open = session is not None
        self._button.setEnabled(is_open)
        self._button.setToolTip(
            "Write the accepted slices, with all sequences of the case, as nnU-Net reads them"
            if is_open
            else "Accept slices in Correct first; they are what nnU-Net learns from"
        )
