"""The name, tooltip and result message of each correction tool."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from napari_unet_seg._napari.layers.conversion import categories_of
from napari_unet_seg._napari.layers.instances import is_instances

if TYPE_CHECKING:
    from napari.layers import Labels


class ToolDescription(NamedTuple):
    """The texts of a tool."""

    text: str
    """Text of the button."""
    past: str
    """Message after the use of the tool, with {} for the category."""
    tip: str
    """Tooltip of the button."""


TOOLS = {
    "grow": ToolDescription(
        "Grow", "Grew {}", "Add background pixels within the chosen distance of the category"
    ),
    "shrink": ToolDescription(
        "Shrink", "Shrank {}", "Remove pixels within the chosen distance of the border"
    ),
    "smooth": ToolDescription(
        "Smooth", "Smoothed {}", "Smooth the border: remove details finer than the chosen distance"
    ),
    "fill_holes": ToolDescription(
        "Fill holes",
        "Filled holes of {}",
        "Fill background that the category encloses within a slice",
    ),
    "close_gaps": ToolDescription(
        "Close gaps",
        "Closed gaps of {}",
        "Join parts that are less than twice the chosen distance apart",
    ),
    "split": ToolDescription(
        "Split",
        "Split {}",
        "Separate touching objects by a line of background, at a neck that is narrower than both "
        "objects by the chosen distance",
    ),
    "keep_largest": ToolDescription(
        "Keep largest",
        "Kept the largest part of {}",
        "Remove all parts but the largest of the slice or volume",
    ),
    "remove_small": ToolDescription(
        "Remove small",
        "Removed small parts of {}",
        "Remove parts with fewer pixels than the chosen number, in a volume with fewer voxels",
    ),
    "interpolate": ToolDescription(
        "Interpolate",
        "Interpolated {}",
        "Interpolate the category on this slice, or on all slices, between accepted slices; with "
        "fewer than two accepted slices, between the slices that hold the category",
    ),
    "copy_previous": ToolDescription(
        "◂ Copy previous", "Copied {}", "Copy the category from the previous slice to this slice"
    ),
    "copy_next": ToolDescription(
        "Copy to next ▸", "Copied {}", "Copy the category to the next slice, and go to that slice"
    ),
}
"""The tools by name, in the order of their buttons."""


UNNAMED = "The mask has no categories; name its first one above."
"""The problem of a mask that the tools can change once it has categories."""


def edit_problem(mask: Labels | None) -> str:
    """Return why the tools cannot change a mask, as a message; empty if they can."""
    if mask is None:
        return "Choose a mask to correct."
    if mask.multiscale:
        return f"{mask.name} has several resolutions and cannot be edited."
    if is_instances(mask):
        return f"{mask.name} has a label for each object; the tools change categories."
    return "" if categories_of(mask) else UNNAMED
