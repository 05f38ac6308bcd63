"""The choice of a model, with a summary of the checkpoint's header."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QSignalBlocker, Qt, Signal
from qtpy.QtWidgets import (
    QComboBox,
    QFileDialog,
    QLabel,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from napari_unet_seg._napari.segment import chosen_model
from napari_unet_seg._napari.widgets.dock_widget import connect
from napari_unet_seg._napari.widgets.messages import show_error
from napari_unet_seg.errors import CheckpointError
from napari_unet_seg.io.common.stacking import listed
from napari_unet_seg.models import BUNDLED, checkpoint_path
from napari_unet_seg.models.description import dice_text, listed_name
from napari_unet_seg.models.header import read_header

if TYPE_CHECKING:
    from napari_unet_seg.models.header import CheckpointInfo

_MARGIN = 24
"""Pixels beside the names in the list that opens, for its frame and scroll bar."""


class ModelChoice(QWidget):
    """Chooses the bundled model, a recent model or a file; a line below summarises the model."""

    valueChanged = Signal(object)
    """Emitted with the checkpoint file of the new model."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.combo = QComboBox()
        self.combo.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.combo.setMinimumWidth(120)
        self.combo.setToolTip("The network that segments; Browse … opens a file")
        self.card = QLabel()
        self.card.setWordWrap(True)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addWidget(self.combo)
        layout.addWidget(self.card)
        self.combo.activated.connect(self._on_activated)
        connect(self, (chosen_model.model_chosen, self._on_chosen))
        self._show()

    def value(self) -> Path:
        """The chosen checkpoint file."""
        return chosen_model.current_model()

    def setValue(self, path: Path | str) -> None:
        """Choose `bundled`, a run folder or a checkpoint file, here and in every other widget.

        Raises
        ------
        CheckpointError
            If there is no such model; the choice is not changed.
        """
        found = checkpoint_path(path)
        read_header(found)
        chosen_model.choose_model(found)

    def info(self) -> CheckpointInfo:
        """The header of the chosen checkpoint.

        Raises
        ------
        CheckpointError
            If the file is missing or damaged.
        """
        return read_header(self.value())

    def _on_chosen(self, path: Path) -> None:
        self._show()
        self.valueChanged.emit(path)

    def _show(self) -> None:
        blocker = QSignalBlocker(self.combo)
        self.combo.clear()
        for path in dict.fromkeys((BUNDLED, *chosen_model.recent_models(), self.value())):
            self.combo.addItem(listed_name(path), path)
            last = self.combo.count() - 1
            self.combo.setItemData(last, str(path), Qt.ItemDataRole.ToolTipRole)
            if path == self.value():
                self.combo.setCurrentIndex(last)
        self.combo.insertSeparator(self.combo.count())
        self.combo.addItem("Browse …", None)
        view = self.combo.view()
        view.setMinimumWidth(view.sizeHintForColumn(0) + _MARGIN)
        blocker.unblock()
        try:
            self.card.setText(describe(self.info()))
        except CheckpointError as error:
            self.card.setText(str(error))

    def _on_activated(self, index: int) -> None:
        chosen: Any = self.combo.itemData(index)
        if chosen is None:
            start = "" if self.value() == BUNDLED else str(self.value().parent)
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
    names = ", ".join(category.name for category in info.categories)
    where = f" in {listed(info.sequences)}" if info.sequences else ""
    parts = [f"Finds {names}{where}"]
    if dice := dice_text(info):
        parts.append(dice)
    if source := info.summary.get("source"):
        parts.append(f"trained on {source}")
    return " · ".join(parts)
