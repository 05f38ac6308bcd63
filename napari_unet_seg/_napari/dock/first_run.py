"""The card that tells a new user the way, once."""

from __future__ import annotations

from qtpy.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton

from napari_unet_seg._napari.widgets.settings import recall, remember

_KEY = "first_run_seen"
_LINES = (
    "<b>Open</b> a scan, or the sample.",
    "<b>Segment</b> it: the network draws the mask.",
    "<b>Correct</b> with clicks (P) or the brush; A accepts.",
    "<b>Save</b> the mask beside the scan.",
)


class FirstRunCard(QFrame):
    """Shows the four steps until it is closed, and never again."""

    def __init__(self) -> None:
        super().__init__()
        self.text = QLabel("<br>".join(_LINES))
        self.text.setWordWrap(True)
        self.close_button = QPushButton("Got it")
        self.close_button.setToolTip("Do not show these lines again; ? has the manual")
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.text, 1)
        layout.addWidget(self.close_button)
        self.close_button.clicked.connect(self._dismiss)
        self.setVisible(not recall(_KEY, False))

    def _dismiss(self) -> None:
        remember(_KEY, True)
        self.hide()
