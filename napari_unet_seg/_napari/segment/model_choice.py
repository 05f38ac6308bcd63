"""The choice of a model, and a line on it from the checkpoint's header."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QSignalBlocker, Qt, Signal
from qtpy.QtWidgets import QFileDialog, QWidget

from napari_unet_seg._napari.segment.chosen_model import SEGMENT
from napari_unet_seg._napari.widgets.dock_widget import connect
from napari_unet_seg._napari.widgets.form.eliding_combo import ElidingCombo
from napari_unet_seg._napari.widgets.messages import show_error
from napari_unet_seg.errors import CheckpointError
from napari_unet_seg.io.common.stacking import listed
from napari_unet_seg.models import checkpoint_path, own_name
from napari_unet_seg.models.description import dice_text, found_by, listed_name, model_name
from napari_unet_seg.models.header import read_header

if TYPE_CHECKING:
    from napari_unet_seg._napari.segment.chosen_model import ChosenModel
    from napari_unet_seg.models.header import CheckpointInfo

_MARGIN = 24
"""Pixels beside the names in the list that opens, for its frame and scroll bar."""


class ModelChoice(ElidingCombo):
    """Chooses a model of the package, a recent model or a file.

    The list tells the Dice of each model; the box itself has room for the name.

    Parameters
    ----------
    chosen : ChosenModel
        The choice that is shown and changed.
    """

    valueChanged = Signal(object)
    """Emitted with the checkpoint file of the new model."""

    def __init__(self, chosen: ChosenModel = SEGMENT, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._chosen = chosen
        self.setToolTip("The network that segments; Browse … opens a file")
        self.activated.connect(self._on_activated)
        connect(self, (chosen.chosen, self._on_chosen))
        self._show()

    def full_text(self) -> str:
        """The name of the chosen model."""
        return model_name(self.value())

    def shown_text(self) -> str:
        """The name as it fits, rather without its date than without its middle."""
        name = self.full_text()
        if self.elided(name) == name:
            return name
        return self.elided(model_name(self.value(), dated=False))

    def value(self) -> Path:
        """The chosen checkpoint file."""
        return self._chosen.current()

    def setValue(self, path: Path | str) -> None:
        """Choose `bundled`, a run folder or a checkpoint file, here and in every other widget.

        Raises
        ------
        CheckpointError
            If there is no such model, or it is of no use here; the choice is not changed.
        """
        found = checkpoint_path(path)
        self._chosen.check(found)
        self._chosen.choose(found)

    def description(self) -> str:
        """A line on the chosen model, or why its file cannot be used."""
        try:
            return describe(self.info())
        except CheckpointError as error:
            return str(error)

    def info(self) -> CheckpointInfo:
        """The header of the chosen checkpoint.

        Raises
        ------
        CheckpointError
            If the file is missing or damaged.
        """
        return read_header(self.value())

    def showPopup(self) -> None:
        """List what was trained meanwhile too."""
        self._show()
        super().showPopup()

    def _on_chosen(self, path: Path) -> None:
        self._show()
        self.valueChanged.emit(path)

    def _show(self) -> None:
        blocker = QSignalBlocker(self)
        self.clear()
        for path in dict.fromkeys((*self._chosen.own, *self._chosen.recent(), self.value())):
            self.addItem(listed_name(path), path)
            last = self.count() - 1
            self.setItemData(last, str(path), Qt.ItemDataRole.ToolTipRole)
            if path == self.value():
                self.setCurrentIndex(last)
        self.insertSeparator(self.count())
        self.addItem("Browse …", None)
        view = self.view()
        view.setMinimumWidth(view.sizeHintForColumn(0) + _MARGIN)
        blocker.unblock()

    def _on_activated(self, index: int) -> None:
        chosen: Any = self.itemData(index)
        if chosen is None:
            start = "" if own_name(self.value()) else str(self.value().parent)
            chosen, _ = QFileDialog.getOpenFileName(
                self, "Choose a model", start, "Models (*.safetensors)"
            )
        try:
            if chosen:
                self.setValue(Path(chosen))
        except CheckpointError as error:
            show_error(str(error))
        self._show()


def describe(info: CheckpointInfo) -> str:
    """Return a line on a model: its categories and sequences, its Dice and its training data."""
    names = found_by(info)
    where = f" in {listed(info.sequences)}" if info.sequences else ""
    parts = [f"Finds {names}{where}"]
    if dice := dice_text(info):
        parts.append(dice)
    if source := info.summary.get("source"):
        parts.append(f"trained on {source}")
    return " · ".join(parts)
