"""The page Correct: review a mask slice by slice, and fine-tune a network on it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING
from weakref import ref

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QTabWidget, QVBoxLayout, QWidget

from napari_unet_seg._napari.compare.tab import CompareTab
from napari_unet_seg._napari.fine_tune.learning import Learning
from napari_unet_seg._napari.fine_tune.panel import FineTunePanel
from napari_unet_seg._napari.layers.images.combo import MaskImageCombo
from napari_unet_seg._napari.review.mask_saver import MaskSaver
from napari_unet_seg._napari.review.session_bar import SessionBar
from napari_unet_seg._napari.review.slices_tab import SlicesTab
from napari_unet_seg._napari.scans.queue import ScanQueue
from napari_unet_seg._napari.session.deleted_mask import DeletedMaskBar
from napari_unet_seg._napari.session.desk import SessionDesk
from napari_unet_seg._napari.tools.tab import ToolsTab

if TYPE_CHECKING:
    from napari.layers import Image, Labels
    from napari.viewer import ViewerModel

    from napari_unet_seg._napari.session.open_session import OpenSession
    from napari_unet_seg._napari.widgets.form.layer_combo import LayerCombo
    from napari_unet_seg.session.session import Session


class ReviewWidget(QWidget):
    """Starts and closes sessions, and holds the tabs that work on the open one.

    Parameters
    ----------
    viewer : napari.Viewer
        The viewer in which masks are corrected.
    mask_combo : LayerCombo
        The chosen mask.
    """

    written = Signal(object)
    """Emitted with the path of a saved mask or COCO file."""
    busy_changed = Signal(bool)
    """Emitted with whether a session is opened, a mask written or a tool used right now."""

    def __init__(self, viewer: ViewerModel, mask_combo: LayerCombo) -> None:
        super().__init__()
        self.viewer = viewer
        self.mask_combo = mask_combo
        self.image_combo = MaskImageCombo(viewer, mask_combo)
        self.desk = SessionDesk(viewer, self)
        self.bar = SessionBar(self.image_combo, mask_combo)
        self.deleted = DeletedMaskBar()
        self.review = SlicesTab()
        self.tools = ToolsTab(viewer, lambda: self.current_image)
        self.compare = CompareTab(viewer)
        self.scans = ScanQueue(viewer, self.desk, self.bar.parent_folder, self)
        self.fine_tune = FineTunePanel(
            viewer, self.desk, lambda: self.scans.folder, self.scans.other_sessions
        )
        self.learning = Learning(self.fine_tune)
        self.saver = MaskSaver(viewer, self.desk, self)
        self._written: ref[Labels] | None = None
        """The mask whose file the status line tells."""
        self._lay_out()
        self._connect()
        self.refresh()
        self._show_mask()

    @property
    def current_mask(self) -> Labels | None:
        """The mask that is corrected and saved: the open session's, else the chosen layer."""
        current = self.desk.current
        return current.mask if current else self.mask_combo.layer()

    @property
    def current_image(self) -> Image | None:
        """The image of `current_mask`."""
        current = self.desk.current
        return current.image if current else self.image_combo.layer()

    @property
    def session(self) -> Session | None:
        """The open session."""
        return self.desk.session

    @property
    def busy(self) -> bool:
        """Whether a session is opened, a mask written or a tool used right now."""
        # The result of a running tool belongs to the session that is open now.
        return self.desk.busy or self.tools.busy

    def start_session(self) -> None:
        """Start a session on the chosen layers in the chosen folder."""
        image, mask = self.image_combo.layer(), self.mask_combo.layer()
        folder = self.bar.folder.value()
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
        busy = self.busy
        self.bar.set_busy(busy)
        self.busy_changed.emit(busy)
        # Another scan would stop a fine-tuning that does not run in the background.
        learning = self.fine_tune.panel.running and not self.fine_tune.outlives_session
        self.scans.set_busy(busy or learning)

    def set_docked(self, is_docked: bool) -> None:
        """Set whether the dock is open; the session of a closed dock is closed."""
        self.desk.dismiss(not is_docked)
        if not is_docked:
            self.release()
            self.tools.prompts.end()
            self.compare.contours.setChecked(False)

    def release(self) -> None:
        """Stop what runs, and save and close the session."""
        self.fine_tune.abandon()
        self.scans.close()
        self.desk.close()

    def _lay_out(self) -> None:
        self.tabs = QTabWidget()
        self.tabs.addTab(self.review, "Review")
        self.tabs.addTab(self.tools, "Tools")
        self.tabs.addTab(self.compare, "Compare")
        self.tabs.addTab(self.fine_tune, "Fine-tune")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(6)
        layout.addWidget(self.bar)
        layout.addWidget(self.deleted)
        layout.addWidget(self.tabs, 1)
        layout.addWidget(self.review.status)

    def _connect(self) -> None:
        desk, bar, tools = self.desk, self.bar, self.tools
        desk.opened.connect(self._on_opened)
        desk.leaving.connect(self._on_leaving)
        desk.session_changed.connect(self._show_mask)
        desk.busy_changed.connect(self.refresh)
        desk.mask_deleted.connect(self.deleted.offer)
        self.deleted.restore_wanted.connect(desk.restore)
        bar.start_wanted.connect(self.start_session)
        bar.close_wanted.connect(desk.close)
        self.mask_combo.layerChanged.connect(self._show_mask)
        self.scans.changed.connect(self.fine_tune.refresh)
        self.scans.note_changed.connect(self.review.show_note)
        self.scans.folder_proposed.connect(bar.folder.setValue)
        self.fine_tune.panel.running_changed.connect(self.refresh)
        tools.busy_changed.connect(self.refresh)
        self.review.revert_button.clicked.connect(lambda: tools.prompts.point.clear())
        tools.carry.started.connect(self._save_first)
        tools.carry.slices.changed.connect(self._on_carried)
        self.saver.started.connect(lambda _: self.review.report(""))
        self.saver.written.connect(self._on_written)

    def _on_opened(self, current: OpenSession) -> None:
        self.review.show_session(current)
        self.review.bind(self.viewer)
        self.compare.show_session(current)
        self.fine_tune.show_session(current)
        self.learning.show_session(current)
        self.bar.show_session(current.session.folder)
        self.deleted.offer(None)

    def _on_leaving(self) -> None:
        self.fine_tune.stop_with_session()
        self.learning.show_session(None)
        self.review.unbind()
        self.review.show_session(None)
        self.compare.show_session(None)
        self.fine_tune.show_session(None)
        self.bar.show_session(None)

    def _save_first(self) -> None:
        """Store what was drawn before it is carried, whatever happens meanwhile."""
        if self.desk.current is not None:
            self.desk.current.autosave.save()

    def _on_carried(self, slices: frozenset[int]) -> None:
        current = self.desk.current
        if current is not None:
            current.autosave.save()
            current.decisions.look_first(slices)
            current.show_predictions()

    def _on_written(self, path: Path, mask: Labels) -> None:
        self.review.report(f"Saved {path}")
        self._written = ref(mask)
        self.written.emit(path)

    def _show_mask(self, _: object = None) -> None:
        if self._written is not None and self._written() is not self.current_mask:
            self._written = None
            self.review.report("")
        self.tools.show_mask(self.current_mask, self.session)
        self.refresh()
