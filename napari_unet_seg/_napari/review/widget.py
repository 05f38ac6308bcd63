"""Correct and save: review a mask slice by slice, save it, and let the network learn from it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from qtpy.QtCore import QEvent, Signal
from qtpy.QtWidgets import QApplication, QTabWidget, QVBoxLayout

from napari_unet_seg._napari.compare.tab import CompareTab
from napari_unet_seg._napari.files import writer
from napari_unet_seg._napari.fine_tune.learning import Learning
from napari_unet_seg._napari.fine_tune.panel import FineTunePanel
from napari_unet_seg._napari.layers.geometry import geometry_of
from napari_unet_seg._napari.review.save_bar import SaveBar
from napari_unet_seg._napari.review.session_bar import SessionBar
from napari_unet_seg._napari.review.slices_tab import ReviewTab
from napari_unet_seg._napari.scans.queue import ScanQueue
from napari_unet_seg._napari.session import recovery
from napari_unet_seg._napari.session.desk import SessionDesk
from napari_unet_seg._napari.session.jobs import writing
from napari_unet_seg._napari.tools.tab import Tools
from napari_unet_seg._napari.widgets import jobs
from napari_unet_seg._napari.widgets.dock_widget import DockWidget, before_window_goes

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari.layers import Image, Labels
    from napari.viewer import ViewerModel

    from napari_unet_seg._napari.session.open_session import OpenSession
    from napari_unet_seg._napari.session.recovery import LeftOpen
    from napari_unet_seg.session.session import Session


class ReviewWidget(DockWidget):
    """Starts, opens and closes sessions, and saves their masks.

    Parameters
    ----------
    napari_viewer : napari.Viewer
        Where masks are corrected.
    """

    written = Signal(object)
    """The path of a mask or COCO file that was saved."""

    def __init__(self, napari_viewer: ViewerModel) -> None:
        super().__init__(napari_viewer)
        self.desk = SessionDesk(napari_viewer, self)
        self.bar = SessionBar(napari_viewer)
        self.review = ReviewTab()
        self.tools = Tools(napari_viewer, lambda: self.current_image)
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
        self._lay_out()
        self._listen()
        self.refresh()
        self._look_for_left()
        self._show_mask()

    @property
    def current_mask(self) -> Labels | None:
        """What is corrected and saved: the open session's mask, else the chosen one."""
        current = self.desk.current
        return current.mask if current else self.bar.mask_combo.layer()

    @property
    def current_image(self) -> Image | None:
        """What it is the mask of."""
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
        """Write the mask as TIFF, or by its name as NIfTI or OME-Zarr."""
        self._save(Path(path), writer.write_tiff)

    def save_binary(self, folder: Path | str) -> None:
        """Write TIFFs of 0 and 255 into a folder, one for each image and category."""
        self._save(Path(folder), writer.write_binary)

    def save_coco(self, path: Path | str) -> None:
        """Write the mask as COCO."""
        self._save(Path(path), writer.write_coco)

    def refresh(self) -> None:
        """Enable what can be done now."""
        # What a tool makes of the mask is to be saved in its own session.
        busy = self.desk.busy or self.tools.busy
        self.bar.set_busy(busy)
        self.saving.set_busy(busy or self.current_mask is None)
        # Going to another scan would stop it.
        learning = self.fine_tune.panel.running and not self.fine_tune.goes_on
        self.scans.set_busy(busy or learning)

    def event(self, event: QEvent) -> bool:
        """Close the session when the dock is closed, which takes this widget out of it."""
        if event.type() == QEvent.Type.ParentChange:
            is_closed = self.parent() is None
            self.desk.dismiss(is_closed)
            if is_closed:
                self._leave()
                self.tools.marks.end()
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
        layout.addWidget(self.tabs, 1)
        layout.addWidget(self.saving)

    def _listen(self) -> None:
        desk, bar, tools = self.desk, self.bar, self.tools
        desk.opened.connect(self._on_opened)
        desk.leaving.connect(self._on_leaving)
        desk.session_changed.connect(self._show_mask)
        desk.busy_changed.connect(self.refresh)
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
        # Strokes that are still there would take Ctrl+Z for theirs.
        self.review.revert_button.clicked.connect(tools.marks.end)
        self.saving.tiff_wanted.connect(self.save_tiff)
        self.saving.binary_wanted.connect(self.save_binary)
        self.saving.coco_wanted.connect(self.save_coco)
        before_window_goes(self, self._leave)
        QApplication.instance().aboutToQuit.connect(self._leave)

    def _leave(self) -> None:
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

    def _on_leaving(self) -> None:
        self.fine_tune.leave()
        self.learning.show_session(None)
        self.review.unbind()
        self.review.show_session(None)
        self.compare.show_session(None)
        self.fine_tune.show_session(None)
        self.bar.show_session(None)

    def _store_locks(self, _: bool) -> None:
        if self.desk.current is not None:
            self.desk.current.store_locks()

    def _look_for_left(self) -> None:
        if recovery.any_noted():
            jobs.run(recovery.looking(), on_event=self._on_left, name="Looking for sessions")

    def _on_left(self, left: LeftOpen | None) -> None:
        self.bar.offer(left if self.session is None else None)

    def _on_declined(self, folder: Path) -> None:
        recovery.note_closed(folder)
        self.bar.offer(None)
        self._look_for_left()

    def _save(self, path: Path, write: Callable[..., list[str]]) -> None:
        mask = self.current_mask
        if mask is None or self.desk.busy:
            return
        attributes = {
            "name": mask.name,
            "metadata": mask.metadata,
            "features": mask.features,
            **geometry_of(mask),
        }
        events = writing(write, path, mask.data, attributes)
        self.desk.run(events, self._on_written, f"Saving {path.name}")

    def _on_written(self, path: Path) -> None:
        self.review.report(f"wrote {path}")
        self.written.emit(path)

    def _show_mask(self, _: object = None) -> None:
        self.tools.show_mask(self.current_mask, self.session)
        self.refresh()
