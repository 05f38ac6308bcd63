"""The switch that lets the network learn while slices are corrected."""

from __future__ import annotations

from qtpy.QtWidgets import (
    QCheckBox,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from napari_unet_seg._napari.widgets.settings import recall, remember

_KEY = "learn"


class LearnBar(QWidget):
    """Whether to learn, how often, and the way back."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.switch = QCheckBox("Learn while correcting")
        self.switch.setToolTip(
            "After so many accepted slices the model is fine-tuned shortly in the background, and "
            "the slices still to do are predicted again. Slices that you have touched stay as "
            "they are, as do masks that came from a file. A round that made the model worse on the "
            "held-out slices than it was at first is not taken. Slices of the open session count, "
            "and while you go through the scans of a folder those of all its sessions that have "
            "the same categories."
        )
        self.every = QSpinBox()
        self.every.setRange(2, 500)
        self.every.setSuffix(" slices")
        self.every.setToolTip("Learn after every so many accepted slices")
        self.back_button = QPushButton("Back to the earlier model")
        self.back_button.setToolTip(
            "Use the model before the last round again, and predict the slices still to do with it"
        )
        self.status = QLabel()
        self.status.setWordWrap(True)
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

    def say(self, text: str) -> None:
        """Show what goes on, nothing where the text is empty."""
        self.status.setText(text)
        self.status.setVisible(bool(text))

    def _recall(self) -> None:
        known = recall(_KEY, {})
        self.switch.setChecked(bool(known.get("on", False)))
        self.every.setValue(int(known.get("every", 10)))

    def _remember(self, _: object = None) -> None:
        remember(_KEY, {"on": self.switch.isChecked(), "every": self.every.value()})
