"""Menus of a category: what to do with it, and what becomes of its pixels when it is removed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtWidgets import QMenu

from napari_unet_seg._napari.categories.swatches import swatch

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from qtpy.QtWidgets import QWidget

    from napari_unet_seg.config import Category


def category_menu(parent: QWidget, actions: Mapping[str, Callable[[], object]]) -> QMenu:
    """Return a menu of a category's actions by their texts."""
    menu = _menu(parent)
    for text, action in actions.items():
        menu.addAction(text).triggered.connect(lambda _, action=action: action())
    return menu


def heir_menu(
    parent: QWidget,
    rows: Sequence[tuple[int, Category]],
    label: int,
    count: int,
    remove: Callable[[int, int], object],
) -> QMenu:
    """Return a menu that asks what becomes of the pixels or objects of a category to remove.

    Parameters
    ----------
    parent : QWidget
        The editor.
    rows : sequence of int and Category
        All categories with their labels.
    label : int
        The label of the category to remove.
    count : int
        Number of its pixels or objects.
    remove : callable
        Called with `label` and the label that was chosen, 0 for background.
    """
    menu = _menu(parent)
    name = dict(rows)[label].name
    menu.addAction(f"Remove {name}: its {count:,} become").setEnabled(False)
    menu.addAction("background").triggered.connect(lambda _: remove(label, 0))
    for value, category in rows:
        if value != label:
            action = menu.addAction(swatch(category.name), category.name)
            action.triggered.connect(lambda _, value=value: remove(label, value))
    menu.addSeparator()
    menu.addAction("Cancel")
    return menu


def _menu(parent: QWidget) -> QMenu:
    menu = QMenu(parent)
    menu.aboutToHide.connect(menu.deleteLater)
    return menu
