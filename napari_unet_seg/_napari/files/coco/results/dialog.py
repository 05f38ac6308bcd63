"""The dialog that asks which of a model's results are opened, and how."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from qtpy.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QDoubleSpinBox,
    QFormLayout,
    QLabel,
    QWidget,
)

from napari_unet_seg._napari.widgets.settings import recall, remember
from napari_unet_seg.config import RESULT_THRESHOLD

if TYPE_CHECKING:
    from napari_unet_seg._napari.layers.layer_record import Values
    from napari_unet_seg.arrays import Array
    from napari_unet_seg.io.coco.results import Results

_THRESHOLD = "results/threshold"


class ResultsChoice(NamedTuple):
    """Which results are drawn, and as what."""

    threshold: float
    boxes: bool
    values: Values


class ResultsDialog(QDialog):
    """Chooses a threshold, with the number of results that reach it.

    Parameters
    ----------
    results : Results
        The results on their data set.
    parent : QWidget
        The window below the dialog.
    """

    def __init__(self, results: Results, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(f"Open results · {results.path.name}")
        self._results = results
        self._build()
        for signal in (self.threshold.valueChanged, self.boxes.toggled):
            signal.connect(self._show_count)
        self.buttons.accepted.connect(self.accept)
        self.buttons.rejected.connect(self.reject)
        self._show_count()

    def value(self) -> ResultsChoice:
        """Return the choice."""
        values = self.values.currentData()
        return ResultsChoice(self.threshold.value(), self.boxes.isChecked(), values)

    def _build(self) -> None:
        results = self._results
        self.threshold = QDoubleSpinBox()
        self.threshold.setRange(*range_of(results))
        self.threshold.setSingleStep(0.05)
        self.threshold.setValue(float(recall(_THRESHOLD, RESULT_THRESHOLD)))
        self.threshold.setToolTip("Results of a lower score are left out")
        self.count = QLabel()
        self.boxes = QCheckBox(f"Draw {len(results.box_scores):,} boxes without an outline")
        self.boxes.setToolTip("Fill the box of a result that has no outline")
        self.boxes.setChecked(not len(results.scores))
        self.boxes.setVisible(bool(len(results.box_scores)))
        self.values = QComboBox()
        self.values.addItem("one for each category", "classes")
        self.values.addItem("one for each result", "instances")
        self.values.setToolTip(
            "One for each category: to correct and to compare. One for each result: single objects "
            "with their score in the status bar and in the table of the layer."
        )
        standard = QDialogButtonBox.StandardButton
        self.buttons = QDialogButtonBox(standard.Open | standard.Cancel)
        self.open_button = self.buttons.button(standard.Open)
        layout = QFormLayout(self)
        layout.addRow(QLabel(f"Results on the images of {results.dataset.path.name}"))
        layout.addRow("Score of at least", self.threshold)
        layout.addRow("", self.count)
        layout.addRow("", self.boxes)
        layout.addRow("Labels", self.values)
        for what, why in results.problems:
            problem = QLabel(f"Left out: {what} {why}")
            problem.setWordWrap(True)
            layout.addRow(problem)
        layout.addRow(self.buttons)

    def _show_count(self) -> None:
        threshold, boxes, _ = self.value()
        number = self._results.count(threshold, boxes=boxes)
        total = self._results.count(float("-inf"), boxes=True)
        self.count.setText(f"{number:,} of {total:,} results")
        self.open_button.setEnabled(number > 0)


def range_of(results: Results) -> tuple[float, float]:
    """Return the range of the threshold: 0 to 1, and all scores."""
    ends = [float(scores[end]) for scores in _scores(results) for end in (0, -1)]
    return min(0.0, *ends), max(1.0, *ends)


def _scores(results: Results) -> list[Array]:
    return [scores for scores in (results.scores, results.box_scores) if len(scores)]


def ask_for_results(results: Results, parent: QWidget | None = None) -> ResultsChoice | None:
    """Let the user choose among results; return None after Cancel."""
    dialog = ResultsDialog(results, parent)
    try:
        if dialog.exec() != int(getattr(_ACCEPTED, "value", _ACCEPTED)):
            return None
        remember(_THRESHOLD, dialog.value().threshold)
        return dialog.value()
    finally:
        dialog.deleteLater()


_ACCEPTED = QDialog.DialogCode.Accepted
"""An int on Qt 5, an enum on Qt 6."""
