"""The buttons and lists that correct the selected files of a plan."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QComboBox, QHBoxLayout, QLabel, QPushButton, QWidget

from napari_unet_seg.io.cases.corrections import Correction
from napari_unet_seg.io.common.names import SEQUENCES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari_unet_seg.io.cases.corrections import Entry, Kind

_KINDS: tuple[tuple[Kind, str, str], ...] = (
    ("scan", "Scan", "The selected files are images of the patient"),
    ("mask", "Mask", "The selected files are masks of their case"),
    ("left out", "Leave out", "The selected files are not used"),
)
_NO_SELECTION = "Select files to say what they are."


class CorrectionBar(QWidget):
    """Says of the selected files what they are; disabled without a selection."""

    corrected = Signal(object)
    """Emitted with the `Correction` of the selected files."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.text = QLabel(_NO_SELECTION)
        self.buttons = {kind: _button(text, tip) for kind, text, tip in _KINDS}
        self.name = _list("Name of the sequence, or of the mask; type another one and press Enter")
        self.case = _list("The case that the files belong to; type a new name for a new case")
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.text, 1)
        for button in self.buttons.values():
            layout.addWidget(button)
        for title, box in (("as", self.name), ("of case", self.case)):
            layout.addWidget(QLabel(title))
            layout.addWidget(box)
        for kind, button in self.buttons.items():
            button.clicked.connect(lambda _, kind=kind: self.corrected.emit(Correction(kind)))
        self.name.textActivated.connect(lambda name: self.corrected.emit(Correction(name=name)))
        self.case.textActivated.connect(lambda case: self.corrected.emit(Correction(case=case)))
        self.show_selection([], [])

    def show_selection(self, selected: Sequence[Entry], cases: Sequence[str]) -> None:
        """Show what the selected files are taken for.

        Parameters
        ----------
        selected : sequence of Entry
            The selected files.
        cases : sequence of str
            Names of all cases.
        """
        usable = [entry for entry in selected if not entry.is_problem]
        kinds = {entry.kind for entry in usable}
        for kind, button in self.buttons.items():
            button.setEnabled(bool(usable))
            button.setChecked(kinds == {kind})
        in_case = bool(usable) and "left out" not in kinds
        used = list(dict.fromkeys(entry.name for entry in usable))
        _fill(self.name, used, SEQUENCES if kinds == {"scan"} else ("mask",), in_case)
        own = list(dict.fromkeys(entry.case for entry in usable if entry.case))
        _fill(self.case, own, cases, bool(usable))
        many = f"{len(selected)} files selected:" if len(selected) > 1 else "The file is a:"
        self.text.setText(many if selected else _NO_SELECTION)


def _button(text: str, tip: str) -> QPushButton:
    button = QPushButton(text)
    button.setToolTip(tip)
    button.setCheckable(True)
    button.setAutoDefault(False)
    return button


def _list(tip: str) -> QComboBox:
    box = QComboBox()
    box.setEditable(True)
    box.setInsertPolicy(QComboBox.InsertPolicy.NoInsert)
    # Long names of cases must not widen the dialog.
    box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
    box.setMinimumContentsLength(18)
    box.setToolTip(tip)
    return box


def _fill(box: QComboBox, used: Sequence[str], others: Sequence[str], enabled: bool) -> None:
    """Offer names, the only one in use first."""
    box.clear()
    box.addItems(list(dict.fromkeys((*used, *others))))
    box.setEditText(used[0] if len(used) == 1 else "")
    box.setEnabled(enabled)
