"""Keys of the viewer that work for a while."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from napari.viewer import ViewerModel


class Keys:
    """Binds keys in a viewer; those that were taken are given back.

    Parameters
    ----------
    viewer : napari.Viewer
        Where they work, whichever layer is active.
    """

    def __init__(self, viewer: ViewerModel) -> None:
        self._viewer = viewer
        self._before: dict[str, Any] = {}

    def bind(self, actions: Mapping[str, Callable[[], None]]) -> None:
        """Let keys, in napari's notation, do something from now on, and no others."""
        self.unbind()
        for key, action in actions.items():
            bound = self._viewer.bind_key(key, lambda _, f=action: f(), overwrite=True)
            self._before[key] = bound

    def unbind(self) -> None:
        """Give the keys back."""
        for key, before in self._before.items():
            self._viewer.bind_key(key, before, overwrite=True)
        self._before = {}


def shown_key(key: str) -> str:
    """Return a key of napari's notation as it is shown."""
    return key.replace("-", "+")
