"""The page Open: files, a folder of scans, a session, the sample, and what was opened last."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import (
    QFileDialog,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from napari_unet_seg._napari.dock.first_run import FirstRunCard
from napari_unet_seg._napari.dock.recent import Recent, last_folder, recent
from napari_unet_seg._napari.review.session_bar import sessions_folder
from napari_unet_seg._napari.session import recovery
from napari_unet_seg._napari.widgets import jobs
from napari_unet_seg._napari.widgets.status_label import StatusLabel

if TYPE_CHECKING:
    from napari_unet_seg._napari.session.recovery import UnclosedSession

_FILES = (
    "Scans, masks and COCO (*.nii *.nii.gz *.tif *.tiff *.dcm *.png *.jpg *.json);;All files (*)"
)
_NAME_WIDTH = 110
"""Width in pixels of a session's name in a button; a long name would widen the dock."""
_MARKS = {"file": "▫", "folder": "▤", "session": "✎"}


class OpenPage(QWidget):
    """Asks for what to open; the dock opens it."""

    files_wanted = Signal(object)
    """Emitted with the paths of files."""
    folder_wanted = Signal(object)
    """Emitted with a folder of scans."""
    session_wanted = Signal(object)
    """Emitted with the folder of a session."""
    sample_wanted = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.first_run = FirstRunCard()
        self.file_button = _button("Open file…", "Open scans and masks in one go")
        self.folder_button = _button("Open folder…", "Review the scans of a folder one by one")
        self.session_button = _button("Open session…", "Continue a session that was saved before")
        self.sample_button = _button("Open the sample", "Open the sample scan of the plugin")
        self.reopen_button = _button("", "Continue a session that was not closed")
        self.decline_button = QToolButton()
        self.decline_button.setText("✕")
        self.decline_button.setToolTip("Do not offer this session again; it is not deleted")
        self.offered: Path | None = None
        """Folder of the session that the user is offered to reopen."""
        self.recent = QWidget()
        self.listed: list[Recent] = []
        """What is offered to be opened again."""
        self.status = StatusLabel()
        self._lay_out()
        self.file_button.clicked.connect(self._browse_files)
        self.folder_button.clicked.connect(self._browse_folder)
        self.session_button.clicked.connect(self._browse_session)
        self.sample_button.clicked.connect(self.sample_wanted)
        self.reopen_button.clicked.connect(lambda: self.session_wanted.emit(self.offered))
        self.decline_button.clicked.connect(self._decline)
        self.offer(None)
        self.show_recent()
        self._search_unclosed()

    def offer(self, unclosed: UnclosedSession | None) -> None:
        """Offer to reopen a session that was not closed; None for no offer."""
        self.offered = unclosed.folder if unclosed else None
        self._offer.setVisible(unclosed is not None)
        if unclosed is not None:
            today = unclosed.saved.date() == datetime.now().date()
            time = f"{unclosed.saved:%H:%M}" if today else f"{unclosed.saved:%d %b %H:%M}"
            name = self.fontMetrics().elidedText(
                unclosed.folder.name, Qt.TextElideMode.ElideMiddle, _NAME_WIDTH
            )
            self.reopen_button.setText(f"Reopen “{name}” (saved {time})")
            self.reopen_button.setToolTip(f"It was not closed: {unclosed.folder}")

    def show_recent(self) -> None:
        """List what was opened last."""
        for button in self.recent.findChildren(QPushButton):
            self._rows.removeWidget(button)
            button.deleteLater()
        self.listed = found = recent()
        self._heading.setVisible(bool(found))
        for each in found:
            button = _button("", f"Open the {each.kind} {each.path}")
            text = self.fontMetrics().elidedText(
                f"{_MARKS[each.kind]}  {each.title}", Qt.TextElideMode.ElideMiddle, 300
            )
            button.setText(text.replace("&", "&&"))
            button.setFlat(True)
            button.setStyleSheet("text-align: left; padding: 3px 6px")
            button.clicked.connect(lambda _, each=each: self._open(each.kind, each.path))
            self._rows.addWidget(button)

    def set_busy(self, busy: bool) -> None:
        """Disable the buttons while a session is being opened."""
        for widget in (self.session_button, self.folder_button, self.recent, self._offer):
            widget.setEnabled(not busy)

    def _open(self, kind: str, path: Path) -> None:
        if kind == "file":
            self.files_wanted.emit([path])
        else:
            (self.folder_wanted if kind == "folder" else self.session_wanted).emit(path)

    def _browse_files(self) -> None:
        start = last_folder()
        chosen, _ = QFileDialog.getOpenFileNames(self, "Open scans and masks", str(start), _FILES)
        if chosen:
            self.files_wanted.emit([Path(path) for path in chosen])

    def _browse_folder(self) -> None:
        start = last_folder().parent  # so that its neighbours are listed
        folder = QFileDialog.getExistingDirectory(self, "Choose a folder of scans", str(start))
        if folder:
            self.folder_wanted.emit(Path(folder))

    def _browse_session(self) -> None:
        start = str(sessions_folder())
        folder = QFileDialog.getExistingDirectory(self, "Choose the folder of a session", start)
        if folder:
            self.session_wanted.emit(Path(folder))

    def _search_unclosed(self) -> None:
        if recovery.has_records():
            jobs.run(recovery.find_unclosed(), on_event=self.offer, name="Finding sessions")

    def _decline(self) -> None:
        if self.offered is not None:
            recovery.record_closed(self.offered)
            self.offer(None)
            self._search_unclosed()

    def _lay_out(self) -> None:
        self._offer = QWidget()
        offer = QHBoxLayout(self._offer)
        offer.setContentsMargins(0, 0, 0, 0)
        offer.addWidget(self.reopen_button, 1)
        offer.addWidget(self.decline_button)
        buttons = QGridLayout()
        buttons.setSpacing(4)
        buttons.addWidget(self.file_button, 0, 0)
        buttons.addWidget(self.folder_button, 0, 1)
        buttons.addWidget(self.session_button, 1, 0)
        buttons.addWidget(self.sample_button, 1, 1)
        self.file_button.setMinimumHeight(40)
        self.folder_button.setMinimumHeight(40)
        self._rows = QVBoxLayout(self.recent)
        self._rows.setContentsMargins(0, 0, 0, 0)
        self._rows.setSpacing(1)
        self._heading = QLabel("<b>Opened last</b>")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.first_run)
        layout.addWidget(self._offer)
        layout.addLayout(buttons)
        layout.addWidget(self.status)
        layout.addWidget(self._heading)
        layout.addWidget(self.recent)
        layout.addStretch(1)


def _button(text: str, tip: str) -> QPushButton:
    button = QPushButton(text)
    button.setToolTip(tip)
    return button
