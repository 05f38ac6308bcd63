"""What is said of a fine-tuning that leaves the model as it is."""

from __future__ import annotations

from napari_unet_seg.io.common.counting import counted


def unchanged(held_out: int, noun: str) -> str:
    """Return a clause: the model stays as it is, and why.

    Parameters
    ----------
    held_out : int
        Number of held-out samples.
    noun : str
        What they are, `slice` for example.
    """
    them = counted(held_out, f"held-out {noun}")
    return f"the model stays as it is: no epoch was clearly better on {them}"
