"""Synthetic heads that look like contrast-enhanced T1-weighted MRI.

A head is a set of distance functions of a position in mm, so that it can be looked at on any
grid: single slices of 256×256 pixels and a volume of thick slices come from the same code.
Positions are (z, y, x) with z towards the crown, y towards the back and x to the patient's left.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from shapes import Field, ellipsoid, paint, tube

Array = np.ndarray[Any, np.dtype[Any]]

AIR, CSF, BONE, MARROW, MUSCLE, FAT, SKIN = 0.015, 0.12, 0.04, 0.30, 0.36, 0.92, 0.45
WHITE, GREY, DEEP, DURA, VESSEL, OEDEMA, NECROSIS, VITREOUS = (
    0.49,
    0.35,
    0.41,
    0.50,
    0.85,
    0.33,
    0.24,
    0.11,
)

VENTRICLES = (
    # way points (z, y, x) in mm and radius of the right half; the left half is its mirror image
    ((10, -40, 15, 2.5), (14, -30, 9, 5.0), (20, -12, 6.5, 4.5), (23, 8, 9.5, 4.5)),
    ((23, 8, 9.5, 4.5), (15, 28, 21, 6.5), (7, 50, 26, 2.5)),
    ((15, 28, 21, 6.5), (-4, 16, 30, 4.0), (-14, -4, 32, 3.0)),
    ((6, -4, 1.0, 4.0), (0, 10, 0.5, 3.0)),
    ((-26, 34, 0.5, 3.5), (-36, 38, 0.5, 5.0)),
)
NUCLEI = (
    # centre (z, y, x) and half axes: thalamus, head of the caudate nucleus, lentiform nucleus
    ((6, 8, 11), (9, 14, 8)),
    ((12, -27, 14), (10, 10, 6)),
    ((4, -6, 26), (10, 15, 6)),
)


@dataclass(frozen=True)
class Lesion:
    """An enhancing lesion: an ellipsoid with a ragged outline."""

    centre: tuple[float, float, float]
    """Position (z, y, x) in mm."""
    radii: tuple[float, float, float]
    rim: float
    """Thickness of the enhancing rim in mm; more than the radius for a solid lesion."""
    oedema: float
    """How far the oedema reaches into the white matter, in mm."""
    brightness: float = 0.72


@dataclass(frozen=True)
class Head:
    """Everything that tells one subject from another."""

    seed: int
    half_axes: tuple[float, float, float] = (92.0, 94.0, 74.0)
    lesions: tuple[Lesion, ...] = ()
    ventricles: float = 1.0
    """Size of the ventricles; they grow with age."""
    tilt: float = 0.0
    """Rotation in the axial plane, in degrees."""
    shift: tuple[float, float, float] = (0.0, 0.0, 0.0)
    """Position of the head in the scanner, in mm."""
    bias: float = 0.14
    noise: float = 0.02


class Phantom:
    """A head that can be looked at on any grid."""

    def __init__(self, head: Head) -> None:
        """Draw the random fields that fold, warp and shade this head."""
        rng = np.random.default_rng(head.seed)
        self.head = head
        self.folds, self.folia, self.texture, self.warp, self.shade = (
            Field(rng, smooth) for smooth in (4.0, 2.5, 3.5, 12.0, 32.0)
        )

    def look(self, at: Array) -> tuple[Array, Array, Array]:
        """Return the noiseless image, the tumour and the oedema at positions (3, ...) in mm."""
        at = self._to_head(at)
        outer = self._scalp(at)
        brain = outer + 13.5 + 0.8 * self.warp(at)
        warped = at + np.stack([0 * brain, 2 * self.warp(at), 2 * self.warp(at[::-1])])
        image = self._brain(warped, brain)
        lesions = [self._outline(at, lesion) for lesion in self.head.lesions]
        image, oedema = self._oedema(image, brain, lesions)
        image, ventricles = self._deep(image, warped)
        image, tumour = self._lesions(image, at, brain, lesions)
        image = self._base(image, at)
        image = self._shell(image, at, outer, brain)
        image = image + 0.012 * self.texture(at) * (outer < 0)
        return (
            image * np.exp(self.head.bias * self.shade(at)),
            tumour,
            oedema & (ventricles > 0) & ~tumour,
        )

    def _to_head(self, at: Array) -> Array:
        angle = np.deg2rad(self.head.tilt)
        z, y, x = at - np.reshape(self.head.shift, (3,) + (1,) * (at.ndim - 1))
        turned = (np.cos(angle) * y - np.sin(angle) * x, np.sin(angle) * y + np.cos(angle) * x)
        return np.stack([z, *turned])

    def _scalp(self, at: Array) -> Array:
        """Return the distance to the skin: an egg above, nearly a cylinder below."""
        z, y, x = at
        egg = np.stack([np.where(z > 0, z, 0.45 * z), y, x / (1 + 0.09 * np.tanh(y / 45))])
        return ellipsoid(egg, (0, 0, 0), self.head.half_axes) + 1.2 * self.shade(at[::-1])

    def _brain(self, at: Array, brain: Array) -> Array:
        """Fold the cortex: sulci are sheets that run from the surface towards the centre."""
        z, y, x = at
        reach = np.sqrt((at**2).sum(0)) + 1.0
        radial = at * (70.0 / reach) ** 0.6 + 3 * self.warp(at)
        length = 13 + 5 * self.texture(radial)
        sulci = np.hypot(self.folds.sheet(radial), np.maximum(0, -brain - length))
        fissure = np.hypot(x + self.warp(at), np.maximum(0, -brain - 42) + np.maximum(0, -12 - z))
        rising = (z + 2 - 0.6 * y) / 1.17 + 2 * self.texture(at)
        sylvian = np.hypot(rising, np.maximum(0, -brain - 24) + np.maximum(0, abs(y + 5) - 28))
        gap = np.minimum(np.minimum(sulci - 0.5, fissure - 0.9), sylvian - 1.0)
        image = paint(np.full(brain.shape, WHITE), GREY, np.minimum(gap, -brain) - 3.0, 0.9)
        image = paint(image, CSF, gap)
        image = paint(image, VESSEL, np.maximum(gap + 0.3, 1.6 - self.texture(radial)), 0.5)
        image = paint(image, DURA, np.maximum(np.abs(x) - 0.4, fissure - 2))
        return self._hindbrain(image, at)

    def _hindbrain(self, image: Array, at: Array) -> Array:
        z, y, x = at
        tent = np.maximum(z + 14 + 0.3 * np.abs(x) - 0.15 * y, 8 - y)
        leaves = 3.5 * np.abs(np.sin(np.hypot(y - 5, z + 30) * np.pi / 6 + self.texture(at)))
        folia = paint(np.full(tent.shape, WHITE - 0.04), GREY, leaves - 1.8, 1.4)
        image = paint(image, CSF, tent - 1.5)
        image = paint(image, folia, tent + 0.5)
        cistern = tube(at, ((-6, 0, 0, 13), (-28, 2, 0, 18), (-70, 12, 0, 14)))
        cistern = np.maximum(cistern + 1.5 * self.texture(at), y - 14 - 0.2 * np.abs(x))
        stem = tube(at, ((-6, 2, 0, 11), (-28, 4, 0, 15), (-70, 14, 0, 9)))
        return paint(paint(image, CSF, cistern), WHITE - 0.03, stem)

    def _deep(self, image: Array, at: Array) -> tuple[Array, Array]:
        """Add the nuclei and the ventricles, which come in pairs; return these's distance too."""
        right = np.stack([at[0], at[1], np.abs(at[2])])
        for centre, radii in NUCLEI:
            image = paint(image, DEEP, ellipsoid(right, centre, radii), 1.2)
        ventricles = np.minimum.reduce([tube(right, points) for points in VENTRICLES])
        ventricles = ventricles - 2.5 * (self.head.ventricles - 1)
        return paint(image, CSF, ventricles), ventricles

    def _outline(self, at: Array, lesion: Lesion) -> Array:
        ragged = self.texture(at) + self.warp(at)
        return ellipsoid(at, lesion.centre, lesion.radii) + 0.09 * min(lesion.radii) * ragged

    def _oedema(self, image: Array, brain: Array, lesions: list[Array]) -> tuple[Array, Array]:
        covered = np.zeros(brain.shape, bool)
        for lesion, outline in zip(self.head.lesions, lesions, strict=True):
            if lesion.oedema:
                swollen = np.maximum(outline - lesion.oedema, brain + 4)
                image = paint(image, np.minimum(image, OEDEMA), swollen, 1.5)
                covered |= swollen < 0
        return image, covered

    def _lesions(
        self, image: Array, at: Array, brain: Array, lesions: list[Array]
    ) -> tuple[Array, Array]:
        covered = np.zeros(brain.shape, bool)
        for lesion, outline in zip(self.head.lesions, lesions, strict=True):
            inside = np.maximum(outline, brain)
            image = paint(image, lesion.brightness + 0.06 * self.texture(at), inside)
            necrosis = inside + lesion.rim * (1 + 0.25 * self.texture(at[::-1]))
            image = paint(image, NECROSIS + 0.03 * self.folia(at), necrosis)
            covered |= inside < 0
        return image, covered

    def _base(self, image: Array, at: Array) -> Array:
        """Add what lies in front of the brain's base: orbits, nose and muscle."""
        z, y, x = at
        face = np.maximum(
            z + 20 + 0.35 * (y + 50), y + 46 + 0.4 * (z + 16) - 0.008 * x**2 + 2 * self.warp(at)
        )
        sides = np.stack([z, y, np.abs(x)])
        tissue = MUSCLE + 0.12 * self.folia(at)
        image = paint(paint(image, BONE, face - 3), tissue, face)
        image = paint(
            image, FAT - 0.25, np.maximum(face, ellipsoid(sides, (-32, -60, 30), (17, 24, 16)))
        )
        image = paint(image, VITREOUS, ellipsoid(sides, (-32, -67, 30), (12, 12, 12)))
        nose = ellipsoid(at, (-40, -72, 0), (20, 26, 10)) + 1.5 * self.texture(at)
        return paint(image, AIR, np.maximum(nose, face))

    def _shell(self, image: Array, at: Array, outer: Array, brain: Array) -> Array:
        """Add scalp and skull around the brain."""
        z, _, x = at
        for value, inside in (
            (CSF, brain),
            (DURA, outer + 12.2),
            (BONE, outer + 11.2),
            (MARROW + 0.1 * self.texture(at), outer + 9.2),
            (BONE, outer + 7.6),
            (FAT + 0.06 * self.folia(at), outer + 5.8 + self.warp(at)),
            (SKIN, outer + 1.6),
            (AIR, outer),
        ):
            image = paint(image, value, -inside)
        temples = np.maximum(np.maximum(outer + 2.5, -(outer + 7)), z - 12)
        image = paint(image, MUSCLE, np.maximum(temples, 52 - np.abs(x)))
        sinus = np.maximum(np.abs(x) - 4.5 + 0.6 * (-outer - 11), np.abs(outer + 14) - 4)
        return paint(image, VESSEL, np.maximum(sinus, -5 - z))
