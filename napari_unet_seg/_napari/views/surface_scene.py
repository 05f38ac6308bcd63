"""The scene in which surfaces are drawn: a box of the volume with the sides of the patient."""

from __future__ import annotations

from itertools import combinations, product
from typing import TYPE_CHECKING, Any

import numpy as np
from vispy import scene

if TYPE_CHECKING:
    from collections.abc import Iterable

    from qtpy.QtWidgets import QWidget

    from napari_unet_seg.arrays import Array

_RAS = {"R": (0, 1), "L": (0, -1), "A": (1, 1), "P": (1, -1), "S": (2, 1), "I": (2, -1)}
_UNKNOWN = "SPL"
"""Directions of an array without an orientation, as if its slices were axial; without letters."""
_GREY = (0.5, 0.5, 0.5, 1)
_FRONT, _ABOVE = 180 - 30, 20
"""Angles in degrees from which the camera looks at first: from the front, the right and above."""


class SurfaceScene:
    """A canvas with surfaces of a volume, seen from the patient's front, to be turned by the mouse.

    Parameters
    ----------
    parent : QWidget
        The widget that the canvas is in.
    """

    def __init__(self, parent: QWidget) -> None:
        self._canvas = scene.SceneCanvas(keys=None, parent=parent, bgcolor="black")
        self._view = self._canvas.central_widget.add_view()
        self._view.camera = scene.TurntableCamera(azimuth=_FRONT, elevation=_ABOVE, fov=0)
        self._drawn: list[Any] = []
        self._directions, self._size = "", np.zeros(3)

    @property
    def widget(self) -> QWidget:
        """The widget of the canvas."""
        native: QWidget = self._canvas.native
        return native

    def show_box(self, directions: str, size: Iterable[float]) -> None:
        """Draw the box of a volume, in place of everything in the scene.

        Parameters
        ----------
        directions : str
            As `directions_of` returns them.
        size : iterable of float
            Size along Z, Y and X.
        """
        for visual in self._drawn:
            visual.parent = None
        size = np.asarray([*size], float)
        is_new = directions != self._directions or not np.allclose(size, self._size)
        self._drawn, self._directions, self._size = [], directions, size
        corners = np.array([*product(*((0.0, n) for n in size))])
        edges = [e for e in combinations(range(8), 2) if np.sum(corners[e[0]] != corners[e[1]]) < 2]
        lines = scene.visuals.Line(
            self._place(corners), connect=np.array(edges), color=_GREY, parent=self._view.scene
        )
        self._drawn.append(lines)
        if directions:
            self._draw_letters()
        if is_new:
            low, high = self._place(corners).min(0), self._place(corners).max(0)
            self._view.camera.set_range(*zip(low, high, strict=True), margin=0.15)

    def add_surface(self, vertices: Array, faces: Array, colour: str) -> None:
        """Draw a surface; vertices are Z, Y and X from the volume's first voxel."""
        mesh = scene.visuals.Mesh(
            self._place(vertices),
            faces,
            color=colour,
            shading="smooth",
            parent=self._view.scene,
        )
        mesh.shading_filter.light_dir = (-1, -1, -1)
        self._drawn.append(mesh)

    def close(self) -> None:
        """Free the canvas."""
        self._canvas.close()

    def _place(self, points: Array) -> Array:
        """Return points (Z, Y, X) of the volume as points to the right, the front and up."""
        placed = np.zeros((len(points), 3), np.float32)
        for axis, letter in enumerate(self._directions or _UNKNOWN):
            along, sign = _RAS[letter]
            placed[:, along] = sign * (points[:, axis] - self._size[axis] / 2)
        return placed

    def _draw_letters(self) -> None:
        half = np.zeros(3)
        for axis, letter in enumerate(self._directions):
            half[_RAS[letter][0]] = self._size[axis] / 2
        places = {name: sign * 1.08 * half * np.eye(3)[i] for name, (i, sign) in _RAS.items()}
        letters = scene.visuals.Text(
            [*places],
            pos=np.array([*places.values()], np.float32),
            color="white",
            bold=True,
            font_size=12,
            parent=self._view.scene,
        )
        self._drawn.append(letters)
