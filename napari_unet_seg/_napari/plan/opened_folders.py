"""Folders that napari's own ways open: File › Open Folder, and dropping one on the window."""

from __future__ import annotations

from psygnal import Signal


class OpenedFolders:
    """Tells the dock that goes through the scans of a folder which one was opened."""

    planned = Signal(object, object)
    """Emitted with the viewer and the plan that the user has seen."""


OPENED = OpenedFolders()
