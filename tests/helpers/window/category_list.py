"""Clicks in the list of categories."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import QPoint, Qt
from qtpy.QtTest import QTest

from napari_unet_seg._napari.categories.category_tree import (
    LOCK_COLUMN,
    NAME_COLUMN,
    SWATCH_COLUMN,
    VOXEL_COLUMN,
)

if TYPE_CHECKING:
    from napari_unet_seg._napari.categories.editor import CategoryEditor


def row_of(editor: CategoryEditor, name: str) -> int:
    """The row of a category."""
    return editor.tree.names().index(name)


def click_cell(
    editor: CategoryEditor,
    name: str,
    column: int = NAME_COLUMN,
    button: Qt.MouseButton = Qt.MouseButton.LeftButton,
) -> None:
    """Click a cell of a category's row with the mouse."""
    QTest.mouseClick(editor.tree.viewport(), button, pos=middle(editor, name, column))


def middle(editor: CategoryEditor, name: str, column: int = NAME_COLUMN) -> QPoint:
    """The middle of a cell of a category's row."""
    tree = editor.tree
    index = tree.model().index(row_of(editor, name), column)
    tree.scrollTo(index)
    return tree.visualRect(index).center()


def click_lock(editor: CategoryEditor, name: str = "") -> None:
    """Click the lock of a category, by default of the chosen one."""
    name = name or editor.tree.names()[editor.tree.labels().index(editor.value())]
    click_cell(editor, name, LOCK_COLUMN)


def locked_names(editor: CategoryEditor) -> list[str]:
    """The categories whose lock is shown closed."""
    items = [editor.tree.topLevelItem(row) for row in range(editor.tree.topLevelItemCount())]
    return [i.text(NAME_COLUMN) for i in items if i.toolTip(LOCK_COLUMN).startswith("Locked")]


def counts(editor: CategoryEditor) -> list[str]:
    """The texts of the voxels, row by row."""
    tree = editor.tree
    return [tree.topLevelItem(row).text(VOXEL_COLUMN) for row in range(tree.topLevelItemCount())]


def swatch_colours(editor: CategoryEditor) -> list[str]:
    """The colours of the swatches, row by row."""
    tree = editor.tree
    icons = [tree.topLevelItem(r).icon(SWATCH_COLUMN) for r in range(tree.topLevelItemCount())]
    return [icon.pixmap(14, 14).toImage().pixelColor(7, 7).name() for icon in icons]
