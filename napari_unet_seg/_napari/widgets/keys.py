"""The key bindings of the plugin in a viewer, and their list in napari's preferences."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from napari.settings import get_settings
from napari.utils.action_manager import action_manager
from napari.utils.key_bindings import KeymapProvider

from napari_unet_seg._napari.widgets.key_table import KEYS, key_label

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from napari.layers import Layer
    from napari.viewer import ViewerModel


class KeyBindings:
    """Binds keys in a viewer or a layer, and restores the previous bindings afterwards.

    Parameters
    ----------
    owner : napari.Viewer or Layer
        The viewer in which the keys are active, unless the selected layer has the same; or a layer,
        while it is selected.
    """

    def __init__(self, owner: ViewerModel | Layer) -> None:
        self._owner = owner
        self._before: dict[str, Any] = {}

    def bind(self, actions: Mapping[str, Callable[[], None]]) -> None:
        """Bind keys, in napari's notation, to actions; previous bindings of this object end."""
        self.unbind()
        for key, action in actions.items():
            bound = self._owner.bind_key(key, lambda _, f=action: f(), overwrite=True)
            self._before[key] = bound

    def unbind(self) -> None:
        """Restore the bindings that the viewer had before."""
        for key, before in self._before.items():
            self._owner.bind_key(key, before, overwrite=True)
        self._before = {}


class _ListedKeys(KeymapProvider):
    """The keys as napari lists them; it is no viewer or layer, so that napari binds none itself."""


def list_keys() -> None:
    """List the keys in napari's preferences, where users look for keys and change them."""
    for name, key in KEYS.items():
        action_manager.register_action(
            _action(name), _do_nothing, f"U-Net Seg, {key.place}: {key.does}", _ListedKeys
        )
        if _chosen(name) is None:
            action_manager.bind_shortcut(_action(name), key.key)


def key_of(name: str) -> str:
    """Return the key of `KEYS` in napari's notation, or what the user has chosen in its place."""
    return _chosen(name) or KEYS[name].key


def label_of(name: str) -> str:
    """Return a key of `KEYS` as users read it."""
    return key_label(key_of(name))


def _chosen(name: str) -> str | None:
    keys = get_settings().shortcuts.shortcuts.get(_action(name))
    return str(keys[0]) if keys else None


def _action(name: str) -> str:
    return f"napari-unet-seg:{name}"


def _do_nothing() -> None:
    """Stand for an action whose key a page of the dock binds while it needs it."""
