"""The choice of a preset of settings, or of a file with settings."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QComboBox, QFileDialog, QFormLayout, QHBoxLayout, QPushButton, QWidget

from napari_unet_seg._napari.files.save_dialog import SaveDialog
from napari_unet_seg.config import PRESETS

if TYPE_CHECKING:
    from napari_unet_seg.config import TrainConfig

_CUSTOM = "custom"
_FILES = "Settings (*.yaml *.yml *.json)"


class SettingsBar(QWidget):
    """Names the preset that is shown, and offers presets and files."""

    chosen = Signal(object)
    """Emitted with the settings of a preset that the user has chosen."""
    load_wanted = Signal(object)
    """Emitted with the path of a file to read."""
    save_wanted = Signal(object)
    """Emitted with the path of a file to write."""

    def __init__(self) -> None:
        super().__init__()
        self.preset = QComboBox()
        self.preset.addItems([*PRESETS, _CUSTOM])
        self.preset.setToolTip("A set of settings: fast-cpu for laptops, best for long runs")
        load_button = QPushButton("Load …")
        load_button.setToolTip("Read settings from a file, as the program's --config does")
        save_button = QPushButton("Save …")
        save_button.setToolTip("Write the settings to a file for the program's --config")
        row = QHBoxLayout()
        row.addWidget(self.preset, 1)
        row.addWidget(load_button)
        row.addWidget(save_button)
        layout = QFormLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addRow("Settings", row)
        self.preset.activated.connect(self._on_preset)
        load_button.clicked.connect(self._browse_to_load)
        save_button.clicked.connect(self._browse_to_save)

    def show_settings(self, config: TrainConfig) -> None:
        """Show the name of the preset that settings equal, if any."""
        name = next((name for name, preset in PRESETS.items() if preset == config), _CUSTOM)
        self.preset.setCurrentText(name)

    def _on_preset(self) -> None:
        name = self.preset.currentText()
        if name in PRESETS:
            self.chosen.emit(PRESETS[name])

    def _browse_to_load(self) -> None:
        path, _ = QFileDialog.getOpenFileName(self, "Load settings", "", _FILES)
        if path:
            self.load_wanted.emit(Path(path))

    def _browse_to_save(self) -> None:
        path, _ = SaveDialog.ask(self, "Save settings", "train.yaml", _FILES)
        if path:
            self.save_wanted.emit(Path(path))
