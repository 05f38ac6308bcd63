"""A page of the dock, docked in a viewer's window."""

from __future__ import annotations

from typing import Any

from napari_unet_seg._napari.dock.step_bar import Step
from napari_unet_seg._napari.dock.widget import UNetSegWidget
from napari_unet_seg._napari.review.widget import ReviewWidget
from napari_unet_seg._napari.segment.widget import SegmentWidget
from napari_unet_seg._napari.widgets.windows import ancestor

PAGES = {SegmentWidget: Step.SEGMENT, ReviewWidget: Step.CORRECT}


def add_page(viewer: Any, page: Any) -> Any:
    """Dock U-Net Seg, show a page of it, and return the page."""
    dock = UNetSegWidget(viewer)
    viewer.window.add_dock_widget(dock)
    dock.show_step(PAGES[page])
    return dock.pages.currentWidget()


def dock_of(page: Any) -> UNetSegWidget:
    """Return the dock around a page."""
    found = ancestor(page, UNetSegWidget)
    assert isinstance(found, UNetSegWidget)
    return found
