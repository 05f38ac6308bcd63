"""The controls of a comparison: two masks, the extent, the table and the contours."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari.layers import Labels
from qtpy.QtWidgets import (
    QCheckBox,
    QComboBox,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from napari_unet_seg._napari.categories.swatches import outlined_swatch
from napari_unet_seg._napari.compare.comparison import BOTH, COLOURS, A, B
from napari_unet_seg._napari.compare.table import CompareTable
from napari_unet_seg._napari.layers.conversion import is_user_layer
from napari_unet_seg._napari.layers.instances import is_instances
from napari_unet_seg._napari.widgets.form.layer_combo import LayerCombo
from napari_unet_seg._napari.widgets.status_label import StatusLabel

if TYPE_CHECKING:
    from napari.layers import Layer
    from napari.viewer import ViewerModel


class CompareForm(QWidget):
    """The controls of a comparison; `CompareTab` connects them.

    Parameters
    ----------
    viewer : napari.Viewer
        The viewer whose labels layers can be chosen.
    """

    def __init__(self, viewer: ViewerModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.a, self.b = (LayerCombo(viewer, _is_comparable, follow=False) for _ in range(2))
        self.a.setToolTip("The mask to measure, the prediction for example")
        self.b.setToolTip("The reference mask, the truth for example")
        self.part = QComboBox()
        self.part.addItems(["This slice", "Whole scan"])
        self.part.setToolTip("A slice is measured again whenever it changes")
        self.button = QPushButton()
        self.bar = QProgressBar()
        self.bar.setToolTip("Number of categories measured so far")
        self.table = CompareTable()
        self.contours = QCheckBox("Show contours")
        self.contours.setToolTip("Outline A and B on the slice on screen, in a separate layer")
        self.legend = _legend({A: "A", B: "B", BOTH: "both"})
        self.csv_button = QPushButton("Save CSV…")
        self.csv_button.setToolTip("Save the table with more digits, one row for each category")
        self.status = StatusLabel()
        self._lay_out()
        self.show_running(False)

    @property
    def running(self) -> bool:
        """Whether the whole scan is being measured, and the button stops that."""
        return not self.bar.isHidden()

    def show_running(self, running: bool) -> None:
        """Make the button stop a running comparison, or start a comparison."""
        self.bar.setVisible(running)
        self.button.setText("Stop" if running else "Compare")
        self.button.setToolTip(
            "Stop measuring the whole scan" if running else "Measure A against B now"
        )

    @property
    def whole(self) -> bool:
        """Whether the whole scan is chosen."""
        return bool(self.part.currentIndex() == 1)

    def _lay_out(self) -> None:
        rows = QFormLayout()
        rows.setVerticalSpacing(4)
        rows.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        rows.addRow("A", self.a)
        rows.addRow("B", self.b)
        start = QHBoxLayout()
        start.setSpacing(4)
        start.addWidget(self.part, 1)
        start.addWidget(self.button, 1)
        rows.addRow("Of", start)
        display = QHBoxLayout()
        display.addWidget(self.contours)
        display.addWidget(self.legend)
        display.addStretch(1)
        display.addWidget(self.csv_button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(4, 6, 4, 4)
        layout.setSpacing(6)
        layout.addLayout(rows)
        layout.addWidget(self.bar)
        layout.addWidget(self.table, 1)
        layout.addLayout(display)
        layout.addWidget(self.status)


def _is_comparable(layer: Layer) -> bool:
    return is_user_layer(layer, Labels) and not is_instances(layer)


def _legend(names: dict[int, str]) -> QWidget:
    legend = QWidget()
    legend.setToolTip("Colours of the contours")
    layout = QHBoxLayout(legend)
    layout.setContentsMargins(0, 0, 0, 0)
    layout.setSpacing(0)
    for value, name in names.items():
        mark = QLabel()
        mark.setPixmap(outlined_swatch(COLOURS[value]))
        layout.addWidget(mark)
        layout.addWidget(QLabel(name))
    return legend
