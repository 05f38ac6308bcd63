"""U-Net Seg: the dock that leads from an open scan to a saved mask."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari.layers import Image, Labels
from qtpy.QtCore import QEvent, Qt, QTimer
from qtpy.QtGui import QKeySequence
from qtpy.QtWidgets import QApplication, QMainWindow, QShortcut, QStackedWidget, QVBoxLayout

from napari_unet_seg._napari.dock.header import CaseHeader
from napari_unet_seg._napari.dock.help_dialog import HelpDialog
from napari_unet_seg._napari.dock.nnunet_export import NnunetExport
from napari_unet_seg._napari.dock.open_page import OpenPage
from napari_unet_seg._napari.dock.recent import add_recent
from napari_unet_seg._napari.dock.save_page import SavePage
from napari_unet_seg._napari.dock.save_target import BINARY, COCO, PATIENT_SEG, SEG
from napari_unet_seg._napari.dock.step_bar import Step, StepBar, next_step
from napari_unet_seg._napari.dock.unsaved import UnsavedEdits
from napari_unet_seg._napari.files.coco.results.threshold_bar import ThresholdBar
from napari_unet_seg._napari.files.open_files import PLUGIN, open_file
from napari_unet_seg._napari.layers.conversion import file_of, is_user_layer
from napari_unet_seg._napari.layers.images.empty_mask import add_empty_mask
from napari_unet_seg._napari.layers.images.owner import image_of
from napari_unet_seg._napari.layers.images.recorder import record_images
from napari_unet_seg._napari.layers.position import go_to_lesion
from napari_unet_seg._napari.review.widget import ReviewWidget
from napari_unet_seg._napari.segment.widget import SegmentWidget
from napari_unet_seg._napari.views.bar import ViewBar
from napari_unet_seg._napari.widgets.closing.unsaved_work import UnsavedWork
from napari_unet_seg._napari.widgets.dock_widget import (
    DockWidget,
    call_before_window_deletion,
    connect,
)
from napari_unet_seg._napari.widgets.job_bar import JobBar
from napari_unet_seg._napari.widgets.keys import label_of, list_keys
from napari_unet_seg._napari.widgets.messages import show_error, show_info
from napari_unet_seg._napari.widgets.windows import ancestor
from napari_unet_seg.errors import SegmentationError
from napari_unet_seg.session.review_queue import ReviewState

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from napari.layers import Layer
    from napari.viewer import Viewer

    from napari_unet_seg._napari.dock.save_target import Format
    from napari_unet_seg._napari.session.open_session import OpenSession
    from napari_unet_seg.io.cases.case import Plan


class UNetSegWidget(DockWidget):
    """Shows a page for each step of the loop, below the open case.

    Parameters
    ----------
    napari_viewer : napari.Viewer
        The viewer of the scans and masks.
    """

    def __init__(self, napari_viewer: Viewer) -> None:
        super().__init__(napari_viewer)
        list_keys()
        record_images(self.viewer)
        self.header = CaseHeader(self.viewer)
        self.results = ThresholdBar()
        self.views = ViewBar(self.viewer)
        self.steps = StepBar()
        self.open_page = OpenPage()
        self.segment = SegmentWidget(self.viewer, self.header.image_combo, self.header.model_choice)
        self.correct = ReviewWidget(self.viewer, self.header.mask_combo)
        self.save_page = SavePage(lambda: self.correct.current_mask, self._fallback_folder)
        self.job_bar = JobBar()
        self.nnunet = NnunetExport(self.correct, self.save_page.nnunet_button)
        self.unsaved = UnsavedEdits(self.viewer, self)
        UnsavedWork(self, self.unsaved.lost_text, self._save_lost)
        self._shortcut: QShortcut | None = None
        self._segmented: Labels | None = None
        """The mask that Segment has made since the last visit of Correct."""
        self._lay_out()
        self._connect()
        self.show_step(Step.OPEN if self.header.image_combo.layer() is None else Step.SEGMENT)
        self._refresh()

    @property
    def step(self) -> Step:
        """The step whose page is shown."""
        return list(Step)[self.pages.currentIndex()]

    def show_step(self, step: Step) -> None:
        """Show the page of a step."""
        self.pages.setCurrentIndex(list(Step).index(step))
        self.steps.show_step(step)
        self.header.lead_by_mask(step in (Step.CORRECT, Step.SAVE))
        if step is Step.SAVE:
            self.save_page.propose()
        elif step is Step.OPEN:
            self.open_page.show_recent()

    def go_to(self, step: Step) -> None:
        """Show the page of a step; Correct starts a session on the mask if there is one."""
        self.show_step(step)
        segmented, self._segmented = self._segmented, None
        if step is not Step.CORRECT:
            self._segmented = segmented
        elif segmented in self.viewer.layers:
            self.correct_mask(segmented)
        elif self.correct.session is None:
            self.correct.start_session()

    def correct_mask(self, mask: Labels) -> None:
        """Correct a mask in a session of its own, and close the session of another mask."""
        current = self.correct.desk.current
        if current is not None and current.mask is not mask:
            self.correct.desk.close()
            name = current.session.folder.name
            show_info(f"Session {name} is saved and closed; {mask.name} gets a session of its own.")
        self._segmented = None
        self.header.mask_combo.setLayer(mask)
        self.go_to(Step.CORRECT)

    def open_files(self, paths: Iterable[Path]) -> None:
        """Open files as the next case; the layers of the last one are hidden."""
        before = list(self.viewer.layers)
        opened: list[Layer] = []
        for path in paths:
            try:
                opened += open_file(self.viewer, path)
            except SegmentationError as error:
                show_error(str(error))
                continue
            add_recent("file", path)
        self._show_only(opened, before)

    def open_folder(self, folder: Path) -> None:
        """Open the scans of a folder, one after another; nothing changes if the user cancels."""
        self.correct.scans.open_folder(folder)

    def open_plan(self, recognised: Plan) -> None:
        """Open the scans of a plan as it was recognised, after a look at it."""
        self.correct.scans.planner.show(recognised)

    def open_session(self, folder: Path) -> None:
        """Open a session to go on with its corrections."""
        add_recent("session", folder)
        self.correct.desk.open(folder)
        self.show_step(Step.CORRECT)

    def open_sample(self) -> None:
        """Open the sample scan as the next case."""
        before = list(self.viewer.layers)
        self._show_only(self.viewer.open_sample(PLUGIN, "scan"), before)

    def show_help(self) -> None:
        """Show the keys, and offer the manual."""
        HelpDialog(self).show()

    def event(self, event: QEvent) -> bool:
        """Follow the dock into its window, warm up when it is shown, save when it is closed."""
        if event.type() == QEvent.Type.ParentChange:
            session = self.correct.session
            self.correct.set_docked(self.parent() is not None)
            if session is not None and self.parent() is None:
                show_info(f"Your corrections are kept in the session {session.folder}.")
            QTimer.singleShot(0, self._bind_shortcut)
        elif event.type() == QEvent.Type.Show:
            self.segment.warm_up()
        return bool(super().event(event))

    def _lay_out(self) -> None:
        self.pages = QStackedWidget()
        for page in (self.open_page, self.segment, self.correct, self.save_page):
            self.pages.addWidget(page)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(2, 10, 2, 2)  # napari's title bar hangs over the top
        layout.setSpacing(6)
        layout.addWidget(self.correct.scans.bar)
        layout.addWidget(self.header)
        layout.addWidget(self.results)
        layout.addWidget(self.views)
        layout.addWidget(self.steps)
        layout.addWidget(self.pages, 1)
        layout.addWidget(self.job_bar)

    def _connect(self) -> None:
        desk, bar, page = self.correct.desk, self.correct.bar, self.open_page
        self.header.help_wanted.connect(self.show_help)
        self.steps.wanted.connect(self.go_to)
        page.files_wanted.connect(self.open_files)
        page.folder_wanted.connect(self.open_folder)
        self.correct.scans.opened.connect(self._on_folder)
        self.correct.scans.scan_opened.connect(self._on_scan)
        page.session_wanted.connect(self.open_session)
        page.sample_wanted.connect(self.open_sample)
        bar.open_wanted.connect(lambda: self.show_step(Step.OPEN))
        bar.segment_wanted.connect(self._segment)
        bar.empty_wanted.connect(self._begin_empty)
        self.segment.finished.connect(self._on_segmented)
        self.segment.correct_wanted.connect(self.correct_mask)
        self.segment.device_known.connect(self.header.show_device)
        self.save_page.save_wanted.connect(self._save)
        self.correct.saver.started.connect(self.unsaved.start_saving)
        self.correct.saver.written.connect(self._on_written)
        self.correct.saver.failed.connect(self.save_page.show_failed)
        self.correct.busy_changed.connect(self._on_busy)
        for worker in (desk, self.correct.scans):
            worker.job_started.connect(self.job_bar.watch)
        desk.opened.connect(self._on_opened)
        desk.leaving.connect(self._on_leaving)
        desk.session_changed.connect(self._refresh)
        for combo in (self.header.image_combo, self.header.mask_combo):
            combo.layerChanged.connect(self._refresh)
        self.unsaved.changed.connect(self._refresh)
        connect(self, (self.viewer.layers.events.removed, self._refresh))
        call_before_window_deletion(self, self.correct.release)
        QApplication.instance().aboutToQuit.connect(self.correct.release)

    def _bind_shortcut(self) -> None:
        """Bind the shortcut of Segment in the window, whose dock may float."""
        window = ancestor(self.parent(), QMainWindow)
        if window is None or self._shortcut is not None:
            return
        self._shortcut = shortcut = QShortcut(QKeySequence(label_of("segment")), window)
        shortcut.setContext(Qt.ShortcutContext.WindowShortcut)
        shortcut.activated.connect(self._segment)
        self.destroyed.connect(shortcut.deleteLater)

    def _on_folder(self, plan: Plan) -> None:
        add_recent("folder", plan.root)
        for layer in self.viewer.layers:
            layer.visible = False
        self.header.choose_mask(None)
        self.show_step(Step.SEGMENT)

    def _on_scan(self, has_session: bool) -> None:
        self.show_step(Step.CORRECT if has_session else Step.SEGMENT)

    def _segment(self) -> None:
        self.show_step(Step.SEGMENT)
        self.segment.segment_layer()

    def _begin_empty(self) -> None:
        """Correct an empty mask of the chosen image, with the tools in front."""
        image = self.correct.image_combo.layer()
        if image is None:
            return
        try:
            mask = add_empty_mask(self.viewer, image)
        except SegmentationError as error:
            show_error(str(error))
            return
        self.correct_mask(mask)
        self.correct.tabs.setCurrentWidget(self.correct.tools)

    def _save(self, path: Path, kind: Format) -> None:
        saver, mask = self.correct.saver, self.correct.current_mask
        if any(isinstance(each, Image) and file_of(each) == path for each in self.viewer.layers):
            show_error(f"{path} is an open scan; choose another name for its mask.")
            return
        if kind == COCO:
            saver.save_coco(mask, path)
        elif kind in (SEG, PATIENT_SEG):
            saver.save_seg(mask, path, identified=kind == PATIENT_SEG)
        elif kind == BINARY:
            saver.save_binary(mask, path)
        else:
            saver.save_tiff(mask, path)

    def _show_only(self, opened: Sequence[Layer], before: Sequence[Layer]) -> None:
        """Hide the layers of the last case, but not the images of new masks, and go on."""
        if not opened:
            return
        images = [layer for layer in self.viewer.layers if is_user_layer(layer, Image)]
        masks = [layer for layer in opened if is_user_layer(layer, Labels)]
        kept: list[Layer | None] = [image_of(mask, images) for mask in masks]
        current = self.correct.desk.current
        if current is not None and len(masks) == len(opened) and current.image in kept:
            kept.append(current.mask)
            show_info(
                f"{masks[-1].name} is shown beside the mask of the open session; close the session "
                "at Correct to correct it."
            )
        else:
            self.correct.desk.close()
            self.header.choose_mask(masks[-1] if masks else None)
        for layer in before:
            layer.visible = layer in kept
        self.viewer.reset_view()
        if masks:
            go_to_lesion(self.viewer, masks[0])
        self.show_step(Step.OPEN if masks else Step.SEGMENT)

    def _fallback_folder(self) -> Path:
        session = self.correct.session
        return session.folder if session is not None else Path.home()

    def _on_opened(self, current: OpenSession) -> None:
        self.open_page.offer(None)
        self.header.hold_mask(current.mask)
        self.unsaved.follow_session(current.mask)
        if self.correct.scans.folder is None:  # which is on the list itself
            add_recent("session", current.session.folder)
        if ReviewState.CORRECTED in current.session.states:
            self.unsaved.take_for_edited(current.mask)

    def _on_leaving(self) -> None:
        self.header.hold_mask(None)
        self.unsaved.follow_session(None)

    def _save_lost(self) -> None:
        self.correct.desk.close()
        self.header.choose_mask(self.unsaved.lost()[0])
        self.show_step(Step.SAVE)

    def _on_segmented(self, mask: Labels | None) -> None:
        self._segmented = mask or self._segmented
        if mask is not None:
            self.unsaved.follow_segment(mask)

    def _on_busy(self, busy: bool) -> None:
        self.open_page.set_busy(busy)
        self.save_page.set_busy(busy)

    def _on_written(self, path: Path, mask: Labels) -> None:
        self.save_page.show_saved(path, mask)
        self.unsaved.finish_saving(mask)
        self._refresh()

    def _refresh(self, _: Any = None) -> None:
        mask = self.correct.current_mask
        edited = self.unsaved.is_edited(mask)
        # A session keeps what it started from.
        self.results.show_mask(mask if self.correct.session is None else None)
        following = next_step(
            image=self.header.image_combo.layer() is not None,
            mask=mask is not None,
            unsaved=edited,
            saved=self.unsaved.is_saved(mask),
        )
        self.steps.show_next(following)
        self.save_page.follow()
        if edited:
            self.save_page.show_edited()
        self.save_page.set_busy(self.correct.busy)
