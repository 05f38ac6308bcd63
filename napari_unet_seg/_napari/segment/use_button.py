"""The button that uses a trained model where it can be used."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtWidgets import QPushButton, QWidget

from napari_unet_seg._napari.segment.chosen_model import POINT, SEGMENT
from napari_unet_seg._napari.widgets.messages import show_info
from napari_unet_seg.errors import CheckpointError
from napari_unet_seg.models.description import model_name
from napari_unet_seg.models.header import read_header

if TYPE_CHECKING:
    from pathlib import Path

    from napari_unet_seg._napari.segment.chosen_model import ChosenModel

_TIPS = {
    SEGMENT.place: "Choose this model in Segment",
    POINT.place: "Let Point and Carry ask this network from now on",
}


class UseButton(QPushButton):
    """Offers a model for Segment, or a network that takes prompts for Point."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._model: Path | None = None
        self._chosen = SEGMENT
        self.setToolTip(_TIPS[SEGMENT.place])
        self.clicked.connect(self._use)
        self.withdraw()

    def offer(self, model: Path) -> None:
        """Offer a model, and list it among the recent ones of its place if it is of use there."""
        self._model = model
        self._chosen, misfit = _place_of(model)
        if not misfit:
            self._chosen.add_recent(model)
        self.setText(f"Use in {self._chosen.place}")
        self.setToolTip(f"This network {misfit}" if misfit else _TIPS[self._chosen.place])
        self.setEnabled(not misfit)
        self.show()

    def withdraw(self) -> None:
        """Offer no model."""
        self._model = None
        self.hide()

    def _use(self) -> None:
        if self._model is not None:
            self._chosen.choose(self._model)
            who = "Point and Carry now ask" if self._chosen is POINT else "Segment now uses"
            show_info(f"{who} {model_name(self._model)}.")


def _place_of(model: Path) -> tuple[ChosenModel, str]:
    """Return where a model is used, in Point if it takes prompts, and why it cannot be, if so."""
    try:
        info = read_header(model)
    except CheckpointError:
        return SEGMENT, ""  # which shows what is wrong with the file
    chosen = POINT if info.model.prompts else SEGMENT
    return chosen, chosen.misfit(info)
