"""The rows of the tool Point: its button, the switch of the preview, undo, and its network."""

from __future__ import annotations

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QCheckBox, QGridLayout, QHBoxLayout, QLabel, QPushButton, QWidget

from napari_unet_seg._napari.segment.chosen_model import POINT
from napari_unet_seg._napari.segment.model_choice import ModelChoice
from napari_unet_seg._napari.tools.point.box_hint import TEXT
from napari_unet_seg._napari.widgets.keys import label_of
from napari_unet_seg._napari.widgets.settings import recall, remember

_PREVIEW = "tools/preview"
"""Key for whether the mask that a click would give is shown."""
_ALL = "tools/all_sequences"
"""Key for whether prompts look at all sequences of the case."""
_NETWORK_TIP = (
    "The network that Point, Carry and Boxes → outlines ask; Browse … opens a file of one that was "
    "trained with prompts"
)
_TIP = """<p>Point at what belongs to the category, and the mask follows:</p>
<table cellspacing=4>
<tr><td><b>click</b></td><td>this is inside</td></tr>
<tr><td><b>Ctrl + click</b>, or right button</td><td>this is outside</td></tr>
<tr><td><b>drag</b></td><td>all along the line is inside; outside with Ctrl</td></tr>
<tr><td><b>Shift + drag</b></td><td>a box around the object</td></tr>
<tr><td><b>Alt + drag</b></td><td>a lasso around it, which closes by itself</td></tr>
</table>
<p>Key {key}; Space moves the image, Ctrl+Z takes the last prompt back, Escape ends.</p>"""


class PointBar(QWidget):
    """The button Point, and what belongs to it."""

    chosen = Signal(bool)
    """Emitted with whether prompts are to be taken."""
    undo_wanted = Signal()
    preview_changed = Signal(bool)
    """Emitted with whether the user wants the mask that a click would give."""
    sequences_changed = Signal()
    """Prompts look at other sequences from now on."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        key = label_of("point")
        self.button = QPushButton(f"Point  [{key}]")
        self.button.setCheckable(True)
        self.button.setToolTip(_TIP.format(key=key))
        self.undo_button = QPushButton("Undo")
        self.undo_button.setToolTip(
            "Take the last prompt, stroke or tool back (Ctrl+Z; redo with Ctrl+Shift+Z)"
        )
        self.preview = QCheckBox("Preview")
        self.preview.setToolTip("Show under the pointer the outline that a click would give")
        self.preview.setChecked(bool(recall(_PREVIEW, True)))
        self.all_sequences = QCheckBox("Look at all")
        self.all_sequences.setToolTip(
            "Prompts, their preview and Carry look at all open sequences of the case on this grid, "
            "and average what they find; else at the sequence on screen alone"
        )
        self.all_sequences.setChecked(bool(recall(_ALL, False)))
        self.all_sequences.hide()
        self.network_label = QLabel("Network")
        self.network = ModelChoice(POINT)
        for widget in (self.network_label, self.network):
            widget.setToolTip(_NETWORK_TIP)
        self.hint = QLabel(TEXT)
        self.hint.setWordWrap(True)
        self.hint.hide()
        self.button.clicked.connect(self.chosen)
        self.undo_button.clicked.connect(lambda: self.undo_wanted.emit())
        self.preview.toggled.connect(self.preview_changed)
        self.preview.clicked.connect(lambda on: remember(_PREVIEW, on))
        self.all_sequences.toggled.connect(lambda _: self.sequences_changed.emit())
        self.all_sequences.clicked.connect(lambda on: remember(_ALL, on))
        self._grid = grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setSpacing(4)
        grid.addWidget(self.button, 0, 0)
        grid.addWidget(self.preview, 1, 0)
        grid.addWidget(self.undo_button, 1, 1)
        grid.addWidget(self.all_sequences, 2, 0, 1, 2)
        row = QHBoxLayout()
        row.addWidget(self.network_label)
        row.addWidget(self.network, 1)
        grid.addLayout(row, 3, 0, 1, 2)
        grid.addWidget(self.hint, 4, 0, 1, 2)
        grid.setColumnStretch(0, 1)
        grid.setColumnStretch(1, 1)

    @property
    def at_all(self) -> bool:
        """Whether prompts look at all sequences of the case."""
        return self.all_sequences.isChecked()

    def show_sequences(self, count: int) -> None:
        """Offer to look at all sequences if there are several."""
        self.all_sequences.setVisible(count > 1)

    def add_beside(self, widget: QWidget) -> None:
        """Show another tool of prompts beside the button."""
        self._grid.addWidget(widget, 0, 1)
