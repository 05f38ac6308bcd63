from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from napari_unet_seg.errors import DataError
from napari_unet_seg.io.coco.read import read_coco
from napari_unet_seg.io.coco.source import CocoSource

if TYPE_CHECKING:
    from pathlib import Path


def _written(path: Path, **more: Any) -> Path:
    image = {"id": 3, "file_name": "a.png", "width": 8, "height": 6}
    path.write_text(json.dumps({"images": [image], "annotations": [], "categories": []} | more))
    return path


def test_a_file_that_was_read_is_not_read_again(tmp_path: Path) -> None:
    path = _written(tmp_path / "a.json")
    dataset = read_coco(path)
    source = CocoSource(path, dataset)
    assert source.dataset() is dataset
    path.unlink()
    assert source.dataset() is dataset, "without the file it is all there is"


def test_a_file_that_was_written_to_is_read_once_more(tmp_path: Path) -> None:
    path = _written(tmp_path / "a.json")
    source = CocoSource(path, read_coco(path))
    _written(path, info={"year": 2026})
    changed = source.dataset()
    assert changed.document["info"] == {"year": 2026}
    assert source.dataset() is changed


def test_a_file_is_read_when_it_is_asked_for(tmp_path: Path) -> None:
    source = CocoSource(tmp_path / "a.json")
    with pytest.raises(DataError, match=r"a\.json"):
        source.dataset()
    _written(tmp_path / "a.json")
    dataset = source.dataset()
    assert [image.id for image in dataset.images] == [3]
    assert source.dataset() is dataset
