"""The controls of learning while slices are corrected."""

from __future__ import annotations

from qtpy.QtWidgets import (
    QCheckBox,
    QHBoxLayout,
    QPushButton,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from napari_unet_seg._napari.widgets.settings import recall, remember
from napari_unet_seg._napari.widgets.status_label import StatusLabel

_KEY = "learn"


class LearnBar(QWidget):
    """The switch to learn, the number of slices between rounds, and the way back."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.switch = QCheckBox("Learn while correcting")
        self.switch.setToolTip(
            "After the chosen number of accepted slices, the model is fine-tuned briefly in the "
            "background, and the slices still to do are predicted again. Slices that you have "
            "edited and masks from a file do not change. The model stays as it is until one is "
            "clearly better than the first model on the held-out slices. The slices of the open "
            "session count; with a folder of scans, the slices of all its sessions with the same "
            "categories."
        )
        self.every = QSpinBox()
        self.every.setRange(2, 500)
        self.every.setSuffix(" slices")
        self.every.setToolTip("Number of newly accepted slices after which a round starts")
        self.back_button = QPushButton("Back to the previous model")
        self.back_button.setToolTip(
            "Use the model before the last round, and predict the slices still to do with it"
        )
        self.status = StatusLabel()
        self._lay_out()
        self._recall()
        self.switch.toggled.connect(self._remember)
        self.every.valueChanged.connect(self._remember)

    def _lay_out(self) -> None:
        row = QHBoxLayout()
        row.addWidget(self.switch)
        row.addWidget(self.every, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addLayout(row)
        layout.addWidget(self.back_button)
        layout.addWidget(self.status)
        self.status.hide()

    def show_status(self, text: str) -> None:
        """Show a message; an empty text hides the line."""
        self.status.setText(text)
        self.status.setVisible(bool(text))

    def _recall(self) -> None:
        stored = recall(_KEY, {})
        self.switch.setChecked(bool(stored.get("on", False)))
        self.every.setValue(int(stored.get("every", 10)))

    def _remember(self, _: object = None) -> None:
        remember(_KEY, {"on": self.switch.isChecked(), "every": self.every.value()})
