"""The controls that predict the slices still to do again."""

from __future__ import annotations

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QHBoxLayout, QProgressBar, QPushButton, QVBoxLayout, QWidget

from napari_unet_seg.inference.head import FEWEST
from napari_unet_seg.io.common.counting import counted


class PredictBar(QWidget):
    """A button that starts the predictions, their progress, and a button that stops them."""

    wanted = Signal()
    proposals_wanted = Signal()
    stop_wanted = Signal()
    undo_wanted = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.button = QPushButton()
        self.button.setToolTip(
            "Predict the slices still to do with the model that you have chosen in Segment, else "
            "with the session's. Slices with a decision, slices that you have edited, locked "
            "categories and masks from a file do not change."
        )
        self.propose_button = QPushButton()
        self.propose_button.setToolTip(
            "Fit the last layer of the model anew to the accepted slices of this scan, of which it "
            f"takes {FEWEST}, and predict the slices still to do with it. It is used only if its "
            "Dice is higher than the model's on accepted slices that it was not fitted to; the "
            "model itself stays."
        )
        self.undo_button = QPushButton("Undo")
        self.undo_button.setToolTip(
            "Put the predictions back that were replaced last, where you have not edited since"
        )
        self.progress = QProgressBar()
        self.stop_button = QPushButton("Stop")
        self.stop_button.setToolTip("Stop here; slices that were predicted again stay so")
        self._running = QWidget()
        row = QHBoxLayout(self._running)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self.progress, 1)
        row.addWidget(self.stop_button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addWidget(self.button)
        quick = QHBoxLayout()
        quick.addWidget(self.propose_button, 1)
        quick.addWidget(self.undo_button)
        layout.addLayout(quick)
        layout.addWidget(self._running)
        self.button.clicked.connect(self.wanted)
        self.propose_button.clicked.connect(self.proposals_wanted)
        self.undo_button.clicked.connect(self.undo_wanted)
        self.stop_button.clicked.connect(self._on_stop)
        self.show_running(False)
        self.show_todo(0)
        self.show_undo(False)

    def show_todo(self, number: int, accepted: int = 0, *, enabled: bool = True) -> None:
        """Show how many slices are to do and to learn from; without any the buttons are off."""
        self.button.setText(f"Predict the rest again ({number})")
        self.button.setEnabled(enabled and number > 0)
        self.propose_button.setText(f"Learn in a second from {counted(accepted, 'slice')}")
        self.propose_button.setEnabled(enabled and number > 0 and accepted >= FEWEST)

    def show_undo(self, there: bool) -> None:
        """Enable *Undo* if predictions can be put back."""
        self.undo_button.setEnabled(there)

    def show_running(self, running: bool) -> None:
        """Show the progress and *Stop* while slices are predicted."""
        self._running.setVisible(running)
        if running:
            self.show_progress(0, 0)
        self.stop_button.setEnabled(running)
        self.stop_button.setText("Stop")

    def show_progress(self, done: int, count: int) -> None:
        """Show how many slices, or tiles of a volume, are predicted; a count of 0 is unknown."""
        self.progress.setRange(0, count)
        self.progress.setValue(done)
        self.progress.setFormat("%v of %m")

    def _on_stop(self) -> None:
        self.stop_button.setEnabled(False)
        self.stop_button.setText("Stopping …")
        self.stop_wanted.emit()
