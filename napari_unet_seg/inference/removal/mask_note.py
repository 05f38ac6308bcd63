"""Sentences on what became of the masks that a network found."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_unet_seg.io.common.counting import counted, was_or_were

if TYPE_CHECKING:
    from napari_unet_seg.events import LeftOut


def mask_note(small: LeftOut, outside: LeftOut, carried: int) -> str:
    """Return sentences on what was removed and outlined anew; empty for nothing.

    Parameters
    ----------
    small, outside : LeftOut
        Small parts, and parts outside the brain.
    carried : int
        Parts that were outlined anew and carried through their volume.
    """
    kinds = {"small part": (small, "of the mask"), "part": (outside, "outside the brain")}
    told = [
        f"{counted(left_out.parts, kind)} {which} {was_or_were(left_out.parts)} left out "
        f"({counted(left_out.voxels, 'voxel')})."
        for kind, (left_out, which) in kinds.items()
        if left_out.parts
    ]
    if carried:
        told.append(
            f"{counted(carried, 'part')} {was_or_were(carried)} outlined anew through the volume."
        )
    return " ".join(told)
