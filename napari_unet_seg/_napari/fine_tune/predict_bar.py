"""The controls that predict the slices still to do again."""

from __future__ import annotations

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QHBoxLayout, QProgressBar, QPushButton, QVBoxLayout, QWidget


class PredictBar(QWidget):
    """A button that starts the predictions, their progress, and a button that stops them."""

    wanted = Signal()
    stop_wanted = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.button = QPushButton()
        self.button.setToolTip(
            "Predict the slices still to do with the model that you have chosen in Segment, else "
            "with the session's. Slices with a decision, slices that you have edited, locked "
            "categories and masks from a file do not change."
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
        layout.addWidget(self._running)
        self.button.clicked.connect(self.wanted)
        self.stop_button.clicked.connect(self._on_stop)
        self.show_running(False)
        self.show_todo(0)

    def show_todo(self, number: int, *, enabled: bool = True) -> None:
        """Show how many slices are to do; without any the button is disabled."""
        self.button.setText(f"Predict the rest again ({number})")
        self.button.setEnabled(enabled and number > 0)

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
