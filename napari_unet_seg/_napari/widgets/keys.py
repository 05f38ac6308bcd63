"""Temporary key bindings of a viewer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from napari.viewer import ViewerModel


class KeyBindings:
    """Binds keys in a viewer, and restores the previous bindings afterwards.

    Parameters
    ----------
    viewer : napari.Viewer
        The viewer in which the keys are active, whichever layer is selected.
    """

    def __init__(self, viewer: ViewerModel) -> None:
        self._viewer = viewer
        self._before: dict[str, Any] = {}

    def bind(self, actions: Mapping[str, Callable[[], None]]) -> None:
        """Bind keys, in napari's notation, to actions; previous bindings of this object end."""
        self.unbind()
        for key, action in actions.items():
            bound = self._viewer.bind_key(key, lambda _, f=action: f(), overwrite=True)
            self._before[key] = bound

    def unbind(self) -> None:
        """Restore the bindings that the viewer had before."""
        for key, before in self._before.items():
            self._viewer.bind_key(key, before, overwrite=True)
        self._before = {}


def key_label(key: str) -> str:
    """Return a key in napari's notation as users read it: "Ctrl+Z" for "Ctrl-Z"."""
    return key.replace("-", "+")
