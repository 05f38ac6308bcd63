"""Menus of buttons, used with the mouse."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qtpy.QtCore import Qt, QTimer
from qtpy.QtTest import QTest

if TYPE_CHECKING:
    from collections.abc import Callable

_LEFT = Qt.MouseButton.LeftButton


def open_menu(button: Any, act: Callable[[Any], None]) -> None:
    """Click on a button with a menu, act on the open menu, and close it if it is still open."""
    menu = button.menu()

    def go() -> None:
        try:
            act(menu)
        finally:
            menu.close()

    timer = QTimer()
    timer.setSingleShot(True)
    timer.timeout.connect(go)
    timer.start(0)
    QTest.mouseClick(button, _LEFT)  # Qt runs the menu, and returns once it is closed
    assert not timer.isActive(), "the menu did not open"


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
