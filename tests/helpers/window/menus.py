"""Menus of buttons, used with the mouse."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qtpy.QtCore import Qt, QTimer
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication

if TYPE_CHECKING:
    from collections.abc import Callable

_LEFT = Qt.MouseButton.LeftButton


def open_menu(button: Any, act: Callable[[Any], None]) -> None:
    """Click on a button with a menu, act on the open menu, and close it if it is still open."""
    menu = button.menu()
    errors: list[BaseException] = []

    def go() -> None:
        try:
            assert menu.isVisible(), "the menu did not open"
            act(menu)
        except BaseException as error:
            errors.append(error)
        finally:
            menu.close()

    timer = QTimer()
    timer.setSingleShot(True)
    timer.timeout.connect(go)
    timer.start(0)
    QTest.mouseClick(button, _LEFT)  # returns once the menu is closed, or at once
    while timer.isActive():
        QApplication.processEvents()
    if errors:
        raise errors[0]


def choose(button: Any, text: str) -> None:
    """Click on the entry of a button's menu that starts with a text."""

    def click(menu: Any) -> None:
        entry = next(a for a in menu.actions() if a.text().startswith(text))
        assert entry.isEnabled(), f"{entry.text()} cannot be chosen"
        QTest.mouseClick(menu, _LEFT, pos=menu.actionGeometry(entry).center())

    open_menu(button, click)


def entries(button: Any) -> dict[str, bool]:
    """Return the texts of a button's menu, and whether they can be chosen."""
    found: dict[str, bool] = {}
    open_menu(
        button,
        lambda menu: found.update({a.text(): a.isEnabled() for a in menu.actions() if a.text()}),
    )
    return found
