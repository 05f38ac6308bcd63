"""What a prediction found, and the button that goes on to its correction."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton

if TYPE_CHECKING:
    from napari_unet_seg._napari.segment.findings import Findings


class ResultCard(QFrame):
    """Shows the volume of each category; hidden until there is a result."""

    def __init__(self) -> None:
        super().__init__()
        self.text = QLabel()
        self.text.setWordWrap(True)
        self.correct_button = QPushButton("Correct ›")
        self.correct_button.setToolTip("Correct this mask, and keep every correction")
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.text, 1)
        layout.addWidget(self.correct_button)
        self.hide()

    def show_findings(self, findings: Findings) -> None:
        """Show how much of each category was found."""
        lines = [f"<b>{amount}</b>" for amount in findings.amounts]
        self.text.setText("<br>".join(lines) or "<b>Nothing found</b>")
        self.show()

    def show_edited(self) -> None:
        """Take back how much was found: the mask was edited, or its segmentation undone."""
        self.text.setText("The mask was edited since.")
