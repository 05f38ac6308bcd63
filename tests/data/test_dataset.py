from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
import pytest
import tifffile
from PIL import Image

from napari_unet_seg.data.dataset import open_dataset
from napari_unet_seg.data.dataset_export import export_dataset
from napari_unet_seg.data.dataset_plan import join_categories, plan
from napari_unet_seg.data.dataset_write import write_dataset
from napari_unet_seg.data.description import read_description
from napari_unet_seg.errors import DataError
from napari_unet_seg.events import Command
from napari_unet_seg.io.coco.encode import Encoder
from napari_unet_seg.io.coco.read import read_coco

if TYPE_CHECKING:
    from pathlib import Path

SQUARE = [2, 1, 6, 1, 6, 5, 2, 5]


def picture(path: Path, value=90, size=(12, 8), fmt=None):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("L", size, value).save(path, fmt)
    return path


def coco_set(folder, names, categories=((1, "lesion"),), segmentation=None, category=1):
    """A COCO set beside its images, one annotation in each but the last."""
    folder.mkdir(parents=True)
    document = {
        "categories": [{"id": i, "name": n} for i, n in categories],
        "images": [
            {"id": i, "file_name": n, "width": 12, "height": 8} for i, n in enumerate(names)
        ],
        "annotations": [
            {"id": i, "image_id": i, "category_id": category, "bbox": [2, 1, 4, 4]}
            | {"segmentation": [SQUARE] if segmentation is None else segmentation}
            for i in range(max(1, len(names) - 1))
        ],
    }
    for name in names:
        picture(folder / name)
    path = folder / "_annotations.coco.json"
    path.write_text(json.dumps(document))
    return read_coco(path)


def finish(generator):
    """Run a generator to its end; return its events and its result."""
    events = []
    while True:
        try:
            events.append(next(generator))
        except StopIteration as stop:
            return events, stop.value


def test_a_single_file_is_split_and_read_back(tmp_path):
    coco = coco_set(tmp_path / "in", [f"{i}.png" for i in range(10)])
    out = tmp_path / "out"
    events, result = finish(write_dataset([coco], out, valid_fraction=0.3, test_fraction=0.2))
    assert result == out
    assert [(e.index, e.count, e.problem) for e in events] == [(i, 10, "") for i in range(1, 11)]
    samples = open_dataset(out)
    assert sorted(s.split for s in samples.samples) == ["test"] * 2 + ["train"] * 5 + ["valid"] * 3
    assert [c.name for c in samples.categories] == ["lesion"]
    expected = np.zeros((8, 12), np.uint8)
    expected[1:5, 2:6] = 1
    for sample in samples.samples:
        assert sample.image.read_bytes() == (tmp_path / "in" / sample.image.name).read_bytes()
        mask = tifffile.imread(sample.mask)
        assert mask.dtype == np.uint8
        assert np.array_equal(mask, expected * (sample.name != "9"))
        assert sample.mask.parts[-3:-1] == (sample.split, "masks")
    assert {p.name for p in tmp_path.iterdir()} == {"in", "out"}
    assert {p.name for p in out.iterdir()} == {"train", "valid", "test", "coco", "dataset.json"}


def test_the_split_follows_the_seed(tmp_path):
    coco = coco_set(tmp_path / "in", [f"{i}.png" for i in range(12)])

    def sides(seed):
        out = tmp_path / f"out{seed}{len(list(tmp_path.iterdir()))}"
        finish(write_dataset([coco], out, valid_fraction=0.5, seed=seed))
        return [s.split for s in open_dataset(out).samples]

    assert sides(1) == sides(1)
    assert sides(1) != sides(2)


def test_augmented_copies_of_an_image_stay_on_one_side(tmp_path):
    names = [f"{i}_jpg.rf.{copy}.png" for i in range(6) for copy in "abc"]
    coco = coco_set(tmp_path / "in", names)
    finish(write_dataset([coco], tmp_path / "out", valid_fraction=0.3))
    sides = {}
    for sample in open_dataset(tmp_path / "out").samples:
        sides.setdefault(sample.group, set()).add(sample.split)
    assert len(sides) == 6
    assert all(len(side) == 1 for side in sides.values())
    assert set().union(*sides.values()) == {"train", "valid"}


def test_several_files_keep_their_splits_and_join_categories_by_name(tmp_path):
    train = coco_set(tmp_path / "train", ["a.png", "b.png"], [(1, "x"), (2, "y")], category=2)
    valid = coco_set(tmp_path / "valid", ["a.png", "c.png"], [(0, "y"), (9, "z")], category=0)
    finish(write_dataset([train, valid], tmp_path / "out", valid_fraction=0.5))
    samples = open_dataset(tmp_path / "out")
    assert [(s.name, s.split) for s in samples.samples] == [
        ("a", "train"),
        ("b", "train"),
        ("a_2", "valid"),
        ("c", "valid"),
    ]
    assert [c.name for c in samples.categories] == ["x", "y", "z"]
    assert [tifffile.imread(s.mask).max() for s in samples.samples] == [2, 0, 2, 0]


def test_bad_images_are_left_out_with_their_reason(tmp_path):
    names = ["good.png", "gone.png", "cut.png", "wide.png", "last.png"]
    coco = coco_set(tmp_path / "in", names)
    (tmp_path / "in" / "gone.png").unlink()
    noise = np.random.default_rng(0).integers(0, 255, (8, 12), np.uint8)
    Image.fromarray(noise).save(tmp_path / "in" / "cut.png")
    cut = tmp_path / "in" / "cut.png"
    cut.write_bytes(cut.read_bytes()[:90])
    picture(tmp_path / "in" / "wide.png", size=(13, 8))
    coco = read_coco(coco.path)
    events, _ = finish(write_dataset([coco], tmp_path / "out"))
    problems = {e.name: e.problem for e in events}
    assert [problems["good.png"], problems["last.png"]] == ["", ""]
    assert problems["gone.png"] == "its file is missing"
    assert "cut.png cannot be read" in problems["cut.png"]
    assert "13 × 8" in problems["wide.png"]
    assert [s.name for s in open_dataset(tmp_path / "out").samples] == ["good", "last"]
    written = json.loads((tmp_path / "out" / "dataset.json").read_text())
    assert {name for name, _ in written["skipped"]} == {"gone.png", "cut.png", "wide.png"}


@pytest.mark.parametrize("close", [False, True])
def test_a_stopped_import_leaves_nothing(tmp_path, close):
    coco = coco_set(tmp_path / "in", ["a.png", "b.png", "c.png"])
    generator = write_dataset([coco], tmp_path / "out")
    next(generator)
    assert len(list(tmp_path.iterdir())) == 2
    if close:
        generator.close()
    else:
        with pytest.raises(StopIteration) as stop:
            generator.send(Command.STOP)
        assert stop.value.value is None
    assert [p.name for p in tmp_path.iterdir()] == ["in"]


def test_an_existing_folder_is_not_touched(tmp_path):
    coco = coco_set(tmp_path / "in", ["a.png"])
    (tmp_path / "out").mkdir()
    finish(write_dataset([coco], tmp_path / "out"))
    with pytest.raises(DataError, match="out exists already"):
        next(write_dataset([coco], tmp_path / "out"))


def test_a_file_where_the_folder_should_be_is_named(tmp_path):
    coco = coco_set(tmp_path / "in", ["a.png"])
    (tmp_path / "file").write_text("")
    with pytest.raises(DataError, match="file/out cannot be written"):
        next(write_dataset([coco], tmp_path / "file" / "out"))


@pytest.mark.parametrize(
    ("break_it", "words"),
    [
        (lambda folder: (folder / "a.png").unlink(), "No image of .* can be used .*missing"),
        (lambda folder: None, "No annotation of .* covers a pixel .*only a box"),
    ],
)
def test_an_empty_result_is_refused(tmp_path, break_it, words):
    coco = coco_set(tmp_path / "in", ["a.png"], segmentation=[])
    break_it(tmp_path / "in")
    with pytest.raises(DataError, match=words):
        finish(write_dataset([read_coco(coco.path)], tmp_path / "out"))
    assert [p.name for p in tmp_path.iterdir()] == ["in"]


def test_boxes_are_drawn_on_request(tmp_path):
    coco = coco_set(tmp_path / "in", ["a.png"], segmentation=[])
    finish(write_dataset([coco], tmp_path / "out", boxes=True))
    (sample,) = open_dataset(tmp_path / "out").samples
    assert tifffile.imread(sample.mask).sum() == 16


def test_paths_of_another_computer_give_short_names(tmp_path):
    path = coco_set(tmp_path / "set", ["a.png", "b.png"]).path
    document = json.loads(path.read_text())
    for image in document["images"]:
        image["file_name"] = f"C:\\Users\\somebody\\data\\{image['file_name']}"
    path.write_text(json.dumps(document))
    _, out = finish(write_dataset([read_coco(path)], tmp_path / "out"))
    samples = read_description(out).samples
    assert sorted(sample.name for sample in samples) == ["a", "b"]


def test_ids_that_are_texts_go_into_a_data_set_and_back(tmp_path):
    path = coco_set(tmp_path / "set", ["a.png", "b.png"]).path
    document = json.loads(path.read_text())
    for entry in document["images"]:
        entry["id"] = f"image-{entry['id']}"
    for note in document["annotations"]:
        note |= {"id": "n", "image_id": f"image-{note['image_id']}", "category_id": "lesion"}
    document["categories"] = [{"id": "lesion", "name": "lesion"}]
    path.write_text(json.dumps(document))
    _, out = finish(write_dataset([read_coco(path)], tmp_path / "out"))
    assert [category.id for category in open_dataset(out).categories] == ["lesion"]
    (written,) = export_dataset(out, tmp_path / "back", Encoder())
    assert json.loads(written.read_text()) == document


def test_many_images_of_one_name_get_numbers(tmp_path):
    path = coco_set(tmp_path / "set", ["a.png", "A.PNG", "a_2.png"]).path
    dataset = read_coco(path)
    items, _ = plan([dataset], join_categories([dataset.categories])[1], boxes=False)
    assert [item.sample.name for item in items] == ["a", "A_2", "a_2_2"]


def test_folders_and_suffixes_in_names_do_not_collide(tmp_path):
    names = ["p1/a.png", "p1_a.png", "p1/a.jpg", "P1/A.bmp"]
    coco = coco_set(tmp_path / "in", names[1:2])
    document = coco.document | {
        "images": [{"id": i, "file_name": n, "width": 12, "height": 8} for i, n in enumerate(names)]
    }
    for name in names:
        picture(tmp_path / "in" / name)
    coco.path.write_text(json.dumps(document))
    finish(write_dataset([read_coco(coco.path)], tmp_path / "out"))
    samples = open_dataset(tmp_path / "out").samples
    assert [s.name for s in samples] == ["p1_a", "p1_a_2", "p1_a_3", "P1_A_4"]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda d: d.update(version=2), "version"),
        (lambda d: d.update(samples=[]), "lists no sample"),
        (lambda d: d["samples"][0].update(image="../x.png"), "leaves the image folder"),
        (lambda d: d["samples"][0].update(mask="train/masks/gone.tif"), "gone.tif is missing"),
        (lambda d: d["samples"][0].update(split="sideways"), "split"),
        (lambda d: d.pop("categories"), "categories"),
    ],
)
def test_a_damaged_description_is_refused(tmp_path, change, words):
    finish(write_dataset([coco_set(tmp_path / "in", ["a.png"])], tmp_path / "out"))
    path = tmp_path / "out" / "dataset.json"
    document = json.loads(path.read_text())
    change(document)
    path.write_text(json.dumps(document))
    with pytest.raises(DataError, match=words):
        open_dataset(tmp_path / "out")
    path.write_text("{")
    with pytest.raises(DataError, match="cannot be read as JSON"):
        open_dataset(tmp_path / "out")


def pairs(folder, values, suffix=".png", end=""):
    for name, value in values.items():
        picture(folder / "images" / f"{name}.jpg")
        mask = np.zeros((8, 12), np.uint8)
        mask[2:4, 2:4] = value
        (folder / "masks").mkdir(exist_ok=True)
        Image.fromarray(mask).save(folder / "masks" / f"{name}{end}{suffix}")


@pytest.mark.parametrize(
    ("values", "names"),
    [
        ({"a": 255, "b": 0}, ["foreground"]),
        ({"a": 1}, ["foreground"]),
        ({"a": 1, "b": 3}, ["label 1", "label 2", "label 3"]),
        ({"a": 2, "b": 255}, ["label 1", "label 2"]),
    ],
)
@pytest.mark.parametrize("suffix", [".png", ".tif"])
def test_pairs_without_a_description(tmp_path, values, names, suffix):
    pairs(tmp_path, values, suffix, end="_mask")
    samples = open_dataset(tmp_path)
    assert [s.name for s in samples.samples] == sorted(values)
    assert [c.name for c in samples.categories] == names
    assert {s.split for s in samples.samples} == {None}


def test_pairs_in_split_folders(tmp_path):
    for side, name in (("train", "a"), ("val", "b"), ("test", "c")):
        (tmp_path / side).mkdir()
        pairs(tmp_path / side, {name: 255})
    sides = {s.name: s.split for s in open_dataset(tmp_path).samples}
    assert sides == {"a": "train", "b": "valid", "c": "test"}


@pytest.mark.parametrize(
    ("break_it", "words"),
    [
        (lambda f: (f / "masks" / "a.png").unlink(), "a.jpg has no mask"),
        (lambda f: (f / "images" / "a.jpg").unlink(), "a.png has no image"),
        (lambda f: picture(f / "masks" / "a.png", 0, (12, 9)), r"a.png has the shape \(9, 12\)"),
        (lambda f: picture(f / "images" / "a.png"), "differ only in their suffix"),
        (lambda f: picture(f / "masks" / "a.png", 0), "No mask of .* labelled pixel"),
        (lambda f: (f / "masks" / "a.png").write_text("x"), "a.png cannot be read"),
        (
            lambda f: Image.new("RGB", (12, 8), "red").save(f / "masks" / "a.png"),
            "give a grey mask",
        ),
        (
            lambda f: Image.fromarray(np.full((8, 12), 300, np.uint16)).save(f / "masks/a.png"),
            "other than 0 to 255",
        ),
    ],
)
def test_broken_pairs_are_refused(tmp_path, break_it, words):
    pairs(tmp_path, {"a": 255})
    break_it(tmp_path)
    with pytest.raises(DataError, match=words):
        open_dataset(tmp_path)


def test_what_is_no_data_set_is_refused(tmp_path):
    with pytest.raises(DataError, match="holds no scans"):
        open_dataset(tmp_path)
    with pytest.raises(DataError, match="is not a folder"):
        open_dataset(tmp_path / "nowhere")


def test_a_real_roboflow_set(real_data, tmp_path):
    coco = read_coco(real_data / "tumorseg" / "valid" / "_annotations.coco.json")
    generator = write_dataset([coco], tmp_path / "out")
    for event in generator:
        assert event.problem == ""
        assert event.count == 429
        if event.index == 20:
            break
    with pytest.raises(StopIteration):
        generator.send(Command.STOP)
    assert list(tmp_path.iterdir()) == []


def test_mirrored_copies_stay_on_one_side_and_are_told(tmp_path):
    names = [f"{i}{kind}.png" for i in range(6) for kind in "ab"]
    coco = coco_set(tmp_path / "in", names)
    for i in range(6):
        noise = np.random.default_rng(i).integers(0, 255, (8, 12), np.uint8)
        Image.fromarray(noise).save(tmp_path / "in" / f"{i}a.png")
        Image.fromarray(noise[:, ::-1]).save(tmp_path / "in" / f"{i}b.png")
    finish(write_dataset([coco], tmp_path / "out", valid_fraction=0.3, test_fraction=0.2))
    sides = {s.name: s.split for s in open_dataset(tmp_path / "out").samples}
    assert {sides[f"{i}a"] == sides[f"{i}b"] for i in range(6)} == {True}
    assert set(sides.values()) == {"train", "valid", "test"}
    note = read_description(tmp_path / "out").note
    assert note.startswith("12 slices are near-copies of others (also mirrored or rotated), in 6")
