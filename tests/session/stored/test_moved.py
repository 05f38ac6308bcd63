"""A session that was moved together with its scan is found again, by place and hash."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image

from napari_unet_seg.config import Category
from napari_unet_seg.errors import DataError
from napari_unet_seg.io.cases.case import Source
from napari_unet_seg.io.common.scan import Scan
from napari_unet_seg.io.images.photographs import lazy_stack
from napari_unet_seg.io.images.tiff import read_tiff, write_array
from napari_unet_seg.session.folders import find_session
from napari_unet_seg.session.session import Session
from napari_unet_seg.session.stored.record import CocoOrigin, Origin

if TYPE_CHECKING:
    from pathlib import Path

TUMOUR = (Category(id=7, name="tumour"),)
VOXELS = np.random.default_rng(0).integers(0, 200, (3, 20, 24), np.uint8)


@pytest.fixture
def disk(tmp_path: Path) -> Path:
    """A folder with a scan, a COCO file, and a session on the scan."""
    scan = tmp_path / "disk" / "scans" / "p1" / "head.tif"
    scan.parent.mkdir(parents=True)
    write_array(scan, VOXELS, axes="ZYX")
    coco = tmp_path / "disk" / "notes.json"
    coco.write_text("{}")
    origin = Origin(scan=str(scan), coco=CocoOrigin(path=str(coco), image_ids=("a",)))
    folder = tmp_path / "disk" / "work" / "head"
    labels = np.zeros(VOXELS.shape, np.uint8)
    Session.create(folder, read_tiff(scan), TUMOUR, labels, origin=origin).close()
    return tmp_path / "disk"


def test_the_scan_is_found_where_it_lies_relative_to_the_session(disk: Path) -> None:
    moved = disk.rename(disk.with_name("elsewhere"))
    scan = moved / "scans" / "p1" / "head.tif"
    session = Session.open(moved / "work" / "head", hold=True)
    np.testing.assert_array_equal(np.asarray(session.scan.data), VOXELS)
    assert session.origin.scan == str(scan)
    assert session.origin.coco is not None
    assert session.origin.coco.path == str(moved / "notes.json")
    session.save_mask(np.ones(VOXELS.shape, np.uint8))
    session.save(always=True)
    session.close()
    stored = json.loads((moved / "work" / "head" / "session.json").read_text())
    assert stored["scan"]["paths"] == [str(scan)]
    found = find_session(moved / "work", "head", Source((scan,)))
    assert found is not None
    assert found.folder == moved / "work" / "head"


def test_another_scan_at_the_same_place_is_not_taken(disk: Path) -> None:
    moved = disk.rename(disk.with_name("elsewhere"))
    scan = moved / "scans" / "p1" / "head.tif"
    write_array(scan, VOXELS + 1, axes="ZYX")
    with pytest.raises(DataError, match=r"head\.tif, the scan of the session head, is missing"):
        Session.open(moved / "work" / "head")
    assert find_session(moved / "work", "head", Source((scan,))) is None


def test_a_session_of_another_system_is_found_too(disk: Path) -> None:
    file = disk / "work" / "head" / "session.json"
    values = json.loads(file.read_text())
    values["scan"]["paths"] = ["D:\\study\\scans\\p1\\head.tif"]
    file.write_text(json.dumps(values))
    session = Session.open(disk / "work" / "head")
    np.testing.assert_array_equal(np.asarray(session.scan.data), VOXELS)


def test_all_images_of_a_stack_move_along(tmp_path: Path) -> None:
    folder = tmp_path / "disk" / "images"
    folder.mkdir(parents=True)
    paths = [folder / f"{i}.png" for i in range(3)]
    for path, plane in zip(paths, VOXELS, strict=True):
        Image.fromarray(plane).save(path)
    data = lazy_stack(paths, VOXELS.shape[1:], np.uint8)
    scan = Scan(data, "NYX", names=tuple(p.name for p in paths), meta={"paths": tuple(paths)})
    Session.create(tmp_path / "disk" / "s", scan, TUMOUR, np.zeros(VOXELS.shape, np.uint8)).close()
    moved = (tmp_path / "disk").rename(tmp_path / "elsewhere")
    np.testing.assert_array_equal(np.asarray(Session.open(moved / "s").scan.data), VOXELS)
    (moved / "images" / "1.png").unlink()
    with pytest.raises(DataError, match="is missing"):
        Session.open(moved / "s")
