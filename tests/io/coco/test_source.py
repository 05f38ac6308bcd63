from __future__ import annotations

import copy
import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from napari_unet_seg.errors import ChangedError, ConflictError, DataError
from napari_unet_seg.io.coco.instances import draw_instances, instance_dtype
from napari_unet_seg.io.coco.raster import rasterise
from napari_unet_seg.io.coco.read import read_coco
from napari_unet_seg.io.coco.source import CocoSource
from napari_unet_seg.io.coco.write_back import find_edits, find_instance_edits

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from napari_unet_seg.io.coco.edit import Edit
    from napari_unet_seg.io.coco.merge.keys import Keep

Document = dict[str, Any]
SIZES = {1: (20, 30), 2: (24, 16)}
"""Height and width of the images by id."""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A file of two images of two sizes, with two annotations each."""
    boxes = ([2, 3, 12, 3, 12, 9, 2, 9], [3, 12, 9, 12, 9, 17, 3, 17])
    document = {
        "info": {"year": 2026},
        "images": [
            {"id": i, "file_name": f"{i}.png", "width": width, "height": height}
            for i, (height, width) in SIZES.items()
        ],
        "categories": [{"id": 4, "name": "lesion"}],
        "annotations": [
            {"id": 10 * i + n, "image_id": i, "category_id": 4, "segmentation": [box], "own": n}
            for i in SIZES
            for n, box in enumerate(boxes)
        ],
    }
    path = tmp_path / "a.json"
    path.write_text(json.dumps(document))
    return path


def _source(path: Path) -> CocoSource:
    return CocoSource(path, read_coco(path))


def _edits(source: CocoSource, mode: str, image_id: int, *changes: Any) -> dict[int, Edit]:
    """Return the edits of an image after `(rows, columns, value)` were drawn on its mask."""
    dataset = source.dataset()
    image = dataset.by_id[image_id]
    if mode == "instances":
        stack = np.zeros((1, image.height, image.width), instance_dtype(dataset, [image]))
        instances = draw_instances(dataset, [image], stack)
        kinds = dict.fromkeys(range(len(instances.rows) + 1, 10), dataset.categories[0])
        for rows, columns, value in changes:
            # A new object in the one mode is another component in the other.
            stack[0, rows, columns] = len(instances.rows) + 1 if value else 0
        return find_instance_edits(instances, {image_id: stack[0]}, kinds=kinds)
    mask = rasterise(dataset, image_id)
    for rows, columns, value in changes:
        mask[rows, columns] = value
    return find_edits(dataset, {image_id: mask})


ERASE = (slice(3, 5), slice(2, 12), 0)
"""Takes the upper rows of annotation n0 of each image."""
ADD = (slice(0, 2), slice(0, 3), 1)


def _other_program(path: Path, change: Callable[[Document], Any]) -> Document:
    document: Document = json.loads(path.read_text())
    change(document)
    path.write_text(json.dumps(document))
    return copy.deepcopy(document)


def _read(path: Path) -> dict[Any, Any]:
    return {a["id"]: a for a in json.loads(path.read_text())["annotations"]}


def test_a_file_is_read_once_as_it_was_when_the_masks_were_drawn(path: Path) -> None:
    source = CocoSource(path)
    dataset = source.dataset()
    _other_program(path, lambda d: d["annotations"].clear())
    assert source.dataset() is dataset
    path.unlink()
    with pytest.raises(DataError, match=r"a\.json"):
        CocoSource(path).dataset()


@pytest.mark.parametrize("mode", ["classes", "instances"])
@pytest.mark.parametrize("name", ["a.json", "new.json"])
def test_masks_saved_one_after_the_other_are_both_in_the_file(
    path: Path, mode: str, name: str
) -> None:
    before, source = _read(path), _source(path)
    for image_id in SIZES:
        source.save(_edits(source, mode, image_id, ERASE), path.with_name(name))
    after = _read(path.with_name(name))
    assert [after[i]["area"] for i in (10, 20)] == [40, 40]
    assert [after[i] for i in (11, 21)] == [before[i] for i in (11, 21)]
    source.save(_edits(source, mode, 1), path.with_name(name))
    again = _read(path.with_name(name))
    assert again[10] == before[10], "the erasing was undone in the one mask"
    assert again[20] == after[20], "the other mask was not given"


@pytest.mark.parametrize("mode", ["classes", "instances"])
def test_a_save_without_edits_leaves_the_other_programs_work(path: Path, mode: str) -> None:
    source = _source(path)

    def change(document: Document) -> None:
        document["info"]["year"] = 2027
        document["images"].append({"id": 3, "file_name": "3.png", "width": 9, "height": 9})
        document["annotations"][0]["own"] = "changed"
        del document["annotations"][1]
        new = {"id": 22, "image_id": 1, "category_id": 4, "bbox": [0, 0, 3, 3]}
        document["annotations"].append(new)

    theirs = _other_program(path, change)
    assert source.save(_edits(source, mode, 1), path) == 3
    assert json.loads(path.read_text()) == theirs
    assert source.save(_edits(source, mode, 1), path) == 0
    assert json.loads(path.read_text()) == theirs


@pytest.mark.parametrize("mode", ["classes", "instances"])
def test_edits_join_the_other_programs_changes_in_every_save(path: Path, mode: str) -> None:
    source = _source(path)
    edits = _edits(source, mode, 1, ERASE, ADD)
    source.save(edits, path)
    assert _read(path)[22]["area"] == 6

    def change(document: Document) -> None:
        by_id = {a["id"]: a for a in document["annotations"]}
        by_id[11]["own"] = "changed"
        document["annotations"].append({"id": 23, "image_id": 2, "category_id": 4})

    theirs = _other_program(path, change)
    for _ in range(2):
        source.save(edits, path)
        assert _read(path) == {a["id"]: a for a in theirs["annotations"]}


def test_two_programs_that_give_one_id_keep_both_annotations(path: Path) -> None:
    source = _source(path)
    edits = _edits(source, "classes", 1, ADD)
    old = path.read_text()
    source.save(edits, path)
    path.write_text(old)  # the other program had read the file before
    new = {"id": 22, "image_id": 2, "category_id": 4, "bbox": [0, 0, 3, 3]}
    _other_program(path, lambda d: d["annotations"].append(new))
    for _ in range(2):
        source.save(edits, path)
        after = _read(path)
        assert after[22] == new
        assert (after[23]["image_id"], after[23]["area"]) == (1, 6)
        assert len(after) == 6


def test_another_programs_change_of_a_new_annotation_is_kept(path: Path) -> None:
    source = _source(path)
    source.save(_edits(source, "classes", 1, ADD), path)
    _other_program(path, lambda d: d["annotations"][4].update(own="named"))
    source.save(_edits(source, "classes", 1, ADD), path)
    assert _read(path)[22]["own"] == "named"
    wider = (slice(0, 2), slice(0, 6), 1)
    with pytest.raises(ConflictError, match=r"annotation 22 of 1\.png: changed here, changed th"):
        source.save(_edits(source, "classes", 1, wider), path)


def test_a_new_annotation_keeps_its_id_when_it_is_edited_again(path: Path) -> None:
    source = _source(path)
    for columns, area in ((3, 6), (6, 12)):
        source.save(_edits(source, "classes", 1, (slice(0, 2), slice(0, columns), 1)), path)
        assert _read(path)[22]["area"] == area
        assert len(_read(path)) == 5


@pytest.mark.parametrize(
    ("theirs", "there"),
    [
        (lambda d: d["annotations"][0].update(own="changed"), "changed"),
        (lambda d: d["annotations"].pop(0), "deleted"),
    ],
)
@pytest.mark.parametrize("keep", ["mine", "theirs"])
@pytest.mark.parametrize("mode", ["classes", "instances"])
def test_the_user_chooses_where_both_changed_an_annotation(
    path: Path, mode: str, keep: Keep, theirs: Callable[[Document], Any], there: str
) -> None:
    source = _source(path)
    changed = _other_program(path, theirs)
    edits = _edits(source, mode, 1, ERASE) | _edits(source, mode, 2, ERASE)
    text = path.read_text()
    message = (
        rf"a\.json was not .* \(annotation 10 of 1\.png: changed here, {there} there\); choose"
    )
    with pytest.raises(ConflictError, match=message):
        source.save(edits, path)
    assert path.read_text() == text
    source.save(edits, path, keep=keep)
    source.save(edits, path)  # does not ask again
    after = _read(path)
    assert after[20]["area"] == 40
    if keep == "mine":
        assert (after[10]["area"], after[10]["own"]) == (40, 0)
    else:
        assert after.get(10) == next((a for a in changed["annotations"] if a["id"] == 10), None)


@pytest.mark.parametrize("keep", ["mine", "theirs"])
@pytest.mark.parametrize("lost", ["image", "size", "category"])
def test_what_an_edit_needs_is_not_lost_in_silence(path: Path, keep: Keep, lost: str) -> None:
    source = _source(path)
    old = json.loads(path.read_text())
    edits = _edits(source, "classes", 2, ADD)

    def change(document: Document) -> None:
        if lost == "category":
            document["categories"][0]["id"] = 5
        elif lost == "image":
            del document["images"][1]
        else:
            document["images"][1]["width"] = 99

    theirs = _other_program(path, change)
    with pytest.raises(ConflictError, match=r"1 annotation was"):
        source.save(edits, path)
    for how in (keep, None):
        source.save(edits, path, keep=how)
        after = json.loads(path.read_text())
        assert (after == theirs) is (keep == "theirs")
        if keep == "mine":
            assert after["annotations"][-1]["area"] == 6
            assert old["images"][1] in after["images"]
            assert old["categories"][0] in after["categories"]


def test_a_file_that_was_only_touched_is_not_changed(path: Path) -> None:
    source = _source(path)
    path.write_text(path.read_text())
    assert source.save(_edits(source, "classes", 1, ERASE), path) == 0


def test_a_second_file_has_the_changes_of_others_too(path: Path) -> None:
    source, out = _source(path), path.with_name("out.json")
    source.save(_edits(source, "classes", 1, ERASE), path)
    _other_program(path, lambda d: d["annotations"][3].update(own="changed"))
    source.save({}, out)
    assert _read(out) == _read(path)
    _other_program(out, lambda d: d["annotations"][2].update(own="here"))
    source.save({}, out)
    assert _read(out)[20]["own"] == "here"
    assert _read(path)[20]["own"] == 0


def test_masks_of_a_copy_are_compared_with_the_copy(path: Path) -> None:
    kept = path.with_name("copy.json")
    kept.write_text(path.read_text())
    new = {"id": 40, "image_id": 1, "category_id": 4, "segmentation": [[0, 0, 3, 0, 3, 2, 0, 2]]}
    _other_program(path, lambda d: d["annotations"].append(new))
    source = CocoSource(path, copy=kept)
    source.save(_edits(source, "classes", 1, ERASE), path)
    assert _read(path)[40] == new
    assert _read(path)[10]["area"] == 40


def test_a_file_that_two_sources_write_keeps_the_edits_of_both(path: Path) -> None:
    first, second = _source(path), _source(path)
    first.save(_edits(first, "classes", 1, ERASE), path)
    second.save(_edits(second, "instances", 2, ERASE), path)
    first.save(_edits(first, "classes", 1, ERASE), path)
    assert [_read(path)[i]["area"] for i in (10, 20)] == [40, 40]


def test_another_file_that_was_seen_is_not_replaced_after_a_change(path: Path) -> None:
    source, out = _source(path), path.with_name("out.json")
    out.write_text(path.read_text())
    _source(out)
    theirs = _other_program(out, lambda d: d["annotations"].clear())
    with pytest.raises(ChangedError, match=r"out\.json was not written"):
        source.save({}, out)
    assert json.loads(out.read_text()) == theirs
