"""The dialog that shows the plan of a folder before anything of it is loaded."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import QItemSelection, Qt
from qtpy.QtWidgets import (
    QAbstractItemView,
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QPushButton,
    QTreeView,
    QVBoxLayout,
    QWidget,
)

from napari_unet_seg._napari.plan.correction_bar import CorrectionBar
from napari_unet_seg._napari.plan.model import PlanModel
from napari_unet_seg._napari.widgets.messages import show_error
from napari_unet_seg.errors import WriteError
from napari_unet_seg.io.cases.corrections import Correction, correct, with_first_sequence
from napari_unet_seg.io.cases.remembered import (
    recall_corrections,
    recall_sequence,
    remember_corrections,
)
from napari_unet_seg.io.common.counting import counted

if TYPE_CHECKING:
    from qtpy.QtGui import QKeyEvent

    from napari_unet_seg.io.cases.case import Plan
    from napari_unet_seg.io.cases.corrections import Entry

_EXPANDED = 60
"""Most files whose rows are shown at once; of more only the cases."""
_WIDTHS = (330, 110, 110, 90)
_ABOUT = "Nothing is loaded yet; what you correct is remembered."


class PlanDialog(QDialog):
    """Shows and corrects a plan; OK remembers the corrections.

    Parameters
    ----------
    recognised : Plan
        The plan without the user's corrections.
    parent : QWidget, optional
        The window below the dialog.
    action : str
        Text of the button that accepts the plan.
    """

    def __init__(
        self, recognised: Plan, parent: QWidget | None = None, action: str = "Open"
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle(f"Folder {recognised.root.name}")
        self._recognised = recognised
        self._corrections = recall_corrections(recognised.root)
        self._first_shown = recall_sequence(recognised.root)
        self.model = PlanModel(self)
        self.summary = QLabel()
        self.summary.setWordWrap(True)
        self.tree = self._make_tree()
        self.bar = CorrectionBar()
        self.sequence = QComboBox()
        self.sequence.setToolTip("The sequence that is shown first and segmented")
        self._sequence_label = QLabel("Sequence")
        self.reset_button = QPushButton("Forget corrections")
        self.reset_button.setToolTip("Take the files of this folder for what their names tell")
        self.reset_button.setAutoDefault(False)
        standard = QDialogButtonBox.StandardButton
        self.buttons = QDialogButtonBox(standard.Ok | standard.Cancel)
        self.ok_button = self.buttons.button(standard.Ok)
        self.ok_button.setText(action)
        self._lay_out()
        self._connect()
        self._show()

    @property
    def plan(self) -> Plan:
        """The plan with all corrections; the chosen sequence of each case comes first."""
        plan = correct(self._recognised, self._corrections)
        return with_first_sequence(plan, self.sequence.currentText())

    def accept(self) -> None:
        """Remember the corrections."""
        try:
            remember_corrections(self._recognised.root, self._corrections, self._chosen())
        except WriteError as error:
            show_error(str(error))
        super().accept()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Keep the dialog open after Enter in a list of the bar, which applies the name there."""
        is_enter = event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter)
        if not (is_enter and self.bar.isAncestorOf(self.focusWidget())):
            super().keyPressEvent(event)

    def _make_tree(self) -> QTreeView:
        tree = QTreeView()
        tree.setModel(self.model)
        tree.setUniformRowHeights(True)
        tree.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        tree.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        tree.setAlternatingRowColors(False)
        tree.setIndentation(16)
        header = tree.header()
        header.setStretchLastSection(True)
        for column, width in enumerate(_WIDTHS):
            header.setSectionResizeMode(column, QHeaderView.ResizeMode.Interactive)
            header.resizeSection(column, width)
        return tree

    def _lay_out(self) -> None:
        below = QHBoxLayout()
        below.addWidget(self._sequence_label)
        below.addWidget(self.sequence)
        below.addWidget(self.reset_button)
        below.addStretch(1)
        below.addWidget(self.buttons)
        layout = QVBoxLayout(self)
        layout.addWidget(self.summary)
        layout.addWidget(self.tree, 1)
        layout.addWidget(self.bar)
        layout.addLayout(below)
        self.resize(860, 480)

    def _connect(self) -> None:
        self.buttons.accepted.connect(self.accept)
        self.buttons.rejected.connect(self.reject)
        self.bar.corrected.connect(self._on_corrected)
        self.reset_button.clicked.connect(self._on_reset)
        self.sequence.activated.connect(lambda _: self._show_reset())
        self.tree.selectionModel().selectionChanged.connect(lambda *_: self._show_selection())

    def _show(self, selected: list[str] | None = None) -> None:
        plan = correct(self._recognised, self._corrections)
        chosen = self.sequence.currentText() or self._first_shown
        self.model.show(plan)
        files = sum(len(c.sequences) + len(c.masks) for c in plan.cases) + len(plan.left_out)
        if files <= _EXPANDED:
            self.tree.expandAll()
        cases = counted(len(plan.cases), "case")
        self.summary.setText(f"<b>{cases}</b>, by {plan.why}. {_ABOUT}")
        self.summary.setToolTip(str(plan.root))
        self.sequence.clear()
        self.sequence.addItems(plan.sequences)
        self.sequence.setCurrentIndex(max(self.sequence.findText(chosen), 0))
        for widget in (self._sequence_label, self.sequence):
            widget.setVisible(len(plan.sequences) > 1)
        self._show_reset()
        self.ok_button.setEnabled(bool(plan.cases))
        self._select(selected or [])
        self._show_selection()

    def _chosen(self) -> str:
        """Return the chosen sequence; empty if it is the usual one."""
        return self.sequence.currentText() if self.sequence.currentIndex() > 0 else ""

    def _show_reset(self) -> None:
        self.reset_button.setVisible(bool(self._corrections or self._chosen()))

    def _select(self, keys: list[str]) -> None:
        places = [place for place in map(self.model.place_of, keys) if place.isValid()]
        if not places or len(places) > _EXPANDED:
            return
        selection, model = QItemSelection(), self.tree.selectionModel()
        for place in places:
            self.tree.expand(place.parent())
            selection.select(place, place)
        model.select(selection, model.SelectionFlag.Select | model.SelectionFlag.Rows)
        self.tree.scrollTo(places[0])

    def _selected(self) -> list[Entry]:
        rows = self.tree.selectionModel().selectedRows()
        return list({e.key: e for row in rows for e in self.model.entries_at(row)}.values())

    def _show_selection(self) -> None:
        plan = self.model.plan
        cases = [case.name for case in plan.cases] if plan is not None else []
        self.bar.show_selection(self._selected(), cases)

    def _on_corrected(self, correction: Correction) -> None:
        keys = [entry.key for entry in self._selected() if not entry.is_problem]
        for key in keys:
            known = self._corrections.get(key, Correction())
            self._corrections[key] = Correction(
                correction.kind or known.kind,
                correction.name or ("" if correction.kind else known.name),
                correction.case or known.case,
            )
        self._show(keys)

    def _on_reset(self) -> None:
        self._corrections = {}
        self.sequence.setCurrentIndex(0)
        self._show()


def needs_look(plan: Plan) -> bool:
    """Whether a plan is shown before its scans are opened: that of one plain case is not."""
    return len(plan.cases) > 1 or bool(plan.left_out)
