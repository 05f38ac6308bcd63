"""What a file of prompts holds."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, FiniteFloat

from napari_unet_seg.config import Config

Point = tuple[FiniteFloat, ...]
"""x, y, z and t, as many as the scan has axes."""


class ObjectPrompts(Config):
    """What marks one object; at least one prompt says where it is."""

    category: str = Field("object", min_length=1)
    """Category that the object is of."""
    points: tuple[Point, ...] = ()
    """Points inside the object."""
    outside_points: tuple[Point, ...] = ()
    """Points that do not belong to it."""
    strokes: tuple[tuple[Point, ...], ...] = ()
    """Lines inside the object, each on one slice, by their points."""
    outside_strokes: tuple[tuple[Point, ...], ...] = ()
    """Lines that do not belong to it."""
    boxes: tuple[tuple[Point, Point], ...] = ()
    """Boxes around the object, by two opposite corners; on each slice between them."""


class Prompts(Config):
    """Prompts for the objects of a scan."""

    format: Literal[1] = 1
    """Version of the layout of the file."""
    coordinates: Literal["voxel", "world"] = "voxel"
    """Voxels of the file, counted from 0, or millimetres in the patient (RAS+)."""
    objects: tuple[ObjectPrompts, ...] = Field(min_length=1)
    """The objects; where two overlap, the later one is on top."""
