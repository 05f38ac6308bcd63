"""Correct and save: review a mask slice by slice, save it, and let the network learn from it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari.utils.notifications import show_error, show_info
from qtpy.QtCore import QEvent, Signal
from qtpy.QtWidgets import QApplication, QTabWidget, QVBoxLayout

from napari_unet_seg._napari.compare.tab import CompareTab
from napari_unet_seg._napari.files import writer
from napari_unet_seg._napari.fine_tune.learning import Learning
from napari_unet_seg._napari.fine_tune.panel import FineTunePanel
from napari_unet_seg._napari.layers.geometry import geometry_of
from napari_unet_seg._napari.layers.position import make_editable
from napari_unet_seg._napari.review.save_bar import SaveBar
from napari_unet_seg._napari.review.session_bar import SessionBar
from napari_unet_seg._napari.review.slices_tab import ReviewTab
from napari_unet_seg._napari.scans.queue import ScanQueue
from napari_unet_seg._napari.session import recovery
from napari_unet_seg._napari.session.jobs import Ready, opening, starting, writing
from napari_unet_seg._napari.session.open_session import Reviewing
from napari_unet_seg._napari.session.session_layers import session_of, show_session
from napari_unet_seg._napari.tools.tab import Tools
from napari_unet_seg._napari.widgets import jobs
from napari_unet_seg._napari.widgets.dock_widget import DockWidget, before_window_goes, connect
from napari_unet_seg.errors import SegmentationError

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Sequence

    from napari.layers import Image, Labels
    from napari.viewer import ViewerModel

    from napari_unet_seg._napari.session.recovery import LeftOpen
    from napari_unet_seg.session.session import Session


class ReviewWidget(DockWidget):
    """Starts, opens and closes sessions, and saves their masks.

    Parameters
    ----------
    napari_viewer : napari.Viewer
        Where masks are corrected.
    """

    session_changed = Signal(object)
    """The open session, None once it is closed."""
    written = Signal(object)
    """The path of a mask or COCO file that was saved."""

    def __init__(self, napari_viewer: ViewerModel) -> None:
        super().__init__(napari_viewer)
        self._job: jobs.Job | None = None
        self._is_closed = False
        self.reviewing: Reviewing | None = None
        self.channels: Sequence[Image] = ()
        """Other channels of the scan, which came when the session was opened."""
        self.bar = SessionBar(napari_viewer)
        self.review = ReviewTab()
        self.tools = Tools(napari_viewer, lambda: self.current_image)
        self.compare = CompareTab(napari_viewer)
        self.fine_tune = FineTunePanel(napari_viewer)
        self.learning = Learning(self.fine_tune)
        self.scans = ScanQueue(napari_viewer, self)
        self.fine_tune.scans = self.scans
        self.saving = SaveBar(
            lambda: self.current_mask,
            lambda: self.session.folder if self.session else Path.home(),
        )
        self._lay_out()
        self.bar.start_wanted.connect(self.start_session)
        self.bar.open_wanted.connect(self.open_session)
        self.bar.close_wanted.connect(self.close_session)
        self.bar.declined.connect(self._on_declined)
        self.bar.mask_combo.layerChanged.connect(self._show_mask)
        self.session_changed.connect(self._show_mask)
        self.bar.scans_wanted.connect(self.scans.open_folder)
        self.scans.changed.connect(self.fine_tune.refresh)
        self.fine_tune.panel.running_changed.connect(self.refresh)
        self.tools.busy_changed.connect(self.refresh)
        self.tools.lock_toggled.connect(lambda: self.reviewing and self.reviewing.store_locks())
        # Strokes that are still there would take Ctrl+Z for theirs.
        self.review.revert_button.clicked.connect(self.tools.marks.end)
        self.saving.tiff_wanted.connect(self.save_tiff)
        self.saving.binary_wanted.connect(self.save_binary)
        self.saving.coco_wanted.connect(self.save_coco)
        connect(self, (napari_viewer.layers.events.removed, self._on_removed))
        before_window_goes(self, self._leave)
        QApplication.instance().aboutToQuit.connect(self._leave)
        self.refresh()
        self._look_for_left()
        self._show_mask()

    @property
    def current_mask(self) -> Labels | None:
        """What is corrected and saved: the open session's mask, else the chosen one."""
        return self.reviewing.mask if self.reviewing else self.bar.mask_combo.layer()

    @property
    def current_image(self) -> Image | None:
        """What it is the mask of."""
        return self.reviewing.image if self.reviewing else self.bar.image_combo.layer()

    @property
    def session(self) -> Session | None:
        """The open session."""
        return self.reviewing.session if self.reviewing else None

    def start_session(self) -> None:
        """Start a session on the chosen layers in the chosen folder."""
        image, mask, folder = (
            self.bar.image_combo.layer(),
            self.bar.mask_combo.layer(),
            self.bar.folder.value(),
        )
        if self._job is not None or image is None or mask is None or folder is None:
            return
        try:
            arguments = session_of(image, mask)
        except SegmentationError as error:
            show_error(str(error))
            return

        def show(ready: Ready) -> None:
            if not {image, mask} <= set(self._viewer.layers):
                ready.session.close()
                show_error(f"{image.name} or {mask.name} was removed; add it and start again.")
                return
            if ready.mask is not mask.data:
                mask.data = ready.mask
            self._begin(ready.session, image, mask)

        self._run(starting(folder, arguments), show, "Starting the session")

    def open_session(self, folder: Path | str) -> None:
        """Open a session with its scan and its mask as it was last saved."""

        def show(ready: Ready) -> None:
            try:
                image, mask, channels = show_session(self._viewer, *ready)
            except BaseException:
                ready.session.close()
                raise
            self._begin(ready.session, image, mask, channels)

        folder = Path(folder).absolute()
        already = self.session is not None and self.session.folder == folder
        if self._job is None and not already:
            held = self.fine_tune.held_session(folder)
            self._run(opening(folder, held), show, "Opening the session")

    def close_session(self) -> None:
        """Save for the last time and let go; the layers stay."""
        reviewing, self.reviewing = self.reviewing, None
        if reviewing is None:
            return
        self.fine_tune.leave()
        self.learning.show_review(None)
        self.review.unbind()
        self.review.show_review(None)
        self.compare.show_review(None)
        self.fine_tune.show_session(None, lambda: None)
        reviewing.close()
        recovery.note_closed(reviewing.session.folder)
        self.bar.show_session(None)
        self.refresh()
        self.session_changed.emit(None)

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
        busy = self._job is not None or self.tools.busy
        self.bar.set_busy(busy)
        self.saving.set_busy(busy or self.current_mask is None)
        # Going to another scan would stop it.
        learning = self.fine_tune.panel.running and not self.fine_tune.goes_on
        self.scans.set_busy(busy or learning)

    def event(self, event: QEvent) -> bool:
        """Close the session when the dock is closed, which takes this widget out of it."""
        if event.type() == QEvent.Type.ParentChange:
            self._is_closed = self.parent() is None
        if event.type() == QEvent.Type.ParentChange and self._is_closed:
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

    def _leave(self) -> None:
        self.fine_tune.abandon()
        self.scans.close()
        self.close_session()

    def _begin(
        self, session: Session, image: Image, mask: Labels, channels: Sequence[Image] = ()
    ) -> None:
        self.close_session()
        self.channels = channels
        make_editable(mask)
        self.reviewing = Reviewing(self._viewer, session, image, mask)
        self.reviewing.autosave.failed.connect(lambda error: show_error(str(error)))
        self.reviewing.decided.connect(self.fine_tune.refresh)
        self.review.show_review(self.reviewing)
        self.review.bind(self._viewer)
        self.compare.show_review(self.reviewing)
        self.fine_tune.show_session(session, lambda: mask.data)
        self.learning.show_review(self.reviewing)
        self.bar.show_session(session.folder)
        self.bar.offer(None)
        recovery.note_open(session.folder)
        if session.lock.note:
            show_info(session.lock.note)
        self.session_changed.emit(session)

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
        if mask is None or self._job is not None:
            return
        attributes = {
            "name": mask.name,
            "metadata": mask.metadata,
            "features": mask.features,
            **geometry_of(mask),
        }
        work = writing(write, path, mask.data, attributes)
        self._run(work, self._on_written, f"Saving {path.name}")

    def _on_written(self, path: Path) -> None:
        self.review.status.setText(f"wrote {path}")
        self.written.emit(path)

    def _run(self, work: Generator[Any, Any, None], on_event: Any, name: str) -> None:
        def on_done() -> None:
            self._job = None
            self.refresh()

        def deliver(event: Any) -> None:
            if self._is_closed and isinstance(event, Ready):
                event.session.close()
                return
            try:
                on_event(event)
            except SegmentationError as error:
                show_error(str(error))

        self._job = jobs.run(work, on_event=deliver, on_done=on_done, name=name)
        self.refresh()

    def _show_mask(self, _: object = None) -> None:
        self.tools.show_mask(self.current_mask, self.session)
        self.refresh()

    def _on_removed(self, event: Any) -> None:
        if self.reviewing is not None and event.value is self.reviewing.mask:
            self.close_session()
