"""How the mask is drawn: its opacity, and whether only its outline, whichever layer is selected."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QSignalBlocker, Qt
from qtpy.QtWidgets import QCheckBox, QHBoxLayout, QLabel, QSlider, QWidget

from napari_unet_seg._napari.widgets.keys import KeyBindings, key_of, label_of
from napari_unet_seg._napari.widgets.scroll import pass_wheel_to_parent

if TYPE_CHECKING:
    from napari.layers import Labels
    from napari.viewer import ViewerModel

_STEP = 10
"""Percent of opacity that a key changes."""
_WIDTH = 1
"""Width of the outline in pixels of the mask, until the user sets another in napari."""


class MaskLook(QWidget):
    """A slider and a switch for the mask.

    napari's own controls follow the selected layer, which is another one while prompts are drawn.

    Parameters
    ----------
    viewer : napari.Viewer
        The viewer in which the keys are bound.
    """

    def __init__(self, viewer: ViewerModel) -> None:
        super().__init__()
        self._mask: Labels | None = None
        self._width = _WIDTH
        self._keys = KeyBindings(viewer)
        self.opacity = QSlider(Qt.Orientation.Horizontal)
        self.opacity.setRange(0, 100)
        pass_wheel_to_parent(self.opacity)
        less, more = label_of("fainter"), label_of("stronger")
        self.opacity.setToolTip(f"Opacity of the mask (keys {less} and {more})")
        key = label_of("outline")
        self.outline = QCheckBox(f"Outline  [{key}]")
        self.outline.setToolTip(f"Draw only the outline of the mask (key {key})")
        self.opacity.valueChanged.connect(self._on_opacity)
        self.outline.toggled.connect(self._on_outline)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(QLabel("Opacity"))
        layout.addWidget(self.opacity, 1)
        layout.addWidget(self.outline)
        self.destroyed.connect(lambda: self._release())
        self.show_mask(None)

    def show_mask(self, mask: Labels | None) -> None:
        """Show how a mask is drawn, and change that from now on; None for no mask."""
        self._release()
        self._mask, self._width = mask, _WIDTH
        if mask is not None:
            mask.events.opacity.connect(self._follow)
            mask.events.contour.connect(self._follow)
            self._follow()
        self.setEnabled(mask is not None)

    def bind_keys(self) -> None:
        """Bind the keys in the viewer."""
        self._keys.bind(
            {
                key_of("fainter"): lambda: self.opacity.setValue(self.opacity.value() - _STEP),
                key_of("stronger"): lambda: self.opacity.setValue(self.opacity.value() + _STEP),
                key_of("outline"): self.outline.toggle,
            }
        )

    def unbind_keys(self) -> None:
        """Restore the viewer's own keys."""
        self._keys.unbind()

    def _release(self) -> None:
        if self._mask is not None:
            self._mask.events.opacity.disconnect(self._follow)
            self._mask.events.contour.disconnect(self._follow)
        self._mask = None

    def _follow(self, _: Any = None) -> None:
        """Show what was set here or in napari's controls."""
        if self._mask is None:
            return
        self._width = self._mask.contour or self._width
        blockers = QSignalBlocker(self.opacity), QSignalBlocker(self.outline)
        self.opacity.setValue(round(100 * self._mask.opacity))
        self.outline.setChecked(self._mask.contour > 0)
        for blocker in blockers:
            blocker.unblock()

    def _on_opacity(self, percent: int) -> None:
        if self._mask is not None:
            self._mask.opacity = percent / 100

    def _on_outline(self, on: bool) -> None:
        if self._mask is not None:
            self._mask.contour = self._width if on else 0
