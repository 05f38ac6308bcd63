"""The form of the correction tools: categories, extent, size, and a button for each tool."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import QSignalBlocker, Qt, Signal
from qtpy.QtWidgets import (
    QGridLayout,
    QLabel,
    QSlider,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from napari_unet_seg._napari.categories.editor import CategoryEditor
from napari_unet_seg._napari.categories.swatches import swatch
from napari_unet_seg._napari.tools.form_parts import (
    border_button,
    combo,
    fold,
    grey_brush_box,
    push,
    radio,
    row,
    tool_button,
)
from napari_unet_seg._napari.tools.mask_look import MaskLook
from napari_unet_seg._napari.tools.point.bar import PointBar
from napari_unet_seg._napari.tools.tool_descriptions import TOOLS
from napari_unet_seg._napari.widgets.job_bar import JobBar
from napari_unet_seg._napari.widgets.scroll import fill_with_scroll_column, pass_wheel_to_parent
from napari_unet_seg._napari.widgets.status_label import StatusLabel

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from napari.viewer import ViewerModel

    from napari_unet_seg.config import Category


_COLUMNS = 3
_LAST_ROW = ("copy_previous", "copy_next")
_STEPS = 100
_NO_MAP_TIP = (
    "This slice has no probabilities: tick Probabilities in Segment, and segment the image again"
)

_MIN_HEIGHT = 240
"""Minimum height of the form in pixels, which a low window must have below the header."""


class ToolsForm(QWidget):
    """The controls of the tools, without any layer."""

    used = Signal(str)
    """Emitted with the name of a tool."""
    merge_wanted = Signal(int)
    """Emitted with the label of the category that the chosen category is merged into."""

    def __init__(self, viewer: ViewerModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._names: list[str] = []
        self.categories = CategoryEditor(viewer)
        self.look = MaskLook(viewer)
        self.slice_button = radio("This slice", "Change only the slice on screen")
        self.slice_button.setChecked(True)
        self.volume_button = radio(
            "Whole volume", "Change all slices; objects of a volume are treated in 3-D"
        )
        self.pixels = QSpinBox()
        self.pixels.setRange(1, 10_000)
        self.pixels.setValue(3)
        self.pixels.setSuffix(" px")
        self.pixels.setToolTip(
            "Distance for Grow, Shrink, Smooth, Close gaps and Split; size limit for Remove small"
        )
        self.buttons = {name: tool_button(tool) for name, tool in TOOLS.items()}
        self.merge_button = push("Merge into", "Make the chosen category part of another one")
        self.target = combo("The category that the chosen category is merged into")
        self.point_bar = PointBar()
        self.border_button = border_button()
        self.grey_brush = grey_brush_box()
        self.outline_button = push(
            "Boxes → outlines",
            "Replace each box of the category, imported boxes for example, by the outline of the "
            "object in it; on this slice or on all slices (undo with Ctrl+Z)",
        )
        self.clear_button = push(
            "Clear prompts",
            "Forget the prompts on this slice; the mask stays as it is",
        )
        self.slider = QSlider(Qt.Orientation.Horizontal)
        pass_wheel_to_parent(self.slider)
        self.slider.setRange(1, _STEPS - 1)
        self.slider.setValue(_STEPS // 2)
        self.level = QLabel()
        self.job_bar = JobBar()
        self.status = StatusLabel()
        self._lay_out()
        self._connect()
        self.show_map(False)

    def value(self) -> int:
        """The label of the chosen category, 0 if there is none."""
        return self.categories.value() if self._names else 0

    def whole(self) -> bool:
        """Whether all slices are to be changed."""
        return self.volume_button.isChecked()

    def threshold(self) -> float:
        """The probability of the slider's position."""
        return self.slider.value() / _STEPS

    def show_categories(self, categories: Sequence[Category], locked: Collection[int] = ()) -> None:
        """Offer the categories of a mask; without any, the tools are disabled."""
        self._names = [category.name for category in categories]
        blocker, chosen = QSignalBlocker(self.target), self.target.currentIndex()
        self.target.clear()
        for value, name in enumerate(self._names, 1):
            self.target.addItem(swatch(name), f"{name} (locked)" if value in locked else name)
        self.target.setCurrentIndex(min(max(chosen, 0), len(self._names) - 1))
        blocker.unblock()
        self._keep_apart()
        self.controls.setEnabled(bool(categories))
        for widget in (self.merge_button, self.target):
            widget.setEnabled(len(self._names) > 1)

    def show_map(self, there: bool) -> None:
        """Enable the slider if the slice on screen has probabilities."""
        self._mapped = there
        self.slider.setEnabled(there)
        tip = (
            "Set the category to the pixels with at least this probability; previewed while you "
            "drag, applied when you release"
        )
        self.slider.setToolTip(tip if there else _NO_MAP_TIP)
        self._show_level()

    def _connect(self) -> None:
        for name, button in self.buttons.items():
            button.clicked.connect(lambda _, name=name: self.used.emit(name))
        self.merge_button.clicked.connect(
            lambda: self.merge_wanted.emit(self.target.currentIndex() + 1)
        )
        self.categories.category_chosen.connect(self._keep_apart)
        self.slider.valueChanged.connect(self._show_level)

    def _keep_apart(self) -> None:
        """Keep the target of a merge different from the chosen category."""
        if self._names and self.target.currentIndex() + 1 == self.value():
            self.target.setCurrentIndex(self.value() % len(self._names))

    def _show_level(self) -> None:
        self.level.setText(f"{self.threshold():.2f}" if self._mapped else "no map")

    def _lay_out(self) -> None:
        self.controls = QWidget()
        rows = QVBoxLayout(self.controls)
        rows.setContentsMargins(0, 0, 0, 0)
        rows.setSpacing(6)
        rows.addWidget(self.point_bar)
        self.more = fold(self._further_tools())
        rows.addWidget(self.more)
        content = QWidget()
        layout = QVBoxLayout(content)
        layout.setContentsMargins(4, 6, 4, 4)
        layout.setSpacing(6)
        layout.addWidget(self.categories)
        layout.addWidget(self.look)
        layout.addWidget(self.controls)
        layout.addWidget(self.job_bar)
        layout.addWidget(self.status)
        layout.addStretch(1)
        fill_with_scroll_column(self, content, _MIN_HEIGHT)

    def _further_tools(self) -> QWidget:
        inside = QWidget()
        rows = QVBoxLayout(inside)
        rows.setContentsMargins(0, 0, 0, 0)
        rows.setSpacing(6)
        rows.addLayout(row(self.slice_button, self.volume_button, self.pixels))
        rows.addLayout(self._grid())
        rows.addLayout(row(*(self.buttons[name] for name in _LAST_ROW)))
        rows.addLayout(row(self.border_button, self.grey_brush))
        rows.addLayout(row(self.outline_button, self.clear_button))
        rows.addLayout(row(self.merge_button, self.target, stretched=self.target))
        rows.addLayout(row(QLabel("Threshold"), self.slider, self.level))
        return inside

    def _grid(self) -> QGridLayout:
        grid = QGridLayout()
        grid.setSpacing(4)
        names = [name for name in self.buttons if name not in _LAST_ROW]
        for index, name in enumerate(names):
            grid.addWidget(self.buttons[name], *divmod(index, _COLUMNS))
        return grid
