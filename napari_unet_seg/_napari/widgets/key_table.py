"""The keys of the plugin: the one list that tabs, napari's preferences and the manual follow."""

from __future__ import annotations

from typing import NamedTuple


class Key(NamedTuple):
    """A key and what it does."""

    key: str
    """In napari's notation; unused by its viewer, and but for P and C by its images and labels."""
    place: str
    """Where the key works."""
    does: str


_CORRECT, _TOOLS = "Correct, session open", "Correct, tab Tools"

KEYS = {
    "segment": Key("Ctrl-Shift-M", "the whole window", "segment the image"),
    "accept": Key(
        "A",
        _CORRECT,
        "accept the slice and go to the next that is to do; one you edited counts as corrected",
    ),
    "skip": Key("S", _CORRECT, "skip the slice and go to the next that is to do"),
    "flag": Key("Q", _CORRECT, "flag the slice for a second look and go to the next to do"),
    "next": Key("N", _CORRECT, "next slice in the list"),
    "previous": Key("Shift-N", _CORRECT, "previous slice in the list"),
    "mask": Key("H", _CORRECT, "hide and show the mask, whichever layer is selected"),
    "toggle": Key(
        "D", _CORRECT, "show what changed: green was added to the prediction, magenta removed"
    ),
    "next_scan": Key("G", "a folder of scans", "next scan"),
    "previous_scan": Key("Shift-G", "a folder of scans", "previous scan"),
    "point": Key(
        "P", _TOOLS, "point: click, scribble, draw a box or a lasso; napari's brush keeps the key 2"
    ),
    "carry": Key("C", _TOOLS, "carry the category up and down through the volume"),
    "outline": Key(
        "Shift-H", _TOOLS, "draw only the outline of the mask, whichever layer is selected"
    ),
    "fainter": Key(",", _TOOLS, "make the mask fainter, whichever layer is selected"),
    "stronger": Key(".", _TOOLS, "make the mask stronger"),
    "border": Key("U", _TOOLS, "redraw a stretch of the border"),
}
"""By the name of what they do."""

_OF_NAPARI = (
    ("M", "a labels layer", "napari's new label, which is offered a name"),
    ("=, -", "a labels layer, also while pointing", "next and previous category"),
    ("F2, Delete, Alt+↑, Alt+↓", "the list of categories", "rename, remove, move up, move down"),
    (
        "Ctrl+Z",
        "Correct, at once after many slices were accepted",
        "take that back; masks do not change",
    ),
    ("Escape", "while drawing", "end Point, or the drawing of borders"),
    ("Ctrl+Z", "a labels layer", "undo, also what the plugin did"),
    ("V", "the viewer", "hide and show the selected layers"),
)
_END = """
While a page uses a key, napari's own meaning of it is suspended; afterwards the key has it again.
napari's *Preferences › Shortcuts* lists these keys too, under *Viewer key bindings*. A key that is
changed there holds from the next opening of the dock on.
"""


def key_label(key: str) -> str:
    """Return a key in napari's notation as users read it: "Ctrl+Z" for "Ctrl-Z"."""
    return key.replace("-", "+")


def keys_as_markdown() -> str:
    """Return the page of the manual on the keys."""
    rows = [(key_label(key), place, does) for key, place, does in KEYS.values()]
    lines = [f"| {' | '.join(row)} |" for row in (*rows, *_OF_NAPARI)]
    return "\n".join(["# Keys", "", "| key | in | does |", "|---|---|---|", *lines, _END])
