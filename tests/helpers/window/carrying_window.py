"""A napari window in a process of its own that never ends a Carry, until it is killed.

python carrying_window.py SESSION SETTINGS PAINTED
"""

from __future__ import annotations

import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import napari
import numpy as np
from disc_scene import BrightNetwork, disc
from mouse import drag_along
from pages import add_page
from painting_window import Patience
from qtpy.QtCore import QSettings, QTimer
from scene import CATEGORIES, add_mask

from napari_unet_seg._napari.review.widget import ReviewWidget
from napari_unet_seg._napari.tools.point import tool
from napari_unet_seg.events import SliceCarried
from napari_unet_seg.process.warm_engine import scan_part
from napari_unet_seg.session.review_queue import ReviewState
from napari_unet_seg.session.session import Session

if TYPE_CHECKING:
    from collections.abc import Iterator

DEPTH, SHOWN, ACCEPTED = 8, 4, 1
CARRIED = 3
"""Slices that are carried before it stops for ever."""


class StuckNetwork(BrightNetwork):
    """Carries some slices, and no more."""

    def carry(
        self, _model: Any, scan: Any, volume: Any, given: Any, within: Any, *others: Any
    ) -> Iterator[SliceCarried]:
        for done, index in enumerate(within[:CARRIED], 1):
            found = np.asarray(scan_part(scan, (*volume, index)).data) > 110
            yield SliceCarried(index, found, 0.9, done, len(within))
        threading.Event().wait()


def main(folder: str, settings: str, painted: str) -> None:
    """Say `carrying` in the middle of it; `painted` gets the mask as numpy."""
    QSettings.setPath(QSettings.Format.IniFormat, QSettings.Scope.UserScope, settings)
    tool.PromptNetwork = StuckNetwork  # type: ignore[misc]
    viewer = napari.Viewer()
    viewer.add_image(np.stack([60 + 100.0 * disc()] * DEPTH), name="head")
    mask = add_mask(viewer, np.zeros((DEPTH, *disc().shape), np.uint8), "mask", CATEGORIES)
    widget: ReviewWidget = add_page(viewer, ReviewWidget)
    tools = widget.tools

    def work() -> None:
        current = widget.desk.current
        assert current is not None
        current.autosave.saved.connect(tell)
        viewer.dims.set_point(0, ACCEPTED)
        mask.data_setitem(tuple(np.array([i]) for i in (ACCEPTED, 5, 6)), 1)
        current.decisions.decide(ReviewState.ACCEPTED)
        widget.tabs.setCurrentWidget(tools)
        viewer.dims.set_point(0, SHOWN)
        tools.prompts.choose("point")
        tools.prompts.solved.connect(lambda: QTimer.singleShot(0, tools.carry.carry))
        drag_along(Patience(), viewer, [(30, 35)])  # type: ignore[arg-type]

    def tell(_: object) -> None:
        if Path(painted).exists():
            return  # told already: the window may be killed at any time now
        if tools.busy and Session.open(Path(folder)).prompts:
            np.save(painted, mask.data)
            print("carrying", flush=True)

    widget.desk.session_changed.connect(lambda _: QTimer.singleShot(0, work))
    widget.bar.folder.setValue(Path(folder))
    widget.bar.start_button.click()
    QTimer.singleShot(60_000, viewer.close)  # a test that fails must end
    napari.run(force=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
