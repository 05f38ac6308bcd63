"""Make the pictures of the tutorial: a patient's case in a real window, step by step.

    python docs/make_case_pictures.py [--out FOLDER] [--smoke]

Goes through the steps as a user would, on a copy of the sample patients, and grabs the window after
each. Where there is no display, start it with `xvfb-run -s "-screen 0 1920x1080x24"`.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import napari
import numpy as np
from make_pictures import PLUGIN, THEME, WINDOW, given_to, grab, parser_of, settle, until, wait

from napari_unet_seg._napari.dock.step_bar import Step
from napari_unet_seg._napari.widgets.settings import remember

PATIENTS = Path(__file__).parents[1] / "sample_data" / "patients"
EPOCHS = 40
"""Enough to learn a new category from a few slices, as the tutorial has it."""
BRIGHT = 150
"""Grey value of the sample's FLAIR above which tissue holds water."""
ACCEPTED = 6
BEFORE = 2
"""How many slices before the accepted ones lies the slice that shows what was learnt."""


class Case:
    """The first sample patient, from the folder to the saved mask."""

    def __init__(self, out: Path, scratch: Path) -> None:
        self.out, self.folder = out, scratch / "patients"
        shutil.copytree(PATIENTS, self.folder)
        remember("sessions_folder", str(scratch / "sessions"))
        self.viewer = napari.Viewer()
        self.viewer.theme = THEME
        self.viewer.window.resize(*WINDOW)
        self.dock: Any = self.viewer.window.add_plugin_dock_widget(PLUGIN, "U-Net Seg")[1]

    def grab(self, name: str) -> None:
        """Save the window."""
        grab(self.viewer, self.out / f"{name}.png")

    def open(self) -> None:
        """Open the folder, with the table of its plan."""
        self.dock.open_folder(self.folder)
        planner = self.dock.correct.scans.planner
        until(lambda: planner.dialog is not None)
        settle(500)
        dialog = planner.dialog
        grab(self.viewer, self.out / "plan.png", dialog)
        dialog.accept()
        until(lambda: len(self.viewer.layers) == 2)
        settle()

    def segment(self) -> None:
        """Press Segment, and open the session."""
        form = self.dock.segment.form
        wait(self.dock.segment.finished, form.segment_button.click)
        until(lambda: self.dock.correct.session is not None)
        self.grab("segment")
        form.result.correct_button.click()
        until(lambda: not self.dock.correct.busy)

    def use_tools(self) -> None:
        """Smooth the tumour."""
        tools = self.dock.correct.tools
        self.dock.correct.tabs.setCurrentWidget(tools)
        tools.more.expand(animate=False)
        tools.buttons["smooth"].click()
        until(lambda: not tools.busy)
        self.grab("tools")

    def add_oedema(self) -> None:
        """Add a category while FLAIR is on screen, and paint it."""
        flair, scan = self.viewer.layers["phantom-22 FLAIR"], self.viewer.layers["phantom-22 T1c"]
        flair.visible, scan.visible = True, False
        editor = self.dock.correct.tools.categories
        editor.add_button.click()
        editor.new_label.name.setText("oedema")
        editor.new_label.add()
        self.paint()
        self.grab("category")

    def paint(self) -> None:
        """Paint what is bright around the tumour on this slice, as one stroke."""
        mask, at = self.mask, self.viewer.dims.current_step[0]
        flair = np.asarray(self.viewer.layers["phantom-22 FLAIR"].data[at])
        rows, columns = np.nonzero((flair > BRIGHT) & (mask.data[at] == 0) & self.near(at))
        mask.data_setitem((np.full(rows.size, at), rows, columns), 2)
        settle()

    def near(self, at: int) -> np.ndarray[Any, Any]:
        """Return where the lesion may be: some pixels around the tumour."""
        rows, columns = np.nonzero(self.mask.data[at] == 1)
        near = np.zeros(self.mask.data.shape[1:], bool)
        top, left = max(rows.min() - 12, 0), max(columns.min() - 12, 0)
        near[top : rows.max() + 12, left : columns.max() + 12] = True
        return near

    @property
    def mask(self) -> Any:
        """The mask of the session."""
        return self.dock.correct.current_mask

    def accept(self) -> None:
        """Accept slices."""
        review = self.dock.correct.review
        self.dock.correct.tabs.setCurrentWidget(review)
        for _ in range(ACCEPTED):
            review.buttons["accept"].click()
            settle()
            self.paint()
        self.grab("correct")

    def save(self) -> None:
        """Save the mask beside its scan."""
        self.dock.steps.buttons[Step.SAVE].click()
        wait(self.dock.correct.written, self.dock.save_page.save_button.click)
        until(lambda: not self.dock.correct.busy)
        self.grab("save")

    def fine_tune(self) -> None:
        """Teach the network the new category, and use it on the rest."""
        page = self.dock.correct
        self.dock.steps.buttons[Step.CORRECT].click()
        page.tabs.setCurrentWidget(page.fine_tune)
        tab = page.fine_tune
        tab.form.setValue(tab.form.value().replace(epochs=EPOCHS))
        tab.start_button.click()
        until(lambda: tab.panel.running)
        until(lambda: not tab.panel.running)
        if tab.question is not None:
            raise SystemExit(f"The round became worse: {tab.question.text()}")
        tab.predict_bar.button.click()
        until(lambda: not tab.predict_bar.stop_button.isEnabled())
        self.viewer.dims.set_current_step(0, min(page.session.accepted) - BEFORE)
        settle(1000)
        self.grab("fine-tune")


def main() -> None:
    """Make them all; with --smoke the first one, into a folder that is removed."""
    with given_to(parser_of(__doc__)) as given:
        given.out.mkdir(parents=True, exist_ok=True)
        case = Case(given.out, given.scratch)
        steps = (
            case.open,
            case.segment,
            case.use_tools,
            case.add_oedema,
            case.accept,
            case.save,
            case.fine_tune,
        )
        for step in steps[:1] if given.smoke else steps:
            step()
        case.viewer.close()


if __name__ == "__main__":
    main()
