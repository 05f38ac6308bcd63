"""The editor of a mask's categories: add, name, recolour, lock, reorder, remove."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from napari.layers import Labels
from qtpy.QtCore import Signal
from qtpy.QtGui import QColor
from qtpy.QtWidgets import QColorDialog, QHBoxLayout, QToolButton, QVBoxLayout, QWidget

from napari_unet_seg._napari.categories import edits
from napari_unet_seg._napari.categories.category_tree import CategoryTree
from napari_unet_seg._napari.categories.counts import VoxelCounts
from napari_unet_seg._napari.categories.menus import category_menu, heir_menu
from napari_unet_seg._napari.categories.new_label_bar import NewLabelBar
from napari_unet_seg._napari.categories.removal import remove_category
from napari_unet_seg._napari.categories.swatches import colour_of_label
from napari_unet_seg._napari.layers.colours import category_colour, colours_changed
from napari_unet_seg._napari.layers.conversion import is_user_layer
from napari_unet_seg._napari.layers.instances import (
    category_of,
    is_instances,
    object_counts,
    rename_instance,
    start_instance,
)
from napari_unet_seg._napari.layers.locks import locked_of, set_locked
from napari_unet_seg._napari.widgets.dock_widget import connect
from napari_unet_seg._napari.widgets.status_label import StatusLabel
from napari_unet_seg.errors import DataError

if TYPE_CHECKING:
    from napari.viewer import ViewerModel
    from qtpy.QtWidgets import QMenu


class CategoryEditor(QWidget):
    """Shows the categories of a mask and changes them.

    Parameters
    ----------
    viewer : napari.Viewer
        The viewer of the masks.
    """

    category_chosen = Signal(int)
    """Emitted with the label of the category that was chosen, here or in napari."""

    def __init__(self, viewer: ViewerModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.viewer = viewer
        self._layer: Labels | None = None
        self._highest = 0
        self.menu: QMenu | None = None
        """The question about the pixels of a category to remove, or the menu of a row."""
        self.tree = CategoryTree()
        self.new_label = NewLabelBar()
        self.add_button = _button("+", "Add a category")
        self.up_button = _button("▴", "Move the category up the list (Alt+↑); labels stay")
        self.down_button = _button("▾", "Move the category down the list (Alt+↓); labels stay")
        self.remove_button = _button("✕", "Remove the category (Delete); asks about its pixels")
        self.status = StatusLabel()
        self._counts = VoxelCounts(self)
        self._lay_out()
        self._connect()
        self._show()

    @property
    def layer(self) -> Labels | None:
        """The mask whose categories are shown."""
        return self._layer

    def value(self) -> int:
        """The label of the chosen category, 0 if there is none."""
        return self.tree.value()

    def setValue(self, label: int) -> None:
        """Choose a category by its label, as a click on its name does."""
        self.tree.choose(label)
        self._choose(label)

    def show_mask(self, layer: Labels | None) -> None:
        """Show the categories of a mask, in place of the previous one; None for no mask."""
        self._release()
        self._layer, self._highest = layer, 0
        if layer is not None:
            layer.events.selected_label.connect(self._mark)
            layer.events.features.connect(self._show)
            layer.events.colormap.connect(self._show_colours)
        self._counts.watch(None if is_instances(layer) else layer)
        self.new_label.show_mask(layer, self.viewer.layers)
        self._show()

    def remove(self, label: int = 0, into: int | None = None) -> None:
        """Remove a category, by default the chosen one.

        Parameters
        ----------
        label : int
            The label of the category.
        into : int, optional
            The label of the category that gets the pixels, 0 for background; asked if there are
            pixels and it is not given.
        """
        layer, label = self._layer, label or self.value()
        if layer is None or not self.remove_button.isEnabled():
            return
        if label in locked_of(layer):
            self._say(f"{self._name(label)} is locked; unlock it to remove it.")
        elif into is None and (count := self._size(label)):
            self._open(heir_menu(self, edits.listed_categories(layer), label, count, self.remove))
        else:
            remove_category(layer, label, into or 0)
            self._counts.count_again()

    def _release(self) -> None:
        if self._layer is not None:
            self._layer.events.selected_label.disconnect(self._mark)
            self._layer.events.features.disconnect(self._show)
            self._layer.events.colormap.disconnect(self._show_colours)
        self._layer = None

    def _connect(self) -> None:
        tree = self.tree
        tree.chosen.connect(self._on_reached)
        tree.clicked.connect(self._choose)
        tree.renamed.connect(self._rename)
        tree.colour_wanted.connect(self._ask_colour)
        tree.lock_wanted.connect(self._toggle_lock)
        tree.move_wanted.connect(self._move)
        tree.remove_wanted.connect(self.remove)
        tree.menu_wanted.connect(self._on_menu)
        self.add_button.clicked.connect(lambda: self.new_label.offer(0, focus=True))
        self.up_button.clicked.connect(lambda: self._move(self.value(), -1))
        self.down_button.clicked.connect(lambda: self._move(self.value(), 1))
        self.remove_button.clicked.connect(lambda: self.remove())
        self._counts.changed.connect(self._show_counts)
        self.destroyed.connect(lambda: self._release())
        connect(
            self,
            (colours_changed, self._redraw),
            (self.viewer.layers.events.removed, self._on_removed),
        )

    def _show(self, _: Any = None) -> None:
        layer = self._layer
        rows = [] if layer is None else edits.listed_categories(layer)
        numbered = not is_instances(layer)
        self.tree.show_rows([(v, c.name) for v, c in rows], numbered=numbered)
        self.tree.setVisible(bool(rows))
        self.add_button.setEnabled(layer is not None and edits.can_name(layer))
        for button in (self.up_button, self.down_button, self.remove_button):
            button.setEnabled(len(rows) > 1)
        self._say("")
        self.tree.show_locks(frozenset() if layer is None else locked_of(layer))
        self._show_colours()
        self._show_counts()
        self._mark()

    def _show_colours(self, _: Any = None) -> None:
        layer = self._layer
        if layer is None:
            return
        rows = edits.listed_categories(layer)
        if is_instances(layer):
            self.tree.show_colours({v: QColor(category_colour(c.name)) for v, c in rows})
        else:
            self.tree.show_colours({v: colour_of_label(layer, v) for v, _ in rows})

    def _show_counts(self) -> None:
        if self._layer is not None and is_instances(self._layer):
            self.tree.show_counts(object_counts(self._layer))
        else:
            self.tree.show_counts(self._counts.totals(), self._counts.voxel_ml())

    def _mark(self, _: Any = None) -> None:
        layer = self._layer
        if layer is None:
            return
        label = int(layer.selected_label)
        self._highest = max(self._highest, label)
        if is_instances(layer):
            category = category_of(layer, label)
            rows = edits.listed_categories(layer)
            self.tree.choose(next((value for value, c in rows if c == category), 0))
        elif label in self.tree.labels():  # the tools keep their category while pixels are erased
            self.tree.choose(label)
        self.category_chosen.emit(self.value())

    def _on_reached(self, label: int) -> None:
        if not is_instances(self._layer):
            self._choose(label)

    def _choose(self, label: int) -> None:
        layer = self._layer
        if layer is not None and is_instances(layer):
            # A label above all labels in the table may already be painted, without a category.
            start_instance(layer, edits.shown_categories(layer)[label - 1], self._highest)
        elif layer is not None:
            layer.selected_label = label

    def _rename(self, label: int, name: str) -> None:
        if self._layer is not None and name != self._name(label):
            self._try(edits.rename_category, self._layer, label, name)

    def _ask_colour(self, label: int) -> None:
        layer = self._layer
        if layer is None:
            return
        dialog = QColorDialog(colour_of_label(layer, label), self)
        dialog.setWindowTitle(f"Colour of {self._name(label)}")
        dialog.colorSelected.connect(
            lambda colour: edits.recolour_category(layer, label, colour.name())
        )
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()

    def _toggle_lock(self, label: int) -> None:
        if self._layer is not None and not is_instances(self._layer):
            set_locked(self._layer, label, label not in locked_of(self._layer))

    def _move(self, label: int, by: int) -> None:
        if self._layer is not None and self.up_button.isEnabled():
            edits.move_category(self._layer, label, by)
            self.tree.choose(label)

    def _on_menu(self, label: int) -> None:
        layer = self._layer
        if layer is None:
            return
        if is_instances(layer):
            if category_of(layer, layer.selected_label):
                rename_instance(layer, edits.shown_categories(layer)[label - 1])
                self._mark()
            return
        actions = {
            "Rename": self.tree.rename,
            "Colour…": lambda: self._ask_colour(label),
            "Unlock" if label in locked_of(layer) else "Lock": lambda: self._toggle_lock(label),
            "Move up": lambda: self._move(label, -1),
            "Move down": lambda: self._move(label, 1),
            "Remove": lambda: self.remove(label),
        }
        self._open(category_menu(self, actions))

    def _open(self, menu: QMenu) -> None:
        self.menu = menu
        menu.popup(self.remove_button.mapToGlobal(self.remove_button.rect().bottomLeft()))

    def _redraw(self) -> None:
        """Draw all masks in the colours that another mask or list gave their categories."""
        for layer in self.viewer.layers:
            if is_user_layer(layer, Labels):
                edits.draw_colours(layer)

    def _size(self, label: int) -> int:
        layer = self._layer
        if layer is None:
            return 0
        if is_instances(layer):
            return object_counts(layer).get(label, 0)
        return int((layer.data == label).sum())

    def _name(self, label: int) -> str:
        return "" if self._layer is None else edits.shown_categories(self._layer)[label - 1].name

    def _try(self, change: Any, *arguments: Any) -> None:
        try:
            change(*arguments)
        except DataError as error:
            self._show()
            self._say(str(error))

    def _say(self, text: str) -> None:
        self.status.setText(text)
        self.status.setVisible(bool(text))

    def _on_removed(self, event: Any) -> None:
        if event.value is self._layer:
            self.show_mask(None)

    def _lay_out(self) -> None:
        buttons = QHBoxLayout()
        buttons.setSpacing(2)
        for button in (self.add_button, self.up_button, self.down_button, self.remove_button):
            buttons.addWidget(button)
        buttons.addStretch(1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        layout.addWidget(self.tree)
        layout.addLayout(buttons)
        layout.addWidget(self.new_label)
        layout.addWidget(self.status)


def _button(text: str, tip: str) -> QToolButton:
    button = QToolButton()
    button.setText(text)
    button.setToolTip(tip)
    return button
