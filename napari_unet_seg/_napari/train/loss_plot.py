"""The live plot of a training: losses on the left axis, Dice on the right one."""

from __future__ import annotations

import math
import warnings
from typing import TYPE_CHECKING, Any

import pyqtgraph as pg
from napari.utils.theme import get_system_theme, get_theme
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QLabel, QSizePolicy, QVBoxLayout, QWidget
from superqt.utils import qthrottled

from napari_unet_seg._napari.widgets.dock_widget import connect
from napari_unet_seg._napari.widgets.scroll import pass_wheel_to_parent
from napari_unet_seg.events import BatchEnd, EpochEnd, TrainStarted

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from qtpy.QtCore import QSize

    from napari_unet_seg.events import TrainEvent

TRAIN, VALID, DICE = "#4a90d9", "#e07b39", "#3aa76d"
"""Distinct on napari's dark and light background, and with the common colour blindnesses."""
_LEGEND = (
    f'<span style="color:{TRAIN}">●</span> training loss &nbsp; '
    f'<span style="color:{VALID}">■</span> validation loss &nbsp; '
    f'<span style="color:{DICE}">◆</span> validation Dice'
)
MAX_STEPS = 4000
"""Maximum number of points of single steps; beyond, every second point is dropped."""
_REFRESH_MS = 1000
_SPIKE = 2
"""A validation loss above this many times the highest training loss is a spike."""
_SMOOTHING = 10
"""Number of steps that the curve of single steps is smoothed over, at most a quarter epoch."""


class LossPlot(QWidget):
    """Curves that grow with the events of a training, redrawn a few times a second.

    Parameters
    ----------
    viewer : napari.Viewer
        The viewer whose theme the plot follows.
    """

    def __init__(self, viewer: ViewerModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._viewer = viewer
        self.view = pg.PlotWidget(enableMenu=False)
        self.view.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.view.setMinimumHeight(150)
        pass_wheel_to_parent(self.view.viewport())
        plot = self.view.getPlotItem()
        plot.hideButtons()
        self._dice_view = _right_axis(plot)
        self.step_curve = plot.plot(pen=pg.mkPen(TRAIN, width=1))
        self.train_curve = plot.plot(**_style(TRAIN, "o"))
        self.valid_curve = plot.plot(**_style(VALID, "s"))
        self.dice_curve = pg.PlotDataItem(**_style(DICE, "d", Qt.PenStyle.DashLine))
        self._dice_view.addItem(self.dice_curve)
        # Above the plot, as inside it would hide the end of a curve.
        self.legend = QLabel(_LEGEND)
        self.legend.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.legend.setStyleSheet("font-size: 8pt")
        self.legend.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self.legend)
        layout.addWidget(self.view, 1)
        self._redraw_soon = qthrottled(self.redraw, timeout=_REFRESH_MS, parent=self)
        connect(self, (viewer.events.theme, self._follow_theme))
        self._follow_theme()
        self.clear()

    def clear(self) -> None:
        """Remove the curves."""
        self._steps: list[tuple[float, float]] = []
        self._epochs: list[EpochEnd] = []
        self._stride = self._seen = 1
        self._mean = math.nan
        self.redraw()

    def on_event(self, event: TrainEvent | Any) -> None:
        """Add an event of the training to the curves; events that are not drawn are ignored."""
        if isinstance(event, BatchEnd):
            self._add_step(event)
        elif isinstance(event, EpochEnd):
            self._epochs.append(event)
        elif isinstance(event, TrainStarted):
            self.clear()
        else:
            return
        self._redraw_soon()

    def redraw(self) -> None:
        """Draw the curves of all events so far."""
        x, y = zip(*self._steps, strict=True) if self._steps else ((), ())
        self.step_curve.setData(x, y)
        for curve, name in (
            (self.train_curve, "train_loss"),
            (self.valid_curve, "valid_loss"),
            (self.dice_curve, "valid_dice"),
        ):
            points = [(e.epoch, getattr(e, name)) for e in self._epochs]
            points = [p for p in points if math.isfinite(p[1])]
            curve.setData([p[0] for p in points], [p[1] for p in points])
        self._fit_losses()

    def _fit_losses(self) -> None:
        """Fit the axis to all losses but spikes of the validation loss, which flatten the rest."""
        train_losses = [y for _, y in self._steps] + [e.train_loss for e in self._epochs]
        train_losses = [loss for loss in train_losses if math.isfinite(loss)]
        if not train_losses:
            self.view.setRange(xRange=(0, 1), yRange=(0, 1), padding=0)  # not below nothing
            return
        self.view.enableAutoRange(x=True)
        limit = _SPIKE * max(train_losses)
        shown = train_losses + [e.valid_loss for e in self._epochs if e.valid_loss <= limit]
        self.view.setYRange(min(shown), max(shown), padding=0.05)

    def sizeHint(self) -> QSize:
        """Small enough for a docked panel."""
        return self.view.minimumSizeHint().expandedTo(self.minimumSizeHint())

    def _add_step(self, event: BatchEnd) -> None:
        if not math.isfinite(event.loss):
            return
        old = event.loss if math.isnan(self._mean) else self._mean
        weight = 1 / max(1, min(_SMOOTHING, event.steps / 4))
        self._mean = (1 - weight) * old + weight * event.loss
        self._seen += 1
        if self._seen % self._stride == 0:
            self._steps.append((event.epoch - 1 + event.step / event.steps, self._mean))
        if len(self._steps) > MAX_STEPS:
            self._steps = self._steps[::2]
            self._stride *= 2

    def _follow_theme(self, _: Any = None) -> None:
        theme = get_theme(_theme_name(self._viewer))
        text, ground = theme.text.as_hex(), theme.background.as_hex()
        self.view.setBackground(ground)
        plot = self.view.getPlotItem()
        for side in ("left", "bottom", "right"):
            axis = plot.getAxis(side)
            axis.setPen(text)
            axis.setTextPen(text)
            axis.enableAutoSIPrefix(False)  # 0.2, and not 200 (x0.001)
            axis.setStyle(textFillLimits=[(0, 0.6), (2, 0.4)])
        plot.setLabel("bottom", "epoch", color=text)
        plot.setLabel("left", "loss", color=text)
        plot.setLabel("right", "Dice", color=DICE)
        plot.showGrid(x=True, y=True, alpha=0.15)


def _theme_name(viewer: ViewerModel) -> str:
    name = viewer.theme
    if name == "system":
        with warnings.catch_warnings():
            # On Qt 5 the function warns that it assumes dark; napari has shown that warning.
            warnings.simplefilter("ignore", UserWarning)
            name = get_system_theme()
    return str(name)


def _style(colour: str, symbol: str, line: Any = Qt.PenStyle.SolidLine) -> dict[str, Any]:
    return {
        "pen": pg.mkPen(colour, width=2, style=line),
        "symbol": symbol,
        "symbolSize": 6,
        "symbolBrush": colour,
        "symbolPen": None,
    }


def _right_axis(plot: pg.PlotItem) -> pg.ViewBox:
    """Return a second view over the plot, from 0 to 1, that shares the horizontal axis."""
    view = pg.ViewBox(enableMenu=False)
    plot.showAxis("right")
    plot.scene().addItem(view)
    plot.getAxis("right").linkToView(view)
    view.setXLink(plot)
    view.setYRange(0, 1, padding=0.05)
    view.setMouseEnabled(x=True, y=False)

    def follow() -> None:
        view.setGeometry(plot.getViewBox().sceneBoundingRect())

    plot.getViewBox().sigResized.connect(follow)
    follow()
    return view
