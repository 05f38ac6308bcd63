"""One picture of all correction tools, before and after each: `docs/images/each-tool.png`.

    python docs/make_tool_pictures.py [--out FILE] [--smoke]

The sample volume in a real window; what each tool has to mend is drawn for it, and the tool's own
button is clicked. Where there is no display, start it with `xvfb-run`.
"""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import napari
import numpy as np
from make_pictures import PLUGIN, given_to, parser_of, settle, wait
from PIL import Image
from qtpy.QtCore import Qt
from qtpy.QtGui import QFont, QImage, QPainter
from scipy import ndimage
from skimage.measure import find_contours
from superqt.utils import qimage_to_array

from napari_unet_seg._napari.dock.step_bar import Step
from napari_unet_seg._napari.layers.conversion import add_map
from napari_unet_seg._napari.layers.geometry import geometry_of
from napari_unet_seg._napari.layers.layer_record import LayerRecord
from napari_unet_seg._napari.layers.locks import set_locked
from napari_unet_seg.config import Category, PredictConfig
from napari_unet_seg.correct.prompt_marks import Prompt
from napari_unet_seg.engine import predict
from napari_unet_seg.io.common.scan import Scan
from napari_unet_seg.io.read import read_labels
from napari_unet_seg.models import BUNDLED

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from napari_unet_seg.correct.prompt_marks import PromptKind

    Array = np.ndarray[Any, np.dtype[Any]]

SAMPLES = Path(__file__).parents[1] / "sample_data"
CATEGORIES = (Category(id=1, name="tumour"), Category(id=2, name="oedema"))
CELL, GAP, CAPTION, COLUMNS = 190, 10, 26, 3
MARGIN = 14
"""Pixels of the slice around what is shown."""
PIXELS = {"grow": 3, "shrink": 3, "smooth": 3, "close_gaps": 4, "split": 3, "remove_small": 30}


class Stage:
    """The window, the slice with the largest tumour, and what is drawn there."""

    def __init__(self) -> None:
        self.viewer = napari.Viewer()
        self.viewer.window.resize(1366, 768)
        image = self.viewer.open_sample(PLUGIN, "scan")[0]
        (file,) = SAMPLES.glob("*truth.nii.gz")
        truth = np.asarray(read_labels(file).data) == 1
        self.at = int(truth.sum((1, 2)).argmax())
        self.truth, self.image = truth, image
        self.mask = self.viewer.add_labels(
            np.zeros(truth.shape, np.uint8),
            name="mask",
            metadata=LayerRecord(categories=CATEGORIES).as_metadata(),
            **geometry_of(image),
        )
        _, dock = self.viewer.window.add_plugin_dock_widget(PLUGIN, "U-Net Seg")
        dock.show_step(Step.CORRECT)
        self.widget = dock.correct
        self.tools = self.widget.tools
        self.widget.tabs.setCurrentWidget(self.tools)
        self.viewer.dims.set_current_step(0, self.at)
        rows, columns = np.nonzero(truth[self.at])
        self.centre = np.array([rows.mean(), columns.mean()])
        self.reach = max(np.ptp(rows), np.ptp(columns)) / 2 + MARGIN

    def draw(self, *planes: Array) -> None:
        """Put label planes into the slices around the one on screen, and nothing elsewhere."""
        labels = np.zeros_like(self.mask.data)
        first = self.at - len(planes) // 2
        labels[first : first + len(planes)] = planes
        self.mask.data = labels
        self.mask.selected_label = 1

    def shot(self) -> Image.Image:
        """The lesion on the canvas."""
        settle(150)
        camera = getattr(self.viewer, "scene", self.viewer).camera  # newer napari has several
        camera.center = self.mask.data_to_world((self.at, *self.centre))[-2:]
        camera.zoom = CELL / (2 * self.reach * self.image.scale[-1])
        settle(150)
        shown = self.viewer.screenshot(size=(CELL, CELL), flash=False)
        return Image.fromarray(shown[..., :3])

    def use(self, name: str) -> None:
        """Click a tool."""
        self.tools.pixels.setValue(PIXELS.get(name, 1))
        self.tools.buttons[name].click()
        while self.tools.busy:
            settle(50)


def scenes(stage: Stage) -> dict[str, tuple[list[Array], Callable[[], None]]]:
    """By caption, what is drawn before, and what is done."""
    whole = stage.truth[stage.at].astype(np.uint8)
    rng = np.random.default_rng(0)
    row, column = (int(n) for n in stage.centre)
    near = np.hypot(*(np.indices(whole.shape) - stage.centre[:, None, None]))
    inner, outer = (
        f(whole, iterations=2) for f in (ndimage.binary_erosion, ndimage.binary_dilation)
    )
    edge = outer & ~inner
    ragged = np.where(edge, rng.random(whole.shape) < 0.5, whole).astype(np.uint8)
    hole = np.where(near < 4, 0, whole).astype(np.uint8)
    cut = whole.copy()
    cut[row : row + 2] = 0
    specks = whole.copy()
    specks[row - 16 : row - 13, column - 20 : column - 17] = 1
    specks[row + 15 : row + 18, column + 17 : column + 20] = 1
    pair = sum(np.roll(near < 9, shift, 1) for shift in (-7, 7)).clip(0, 1).astype(np.uint8)
    two = np.where(whole & (np.indices(whole.shape)[1] > column), 2, whole).astype(np.uint8)
    small = ndimage.binary_erosion(whole, iterations=4).astype(np.uint8)
    filled = (whole.any(1)[:, None] & whole.any(0)).astype(np.uint8)
    dented = np.where(np.indices(whole.shape)[1] > column, small, whole).astype(np.uint8)
    none = np.zeros_like(whole)
    inside = np.argwhere(whole)
    edges = inside.min(0).tolist(), inside.max(0).tolist()
    around = stage.centre + 1.15 * (max(find_contours(whole), key=len) - stage.centre)
    beside = [(row - 5, column + 15), (row + 5, column + 15)]
    use = stage.use
    simple = {
        "Grow": ([whole], "grow"),
        "Shrink": ([whole], "shrink"),
        "Smooth": ([ragged], "smooth"),
        "Fill holes": ([hole], "fill_holes"),
        "Close gaps": ([cut], "close_gaps"),
        "Split": ([pair], "split"),
        "Keep largest": ([specks], "keep_largest"),
        "Remove small": ([specks], "remove_small"),
        "Interpolate": ([whole, none, small], "interpolate"),
        "Copy previous": ([whole, none, none], "copy_previous"),
    }
    found = {k: (planes, lambda n=name: use(n)) for k, (planes, name) in simple.items()}
    return found | {
        "Merge into": ([two], lambda: stage.tools.merge_wanted.emit(2)),
        "Threshold": ([none], lambda: threshold(stage)),
        "Point: a click": ([none], lambda: point(stage, "click", [(row, column)])),
        "Point: a stroke outside": (
            [(near < 17).astype(np.uint8)],
            lambda: point(stage, "scribble", beside, inside=False),
        ),
        "Point: a box": ([none], lambda: point(stage, "box", [*edges])),
        "Point: a lasso": ([none], lambda: point(stage, "lasso", around.tolist())),
        "Boxes → outlines": ([filled], lambda: outline(stage)),
        "Redraw border": ([dented], lambda: line(stage, whole)),
        "Copy to next": ([whole], lambda: use("copy_next")),
        "Lock (oedema), then brush": ([two], lambda: lock(stage)),
    }


def threshold(stage: Stage) -> None:
    """Move the slider."""
    stage.tools.slider.setValue(stage.tools.slider.minimum() + 30)


def point(stage: Stage, kind: PromptKind, points: Sequence[Any], inside: bool = True) -> None:
    """Give a prompt, and leave it on the picture."""
    tools = stage.tools
    tools.prompts.choose("point")
    prompt = Prompt(kind, inside, tuple((float(y), float(x)) for y, x in points))
    wait(tools.prompts.solved, lambda: tools.prompts.point.give(prompt, (stage.at,)))


def outline(stage: Stage) -> None:
    """Take the mask for a box."""
    stage.tools.outline_button.click()
    while stage.tools.busy:
        settle(50)


def line(stage: Stage, whole: Array) -> None:
    """Drag along the right half of a mask's border."""
    stage.tools.border_button.click()
    layer = stage.viewer.layers.selection.active
    around = max(find_contours(whole.astype(np.float32), 0.5), key=len)
    right = around[around[:, 1] > stage.centre[1]]
    angles = np.arctan2(*(right - stage.centre).T)
    points = [layer.data_to_world((stage.at, *point)) for point in right[angles.argsort()]]

    def drag() -> None:
        event = SimpleNamespace(type="mouse_press", position=points[0], button=1)
        dragging = layer.mouse_drag_callbacks[-1](layer, event)
        next(dragging)
        event.type = "mouse_move"
        for event.position in points[1:]:
            next(dragging)
        event.type = "mouse_release"
        next(dragging, None)

    wait(stage.tools.prompts.solved, drag)


def lock(stage: Stage) -> None:
    """Lock the second category, and brush over it with the first one."""
    tools, mask = stage.tools, stage.mask
    set_locked(mask, 2, True)
    tools.categories.setValue(1)
    mask.brush_size = 14
    row, column = (int(n) for n in stage.centre)
    with mask.block_history():
        for step in range(16):
            mask.paint((stage.at, row + 8, column - 8 + 2 * step), 1)
    settle()


def compose(cells: dict[str, tuple[Image.Image, Image.Image]]) -> Image.Image:
    """Put pairs of pictures under their captions."""
    rows = -(-len(cells) // COLUMNS)
    width, height = 2 * CELL + GAP // 2, CELL + CAPTION + GAP
    sheet = Image.new("RGB", (COLUMNS * (width + 2 * GAP), rows * height), "white")
    for number, (caption, (before, after)) in enumerate(cells.items()):
        left, top = number % COLUMNS * (width + 2 * GAP) + GAP, number // COLUMNS * height
        sheet.paste(written(caption, width), (left, top))
        sheet.paste(before, (left, top + CAPTION))
        sheet.paste(after, (left + CELL + GAP // 2, top + CAPTION))
    return sheet


def written(caption: str, width: int) -> Image.Image:
    """A caption in the fonts of the window, which have arrows."""
    line, font = QImage(width, CAPTION, QImage.Format.Format_RGB32), QFont("sans-serif")
    line.fill(Qt.GlobalColor.white)
    font.setPixelSize(16)
    with QPainter(line) as painter:
        painter.setFont(font)
        painter.drawText(line.rect(), Qt.AlignmentFlag.AlignVCenter, caption)
    return Image.fromarray(qimage_to_array(line)[..., :3])


def add_probabilities(stage: Stage) -> None:
    """Add the bundled model's map, which the threshold cuts."""
    scan = Scan(np.asarray(stage.image.data), "ZYX", tuple(stage.image.scale), "mm")
    *_, result = predict(PredictConfig(probabilities=True), BUNDLED, scan)
    probable = np.asarray(result.probabilities[0], np.float32)
    add_map(stage.viewer, probable, stage.mask, "probability of tumour").visible = False


def main() -> None:
    """Make the picture; with --smoke of one tool, into a folder that is removed."""
    with given_to(parser_of(__doc__, "each-tool.png", "one tool")) as given:
        stage = Stage()
        shown = scenes(stage)
        if given.smoke:
            shown = {"Grow": shown["Grow"]}
        else:
            add_probabilities(stage)
        cells = {}
        for caption, (planes, act) in shown.items():
            stage.draw(*planes)
            before = stage.shot()
            act()
            cells[caption] = before, stage.shot()
            stage.tools.prompts.point.clear()
            stage.tools.prompts.end()
            stage.viewer.dims.set_current_step(0, stage.at)
        stage.viewer.close()
        compose(cells).quantize(256).save(given.out, optimize=True)


if __name__ == "__main__":
    main()
