from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from qtpy.QtCore import Qt

from napari_unet_seg._napari.review.rows import notes_of, row_names
from napari_unet_seg._napari.session.slices.contents import SliceContent
from napari_unet_seg._napari.widgets.queue.table import QueueTable
from napari_unet_seg.session.review_queue import Queue, ReviewState

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot


@pytest.mark.parametrize(
    ("slices", "names"),
    [
        (["a.nii.gz#0", "a.nii.gz#1"], ["slice 0", "slice 1"]),
        (["a.nii.gz#0", "b.nii.gz#0"], ["a.nii.gz#0", "b.nii.gz#0"]),
        (["1.png", "2.png"], ["1.png", "2.png"]),
        ([], []),
    ],
)
def test_slices_of_one_scan_are_named_by_their_numbers(slices: list[str], names: list[str]) -> None:
    assert row_names(slices) == names


def test_slices_that_were_not_segmented_are_told_apart_without_a_faint_colour(qtbot: QtBot) -> None:
    table = QueueTable()
    qtbot.addWidget(table)
    table.show_slices(["slice 0", "slice 1"])
    table.slices.note_of = notes_of(_Contents())
    table.show_queue(Queue((0, 1), [ReviewState.TODO] * 2), (None, None), 0)
    rows = [table.slices.index(row, 1) for row in range(2)]
    assert [table.slices.data(row, Qt.ItemDataRole.FontRole).italic() for row in rows] == [
        True,
        False,
    ]
    assert [table.slices.data(row, Qt.ItemDataRole.ForegroundRole) for row in rows] == [None, None]


class _Contents:
    """The first slice was not segmented."""

    def of(self, index: int) -> SliceContent:
        return SliceContent.LABELS if index else SliceContent.UNSEGMENTED
