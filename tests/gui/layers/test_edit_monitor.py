"""Detecting the edits of a mask: strokes, undo and redo, and no other redrawing."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from napari.layers import Labels
from qtpy.QtCore import QObject

from napari_unet_seg._napari.layers.edit_monitor import EditWatch


@pytest.fixture
def mask() -> Labels:
    return Labels(np.zeros((3, 8, 8), np.uint8))


def edits_of(mask: Labels) -> tuple[QObject, list[str]]:
    """Return the parent of a watch, and what it tells from now on."""
    parent, told = QObject(), []
    watch = EditWatch(parent)
    watch.edited.connect(lambda: told.append("edited"))
    watch.watch(mask)
    return parent, told


def stroke(mask: Any) -> None:
    """Paint as the mouse does: the stroke is drawn before it enters the history."""
    with mask.block_history():
        mask.paint((0, 3, 3), 1)


def test_strokes_undo_and_redo_are_edits(mask: Labels) -> None:
    _parent, told = edits_of(mask)
    for edit in (lambda: stroke(mask), mask.undo, mask.redo):
        edit()
        assert told, edit
        told.clear()


def test_redrawing_and_the_same_labels_in_another_array_are_no_edits(mask: Labels) -> None:
    _parent, told = edits_of(mask)
    mask.refresh()
    mask.visible = False
    mask.visible = True
    mask.data = mask.data.copy()
    assert not told
    mask.data = np.ones_like(mask.data)
    assert told


def test_another_mask_is_watched_in_its_place(mask: Labels) -> None:
    parent, told = edits_of(mask)
    parent.findChild(EditWatch).watch(None)
    stroke(mask)
    assert not told
