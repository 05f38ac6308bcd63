"""The animation of the README: a click, Carry and Accept on the sample scan.

    python docs/make_animation.py [--out FILE] [--smoke]

The sample volume in a real window, with real events of mouse, wheel and keys; each picture gets the
pointer, and a line that tells what is done. Where there is no display, start it with
`xvfb-run -s "-screen 0 1920x1080x24"`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from make_pictures import THEME, close_toasts, given_to, parser_of, settle, until, wait
from make_tool_pictures import Stage
from PIL import Image, ImageDraw, ImageFont
from qtpy.QtCore import QEvent, QPoint, QPointF, Qt
from qtpy.QtGui import QMouseEvent, QWheelEvent
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication

from napari_unet_seg._napari.tools.point import preview

if TYPE_CHECKING:
    from pathlib import Path

SIZE = (1000, 640)
LINE = 44
"""Height of the line below the window."""
ARROW = ((0, 0), (0, 22), (5, 17), (9, 25), (13, 23), (9, 15), (16, 15))
"""The pointer, whose tip is at the first point."""
LEFT, NONE = Qt.MouseButton.LeftButton, Qt.MouseButton.NoButton
PATH = ((-0.2, -0.25), (0.0, -0.1), (0.15, 0.05))
"""Where the pointer goes on the tumour, from its centre, in shares of its reach."""
SCROLLED = 4
"""How many slices are looked at above and below the clicked one."""


class Film:
    """Pictures of the window, and for how long each is shown."""

    def __init__(self, scratch: Path) -> None:
        preview.TOO_SLOW = float("inf")  # how long an outline takes is not shown
        self.frames: list[Image.Image] = []
        self.times: list[int] = []
        self.stage = Stage()
        self.viewer, self.page = self.stage.viewer, self.stage.widget
        whole = self.viewer.window._qt_viewer  # noqa: SLF001 (no other way)
        for dock in (whole.dockLayerList, whole.dockLayerControls):
            dock.hide()
        self.canvas = whole.canvas.native
        self.viewer.theme = THEME
        self.viewer.window.resize(*SIZE)
        self.page.bar.folder.setValue(scratch / "session")
        wait(self.page.desk.session_changed, self.page.bar.start_button.click)
        self.page.tabs.setCurrentWidget(self.page.tools)
        self.point, tools = self.page.tools.prompts.point, self.page.tools
        tools.point_bar.button.click()
        until(lambda: not self.point.network.warming)
        settle()
        self.camera = getattr(self.viewer, "scene", self.viewer).camera  # newer napari has several
        self.camera.zoom *= 1.4
        self.at = QPoint()

    def place(self, down: float, right: float) -> QPoint:
        """Return where on the canvas a point beside the tumour's centre lies."""
        plane = self.stage.centre + self.stage.reach * np.array((down, right))
        point = self.stage.mask.data_to_world((self.stage.at, *plane))[-2:]
        y, x = (np.array(point) - self.camera.center[-2:]) * self.camera.zoom
        return QPoint(round(x + self.canvas.width() / 2), round(y + self.canvas.height() / 2))

    def shoot(self, line: str, milliseconds: int) -> None:
        """Take a picture, and show it with a line for a while."""
        close_toasts()
        settle(200)
        window = self.viewer.screenshot(canvas_only=False, flash=False)[..., :3]
        picture = Image.new("RGB", (window.shape[1], window.shape[0] + LINE), "#2f5bd0")
        picture.paste(Image.fromarray(window))
        pen = ImageDraw.Draw(picture)
        origin = self.canvas.mapTo(self.canvas.window(), self.at)
        tip = [(origin.x() + x, origin.y() + y) for x, y in ARROW]
        pen.polygon(tip, "white", "black", 1)
        font = ImageFont.load_default(22)
        pen.text((16, window.shape[0] + LINE / 2), line, "white", font, anchor="lm")
        self.frames.append(picture)
        self.times.append(milliseconds)

    def mouse(self, kind: QEvent.Type, button: Qt.MouseButton, held: Qt.MouseButton) -> None:
        """Send an event of the mouse."""
        there = QPointF(self.canvas.mapToGlobal(self.at))
        free = Qt.KeyboardModifier.NoModifier
        event = QMouseEvent(kind, QPointF(self.at), there, button, held, free)
        QApplication.sendEvent(self.canvas, event)

    def scroll(self, by: int) -> None:
        """Turn the wheel with Ctrl by a slice."""
        there, held = QPointF(self.at), Qt.KeyboardModifier.ControlModifier
        turn, phase = QPoint(0, 120 * by), Qt.ScrollPhase.NoScrollPhase
        wheel = QWheelEvent(there, there, QPoint(), turn, NONE, held, phase, False)
        QApplication.sendEvent(self.canvas, wheel)

    def press(self, key: Qt.Key) -> None:
        """Press a key, and wait until what it starts is done."""
        QTest.keyClick(self.canvas, key)
        until(lambda: not self.page.busy)

    def point_at_tumour(self) -> None:
        """Rest on the tumour until the outline is there."""
        for place in PATH:
            self.at = self.place(*place)
            self.point.preview.forget()
            self.mouse(QEvent.Type.MouseMove, NONE, NONE)
            until(lambda: self.point.preview.answer is not None)
            self.shoot("Point: the outline that a click would give", 700)
        self.times[-1] = 1500

    def click(self) -> None:
        """Click, which takes the outline."""
        self.mouse(QEvent.Type.MouseButtonPress, LEFT, LEFT)
        wait(self.page.tools.prompts.solved, self.release)
        self.shoot("Click: the outline becomes the mask", 1800)

    def release(self) -> None:
        """Let the button go."""
        self.mouse(QEvent.Type.MouseButtonRelease, LEFT, NONE)

    def carry(self) -> None:
        """Carry through the volume, and look at it."""
        self.press(Qt.Key.Key_C)
        line = "Key C: carried up and down through the volume"
        self.shoot(line, 1500)
        for by in [1] * SCROLLED + [-1] * 2 * SCROLLED + [1] * SCROLLED:
            self.scroll(by)
            self.shoot(line, 250)

    def accept(self) -> None:
        """Accept the slice; the least certain one opens."""
        self.page.tabs.setCurrentWidget(self.page.review)
        settle(1000)  # the small pictures come one by one
        self.shoot("Review: how certain each carried slice is", 1800)
        self.press(Qt.Key.Key_A)
        settle(1000)
        self.shoot("Key A: accepted and saved; the least certain slice is next", 3000)

    def save(self, file: Path, method: int) -> None:
        """Write the animation, which is played again and again; method 6 makes the smallest."""
        first, *rest = self.frames
        first.save(
            file,
            save_all=True,
            append_images=rest,
            duration=self.times,
            loop=0,
            quality=60,
            method=method,
        )


def main() -> None:
    """Make the animation; with --smoke up to the click, into a folder that is removed."""
    with given_to(parser_of(__doc__, "point.webp", "without Carry")) as given:
        film = Film(given.scratch)
        steps = (film.point_at_tumour, film.click, film.carry, film.accept)
        for step in steps[:2] if given.smoke else steps:
            step()
        film.viewer.close()
        film.save(given.out, method=0 if given.smoke else 6)  # the package carries it


if __name__ == "__main__":
    main()
