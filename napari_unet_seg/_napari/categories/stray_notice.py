"""The refusal of a mask with a label of no category, with the button that adds one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from napari_unet_seg._napari.categories.edits import add_category, default_name
from napari_unet_seg._napari.layers.conversion import categories_of
from napari_unet_seg._napari.layers.instances import is_instances
from napari_unet_seg._napari.widgets.messages import show_error
from napari_unet_seg.config import IGNORE_INDEX

if TYPE_CHECKING:
    from collections.abc import Iterable

    from napari.layers import Labels, Layer


def stray_label_of(mask: Labels) -> int:
    """Return a label of a mask that is no category; 0 if there is none."""
    count = len(categories_of(mask))
    if not count or is_instances(mask):
        return 0
    labels = np.asarray(mask.data)
    highest = int(labels.max(where=labels != IGNORE_INDEX, initial=0))
    return highest if highest > count else 0


def refuse_stray(mask: Labels, layers: Iterable[Layer]) -> bool:
    """Tell the user that a mask has a label of no category, if so, and offer to add one.

    Parameters
    ----------
    mask : Labels
        The mask that is to be saved in a form that has categories only.
    layers : iterable of Layer
        All layers of the window; see `add_category`.
    """
    label = stray_label_of(mask)
    if not label:
        return False
    name = default_name(mask)

    def add(widget: object = None) -> None:
        add_category(mask, name, layers, label)

    show_error(
        f"{mask.name} holds the label {label}, which is no category; add one for it, or paint over "
        "it, then save the mask.",
        actions=[(f"Add {name}", add)],
    )
    return True
