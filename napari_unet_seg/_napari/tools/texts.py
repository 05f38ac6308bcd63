"""What the correction tools are called, and what they say."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from napari_unet_seg._napari.layers.instances import is_instances

if TYPE_CHECKING:
    from napari.layers import Labels

    from napari_unet_seg.config import Category


class Tool(NamedTuple):
    """A button and what is told after it was pressed."""

    text: str
    past: str
    """What was done, with {} for the category."""
    tip: str


TOOLS = {
    "grow": Tool("Grow", "Grew {}", "Add what lies within so many pixels, over background alone"),
    "shrink": Tool("Shrink", "Shrank {}", "Take so many pixels off its border"),
    "smooth": Tool(
        "Smooth", "Smoothed {}", "Even out the border: details finer than so many pixels go"
    ),
    "fill_holes": Tool(
        "Fill holes", "Filled holes of {}", "Fill the background that it encloses in a slice"
    ),
    "close_gaps": Tool(
        "Close gaps",
        "Closed gaps of {}",
        "Join parts that lie less than twice so many pixels apart",
    ),
    "split": Tool(
        "Split",
        "Split {}",
        "Part objects that touch by a line of background, where a neck is narrower than both of "
        "them by so many pixels",
    ),
    "keep_largest": Tool(
        "Keep largest",
        "Kept the largest part of {}",
        "Take away all but the largest part: of the slice, or of the volume",
    ),
    "remove_small": Tool(
        "Remove small",
        "Removed small parts of {}",
        "Take away parts of fewer than so many pixels, in a volume of fewer voxels",
    ),
    "interpolate": Tool(
        "Interpolate",
        "Interpolated {}",
        "Draw it between accepted slices, or where fewer than two are accepted between those that "
        "hold it; of this slice, or of all that lie between",
    ),
    "copy_previous": Tool(
        "◂ Copy previous", "Copied {}", "Make it here what it is in the slice before this one"
    ),
    "copy_next": Tool(
        "Copy to next ▸", "Copied {}", "Make it in the next slice what it is here, and go there"
    ),
}
"""By name, in the order of the buttons."""


def problem_of(mask: Labels | None, categories: tuple[Category, ...]) -> str:
    """Say why a mask cannot be corrected, nothing if it can."""
    if mask is None:
        return "Choose a mask to correct."
    if is_instances(mask):
        return f"{mask.name} has a label for each object; the tools change categories."
    if not categories:
        return f"{mask.name} has no categories; start a session on it to name them."
    return f"{mask.name} has several resolutions and cannot be edited." if mask.multiscale else ""
