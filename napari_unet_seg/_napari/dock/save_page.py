"""The page Save: a proposed file for the mask, and a button that writes it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary, ref

from qtpy.QtCore import QSignalBlocker, Signal
from qtpy.QtWidgets import (
    QComboBox,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QSizePolicy,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from napari_unet_seg._napari.dock.replace_question import ask_to_replace
from napari_unet_seg._napari.dock.save_target import (
    COCO,
    ZARR_LABEL,
    Format,
    closed_folder,
    format_of,
    formats_for,
    origin_of,
    target,
)
from napari_unet_seg._napari.files.coco.options import CocoOptionsButton
from napari_unet_seg._napari.files.mask_path import proposed_mask_path
from napari_unet_seg._napari.files.save_dialog import SaveDialog
from napari_unet_seg._napari.widgets.status_label import StatusLabel

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari.layers import Labels
    from qtpy.QtWidgets import QMessageBox

    from napari_unet_seg.errors import SegmentationError

_PATH_TIP = "Where the mask is saved; beside its scan at first"


class SavePage(QWidget):
    """Proposes the folder, name and format of the scan; another file is a choice.

    Parameters
    ----------
    mask : callable
        Returns the mask that would be saved, or None.
    folder : callable
        Returns the folder for masks whose scan has no file.
    """

    save_wanted = Signal(object, object)
    """Emitted with a path and its `Format`."""

    def __init__(self, mask: Callable[[], Labels | None], folder: Callable[[], Path]) -> None:
        super().__init__()
        self._mask, self._folder = mask, folder
        self._proposed: Callable[[], Labels | None] = lambda: None
        """Returns the mask that the file is proposed for."""
        self._saved: WeakKeyDictionary[Labels, set[Path]] = WeakKeyDictionary()
        self._last_save = ""
        """The sentence on the last save."""
        self.about = QLabel()
        self.about.setWordWrap(True)
        self.format_combo = QComboBox()
        self.format_combo.setToolTip("The format of the file; that of the scan at first")
        self.format_combo.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.coco_options = CocoOptionsButton()
        self.path = QLineEdit()
        self.path.setToolTip(_PATH_TIP)
        self.browse_button = QToolButton()
        self.browse_button.setText("…")
        self.browse_button.setToolTip("Choose another folder or name")
        self.save_button = QPushButton("Save")
        self.save_button.setMinimumHeight(40)
        self.save_button.setToolTip("Write the whole mask, with its axes and voxel size")
        self.status = StatusLabel()
        self.nnunet_button = QPushButton("Data set for nnU-Net…")
        self.question: QMessageBox | None = None
        """The last question whether another file is replaced."""
        self._lay_out()
        self.format_combo.activated.connect(self._on_format)
        self.browse_button.clicked.connect(self.browse)
        self.save_button.clicked.connect(self.save)
        self.propose()

    @property
    def format(self) -> Format | None:
        """The chosen format; None without a mask."""
        chosen = self.format_combo.currentData()
        return None if chosen is None else Format(*chosen)

    def setFormat(self, kind: Format) -> None:
        """Choose a format, and propose a file in it."""
        self.format_combo.setCurrentText(kind.name)
        self._on_format()

    def follow(self) -> None:
        """Propose a file if the present mask is another one than before."""
        mask = self._mask()
        if mask is None or mask is not self._proposed():
            self.propose()

    def propose(self) -> None:
        """Propose a file for the present mask."""
        mask = self._mask()
        self._proposed = (lambda: None) if mask is None else ref(mask)
        blocker = QSignalBlocker(self.format_combo)
        self.format_combo.clear()
        if mask is not None:
            for kind in formats_for(mask):
                self.format_combo.addItem(kind.name, tuple(kind))
            self.format_combo.setCurrentText(format_of(proposed_mask_path(mask)).name)
        blocker.unblock()
        self.status.setText("")
        name = f"<b>{mask.name}</b>" if mask is not None else "There is no mask to save yet."
        self.about.setText(name)
        self._on_format()

    def set_busy(self, busy: bool) -> None:
        """Disable the controls while a mask is saved or a session opened, or without a mask."""
        for widget in (self.save_button, self.format_combo, self.path, self.browse_button):
            widget.setEnabled(not busy and self._mask() is not None)

    def save(self) -> None:
        """Save the mask to the file in the line; ask before another file is replaced."""
        mask, text = self._mask(), self.path.text().strip()
        if mask is None or not text:
            return
        path = Path(text).expanduser()
        own = {*self._saved.get(mask, ()), *origin_of(mask)}
        if path.exists() and path not in own:
            self.question = ask_to_replace(self, path, on_yes=lambda: self._emit(path))
        else:
            self._emit(path)

    def browse(self) -> None:
        """Ask for another file, and save the mask there."""
        kind = self.format
        if kind is None:
            return
        names = f"{kind.name} ({kind.pattern})"
        path, _ = SaveDialog.ask(self, f"Save as {kind.name}", self.path.text(), names)
        if path and kind == ZARR_LABEL:
            # The label is part of the image, wherever the dialog was.
            path = str(Path(self.path.text()).with_name(Path(path).name))
        if path:
            self.path.setText(path)
            self._emit(Path(path))

    def show_saved(self, path: Path, mask: Labels) -> None:
        """Show that a mask is in a file, which is proposed for this mask again."""
        self._saved.setdefault(mask, set()).add(path)
        self._last_save = f"Saved {path}"
        self.status.setText(self._last_save)

    def show_edited(self) -> None:
        """Show that the mask is no longer as in the file that it was saved to."""
        if self._last_save and self.status.text() == self._last_save:
            self.status.setText(f"{self._last_save}; edited since.")

    def show_failed(self, error: SegmentationError) -> None:
        """Show why the mask was not saved, in place of the last file that was."""
        self.status.setText(f"Not saved. {error}")

    def _emit(self, path: Path) -> None:
        self.status.setText("")
        self.save_wanted.emit(path, self.format)

    def _on_format(self) -> None:
        mask, kind = self._mask(), self.format
        self.coco_options.setVisible(kind == COCO)
        path = ""
        if mask is not None and kind is not None:
            path = str(target(mask, kind, self._folder(), self._saved.get(mask, ())))
            if (closed := closed_folder(mask, kind)) is not None:
                self.status.setText(
                    f"{closed} cannot be written to, so the mask goes to {Path(path).parent}; "
                    "choose another place with …"
                )
        self.path.setText(path)
        self.path.setToolTip(path or _PATH_TIP)

    def _lay_out(self) -> None:
        kind, place = QHBoxLayout(), QHBoxLayout()
        kind.addWidget(self.format_combo, 1)
        kind.addWidget(self.coco_options)
        place.addWidget(self.path, 1)
        place.addWidget(self.browse_button)
        rows = QFormLayout()
        rows.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        rows.addRow("Mask", self.about)
        rows.addRow("Format", kind)
        rows.addRow("File", place)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addLayout(rows)
        layout.addWidget(self.save_button)
        layout.addWidget(self.status)
        layout.addStretch(1)
        layout.addWidget(self.nnunet_button)
