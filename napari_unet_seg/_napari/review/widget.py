"""Correct and save: review a mask slice by slice, save it, and fine-tune a network on it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from qtpy.QtCore import QEvent, Signal
from qtpy.QtWidgets import QApplication, QTabWidget, QVBoxLayout

from napari_unet_seg._napari.compare.tab import CompareTab
from napari_unet_seg._napari.fine_tune.learning import Learning
from napari_unet_seg._napari.fine_tune.panel import FineTunePanel
from napari_unet_seg._napari.review.mask_saver import MaskSaver
from napari_unet_seg._napari.review.save_bar import SaveBar
from napari_unet_seg._napari.review.session_bar import SessionBar
from napari_unet_seg._napari.review.slices_tab import SlicesTab
from napari_unet_seg._napari.scans.queue import ScanQueue
from napari_unet_seg._napari.session import recovery
from napari_unet_seg._napari.session.deleted_mask import DeletedMaskBar
from napari_unet_seg._napari.session.desk import SessionDesk
from napari_unet_seg._napari.tools.tab import ToolsTab
from napari_unet_seg._napari.widgets import jobs
from napari_unet_seg._napari.widgets.dock_widget import DockWidget, call_before_window_deletion

if TYPE_CHECKING:
    from napari.layers import Image, Labels
    from napari.viewer import ViewerModel

    from napari_unet_seg._napari.session.open_session import OpenSession
    from napari_unet_seg._napari.session.recovery import UnclosedSession
    from napari_unet_seg.session.session import Session


class ReviewWidget(DockWidget):
    """Starts, opens and closes sessions, and saves masks.

    Parameters
    ----------
    napari_viewer : napari.Viewer
        The viewer in which masks are corrected.
    """

    written = Signal(object)
    """Emitted with the path of a saved mask or COCO file."""

    def __init__(self, napari_viewer: ViewerModel) -> None:
        super().__init__(napari_viewer)
        self.desk = SessionDesk(napari_viewer, self)
        self.bar = SessionBar(napari_viewer)
        self.deleted = DeletedMaskBar()
        self.review = SlicesTab()
        self.tools = ToolsTab(napari_viewer, lambda: self.current_image)
        self.compare = CompareTab(napari_viewer)
        self.scans = ScanQueue(napari_viewer, self.desk, self.bar.parent_folder, self)
        self.fine_tune = FineTunePanel(
            napari_viewer, self.desk, lambda: self.scans.folder, self.scans.other_sessions
        )
        self.learning = Learning(self.fine_tune)
        self.saving = SaveBar(
            lambda: self.current_mask,
            lambda: self.session.folder if self.session else Path.home(),
        )
        self.saver = MaskSaver(napari_viewer, self.desk, self)
        self._lay_out()
        self._connect()
        self.refresh()
        self._search_unclosed()
        self._show_mask()

    @property
    def current_mask(self) -> Labels | None:
        """The mask that is corrected and saved: the open session's, else the chosen layer."""
        current = self.desk.current
        return current.mask if current else self.bar.mask_combo.layer()

    @property
    def current_image(self) -> Image | None:
        """The image of `current_mask`."""
        current = self.desk.current
        return current.image if current else self.bar.image_combo.layer()

    @property
    def session(self) -> Session | None:
        """The open session."""
        return self.desk.session

    def start_session(self) -> None:
        """Start a session on the chosen layers in the chosen folder."""
        bar = self.bar
        image, mask, folder = bar.image_combo.layer(), bar.mask_combo.layer(), bar.folder.value()
        if image is not None and mask is not None and folder is not None:
            self.desk.start(image, mask, folder)

    def save_tiff(self, path: Path | str) -> None:
        """Write the mask as TIFF, NIfTI or OME-Zarr, by the name of the path."""
        self.saver.save_tiff(self.current_mask, Path(path))

    def save_binary(self, folder: Path | str) -> None:
        """Write TIFFs of 0 and 255 into a folder, one for each image and category."""
        self.saver.save_binary(self.current_mask, Path(folder))

    def save_coco(self, path: Path | str) -> None:
        """Write the mask as COCO, with the other masks of the same COCO file."""
        self.saver.save_coco(self.current_mask, Path(path))

    def refresh(self) -> None:
        """Enable the controls that can be used now."""
        # The result of a running tool belongs to the session that is open now.
        busy = self.desk.busy or self.tools.busy
        self.bar.set_busy(busy)
        self.saving.set_busy(busy or self.current_mask is None)
        # Another scan would stop a fine-tuning that does not run in the background.
        learning = self.fine_tune.panel.running and not self.fine_tune.outlives_session
        self.scans.set_busy(busy or learning)

    def event(self, event: QEvent) -> bool:
        """Close the session when the dock is closed, which takes this widget out of it."""
        if event.type() == QEvent.Type.ParentChange:
            is_closed = self.parent() is None
            self.desk.dismiss(is_closed)
            if is_closed:
                self._release()
                self.tools.prompts.end()
                self.compare.contours.setChecked(False)
        return bool(super().event(event))

    def _lay_out(self) -> None:
        self.tabs = QTabWidget()
        self.tabs.addTab(self.review, "Review")
        self.tabs.addTab(self.tools, "Tools")
        self.tabs.addTab(self.compare, "Compare")
        self.tabs.addTab(self.fine_tune, "Fine-tune")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(4, 4, 4, 4)
        layout.setSpacing(6)
        layout.addWidget(self.scans.bar)
        layout.addWidget(self.bar)
        layout.addWidget(self.deleted)
        layout.addWidget(self.tabs, 1)
        layout.addWidget(self.saving)

    def _connect(self) -> None:
        desk, bar, tools = self.desk, self.bar, self.tools
        desk.opened.connect(self._on_opened)
        desk.leaving.connect(self._on_leaving)
        desk.session_changed.connect(self._show_mask)
        desk.busy_changed.connect(self.refresh)
        desk.mask_deleted.connect(self.deleted.offer)
        self.deleted.restore_wanted.connect(desk.restore)
        bar.start_wanted.connect(self.start_session)
        bar.open_wanted.connect(desk.open)
        bar.close_wanted.connect(desk.close)
        bar.declined.connect(self._on_declined)
        bar.mask_combo.layerChanged.connect(self._show_mask)
        bar.scans_wanted.connect(self.scans.open_folder)
        self.scans.changed.connect(self.fine_tune.refresh)
        self.scans.note_changed.connect(self.review.show_note)
        self.scans.folder_proposed.connect(bar.folder.setValue)
        self.fine_tune.panel.running_changed.connect(self.refresh)
        tools.busy_changed.connect(self.refresh)
        tools.lock_toggled.connect(self._store_locks)
        # Otherwise the strokes on screen would take Ctrl+Z for their own undo.
        self.review.revert_button.clicked.connect(tools.prompts.end)
        self.saving.tiff_wanted.connect(self.save_tiff)
        self.saving.binary_wanted.connect(self.save_binary)
        self.saving.coco_wanted.connect(self.save_coco)
        self.saver.written.connect(self._on_written)
        call_before_window_deletion(self, self._release)
        QApplication.instance().aboutToQuit.connect(self._release)

    def _release(self) -> None:
        self.fine_tune.abandon()
        self.scans.close()
        self.desk.close()

    def _on_opened(self, current: OpenSession) -> None:
        self.review.show_session(current)
        self.review.bind(self.viewer)
        self.compare.show_session(current)
        self.fine_tune.show_session(current)
        self.learning.show_session(current)
        self.bar.show_session(current.session.folder)
        self.bar.offer(None)
        self.deleted.offer(None)

    def _on_leaving(self) -> None:
        self.fine_tune.stop_with_session()
        self.learning.show_session(None)
        self.review.unbind()
        self.review.show_session(None)
        self.compare.show_session(None)
        self.fine_tune.show_session(None)
        self.bar.show_session(None)

    def _store_locks(self, _: bool) -> None:
        if self.desk.current is not None:
            self.desk.current.store_locks()

    def _search_unclosed(self) -> None:
        if recovery.has_records():
            jobs.run(recovery.find_unclosed(), on_event=self._on_unclosed, name="Finding sessions")

    def _on_unclosed(self, unclosed: UnclosedSession | None) -> None:
        self.bar.offer(unclosed if self.session is None else None)

    def _on_declined(self, folder: Path) -> None:
        recovery.record_closed(folder)
        self.bar.offer(None)
        self._search_unclosed()

    def _on_written(self, path: Path) -> None:
        self.review.report(f"Saved {path}")
        self.written.emit(path)

    def _show_mask(self, _: object = None) -> None:
        self.tools.show_mask(self.current_mask, self.session)
        self.refresh()
