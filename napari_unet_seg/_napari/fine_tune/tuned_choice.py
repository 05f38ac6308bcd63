"""What a round tunes: the model of Segment, or the network of Point."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QHBoxLayout, QLabel, QRadioButton, QWidget

from napari_unet_seg._napari.segment import chosen_model
from napari_unet_seg.io.common.counting import counted

if TYPE_CHECKING:
    from pathlib import Path

    from napari_unet_seg.session.session import Session

_SEGMENT_TIP = (
    "Start from the model that made the prediction. If a session made that model, start from that "
    "session's first model, and train on the corrections of both sessions. With a folder of scans, "
    "train on the accepted slices of all its sessions with the same categories."
)
_POINT_TIP = (
    "Start from the network that Point and Carry ask, which is chosen below Point in the tab "
    "Tools. Nothing is predicted again: the new network segments only what prompts mark."
)


class TunedChoice(QWidget):
    """Chooses what the rounds that the user starts tune.

    It begins at Segment each time and is not remembered, so that nobody tunes the network of Point
    by mistake.
    """

    changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.segment_button = QRadioButton("Model of Segment")
        self.point_button = QRadioButton("Network of Point")
        self.segment_button.setToolTip(_SEGMENT_TIP)
        self.point_button.setToolTip(_POINT_TIP)
        self.segment_button.setChecked(True)
        self.point_button.toggled.connect(lambda _: self.changed.emit())
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        for widget in (QLabel("Tune"), self.segment_button, self.point_button):
            row.addWidget(widget)
        row.addStretch(1)

    @property
    def is_point(self) -> bool:
        """Whether the network of Point is tuned."""
        return self.point_button.isChecked()

    def start_text(self, count: int) -> str:
        """Return the text of the button that starts a round on a number of accepted slices."""
        wanted = counted(count, "accepted slice") if count else "accepted slices"
        return f"Fine-tune {'Point ' if self.is_point else ''}on {wanted}"

    def start_tip(self) -> str:
        """Return the tooltip of the button that starts a round."""
        return _POINT_TIP if self.is_point else _SEGMENT_TIP


def base_of(session: Session) -> Path:
    """Return the first model of a session, from which rounds of the model of Segment start."""
    base = session.checkpoint
    return base if base is not None and base.is_file() else chosen_model.current_model()
