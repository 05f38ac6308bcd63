"""The scan and the categories that most window tests paint on."""

from __future__ import annotations

from typing import Any

from napari_unet_seg._napari.layers.layer_record import LayerRecord
from napari_unet_seg.config import Category

SHAPE = (4, 40, 50)
PLACE: dict[str, Any] = {
    "scale": (3, 0.5, 0.5), "translate": (10, -5, 2), "units": ("mm", "mm", "mm"),
}  # fmt: skip
"""Askew in the world, so that an index is no position."""
CATEGORIES = (Category(id=7, name="tumour"), Category(id=9, name="oedema"))


def add_mask(
    viewer: Any,
    labels: Any,
    name: str = "head mask",
    categories: tuple[Category, ...] = CATEGORIES,
    **how: Any,
) -> Any:
    """Add labels that are known to stand for categories."""
    known = LayerRecord(categories=categories).as_metadata()
    return viewer.add_labels(labels, name=name, metadata=known, **how)
