"""Sentences on what became of a mask."""

from __future__ import annotations

from napari_unet_seg.events import LeftOut
from napari_unet_seg.inference.removal.mask_note import mask_note


def test_what_became_of_a_mask_is_told() -> None:
    nothing = LeftOut()
    assert mask_note(nothing, nothing, 0) == ""
    small = "2 small parts of the mask were left out (9 voxels)."
    outside = "1 part outside the brain was left out (1 voxel)."
    assert mask_note(LeftOut(2, 9), LeftOut(1, 1), 0) == f"{small} {outside}"
    assert mask_note(nothing, LeftOut(1, 1), 0) == outside
    carried = "1 part was outlined anew through the volume."
    assert mask_note(LeftOut(2, 9), nothing, 1) == f"{small} {carried}"
