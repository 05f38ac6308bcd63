"""What a prediction found, and the button that goes on to its correction."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtWidgets import QFrame, QGridLayout, QLabel, QPushButton

from napari_unet_seg.io.common.counting import counted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari.layers import Labels

    from napari_unet_seg._napari.segment.findings import Findings


class ResultCard(QFrame):
    """Shows the volume of each category, and which masks were hidden; hidden without a result."""

    def __init__(self) -> None:
        super().__init__()
        self.text = QLabel()
        self.text.setWordWrap(True)
        self.correct_button = QPushButton("Correct ›")
        self.correct_button.setToolTip("Correct this mask, and keep every correction")
        self.hidden_text = QLabel()
        self.hidden_text.setWordWrap(True)
        self.show_button = QPushButton("Show")
        self.show_button.clicked.connect(self._show_hidden)
        self._hidden: Sequence[Labels] = ()
        layout = QGridLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setColumnStretch(0, 1)
        layout.addWidget(self.text, 0, 0)
        layout.addWidget(self.correct_button, 0, 1)
        layout.addWidget(self.hidden_text, 1, 0)
        layout.addWidget(self.show_button, 1, 1)
        self.offer_hidden(())
        self.hide()

    def show_findings(self, findings: Findings) -> None:
        """Show how much of each category was found."""
        lines = [f"<b>{amount}</b>" for amount in findings.amounts]
        self.text.setText("<br>".join(lines) or "<b>Nothing found</b>")
        self.show()

    def offer_hidden(self, masks: Sequence[Labels]) -> None:
        """Tell that masks were hidden, and offer to show them; no offer without any."""
        self._hidden = masks
        self.hidden_text.setText(f"{counted(len(masks), 'other mask')} of this case hidden")
        self.show_button.setToolTip("Show " + ", ".join(mask.name for mask in masks))
        for widget in (self.hidden_text, self.show_button):
            widget.setVisible(bool(masks))

    def _show_hidden(self) -> None:
        for mask in self._hidden:
            mask.visible = True
        self.offer_hidden(())

    def show_edited(self) -> None:
        """Take back how much was found: the mask was edited, or its segmentation undone."""
        self.text.setText("The mask was edited since.")
