from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from growth import LINEAR, growth
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image
from pycocotools import mask as coco_mask
from pycocotools.coco import COCO
from written_back import write_back

from napari_unet_seg.errors import DataError
from napari_unet_seg.io.coco.paths import clean_name, guess_folder, split_keys
from napari_unet_seg.io.coco.raster import rasterise
from napari_unet_seg.io.coco.read import read_coco
from napari_unet_seg.io.coco.report import inspect

# pycocotools 2.0.11 has not followed numpy 2 in what it hands to np.array.

WIDTH, HEIGHT = 12, 8
SQUARE = [2, 1, 6, 1, 6, 5, 2, 5]


def picture(path: Path, width=WIDTH, height=HEIGHT) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("L", (width, height), 90).save(path)
    return path


def entry(identity=1, file_name="a.png", **more):
    return {"id": identity, "file_name": file_name, "width": WIDTH, "height": HEIGHT, **more}


def note(segmentation, identity=1, category=1, image=1, **more):
    head = {"id": identity, "image_id": image, "category_id": category}
    return {**head, "segmentation": segmentation, "bbox": [2, 1, 4, 4], "area": 16, **more}


def write(folder: Path, images=None, annotations=(), categories=None, name="coco.json") -> Path:
    document = {
        "categories": [{"id": 1, "name": "lesion"}] if categories is None else categories,
        "images": [entry()] if images is None else images,
        "annotations": list(annotations),
    }
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_text(json.dumps(document))
    return path


@pytest.fixture
def square():
    mask = np.zeros((HEIGHT, WIDTH), np.uint8)
    mask[1:5, 2:6] = 1
    return mask


def test_every_dialect_of_a_segmentation_gives_the_same_mask(tmp_path, square):
    compressed = coco_mask.encode(np.asfortranarray(square))
    text = compressed["counts"].decode()
    counts = [17, 4, 4, 4, 4, 4, 4, 4, 51]
    size = [HEIGHT, WIDTH]
    dialects = [
        [SQUARE],
        SQUARE,
        [[float(v) for v in SQUARE]],
        [[2, 1, 4, 1, 4, 5, 2, 5], [4, 1, 6, 1, 6, 5, 4, 5]],
        {"size": size, "counts": text},
        {"size": size, "counts": counts},
        [{"size": size, "counts": counts}],
        {"counts": counts},
    ]
    images = [entry(i, f"{i}.png") for i in range(len(dialects))]
    annotations = [note(s, i, image=i, iscrowd=i % 2 == 0) for i, s in enumerate(dialects)]
    dataset = read_coco(write(tmp_path, images, annotations))
    for image in dataset.images:
        assert np.array_equal(rasterise(dataset, image.id), square)


@pytest.mark.parametrize(
    ("segmentation", "why"),
    [
        ([[1, 1, 4, 4]], "fewer than three points"),
        ([[1, 1, 4, 4, 5]], "odd count of numbers"),
        ([[1, 1, 4, 4, 5, 1, 2]], "odd count of numbers"),
        ([[20, 1, 24, 1, 24, 5]], "outside the image"),
        ([[1, -9, 4, -9, 4, -5]], "outside the image"),
        ([[1, 1, 1e9, 1, 4, 5]], "far outside the image"),
        ([[1, 1, 10**400, 1, 4, 5]], "far outside the image"),
        ([[1, 1, float("nan"), 1, 4, 5]], "other than numbers"),
        ([["1", 1, 2, 1, 4, 5]], "other than numbers"),
        ([[[1, 1], [2, 1], [4, 5]]], "other than numbers"),
        ([[1.1, 1.1, 1.2, 1.1, 1.2, 1.2]], "covers no pixel"),
        ("polygon", "neither polygons nor an RLE"),
        ({"size": [5, 5], "counts": [25]}, "for the size"),
        ({"size": [HEIGHT, WIDTH], "counts": [25]}, "does not cover"),
        ({"size": [HEIGHT, WIDTH]}, "no usable counts"),
        ([], "only a box"),
        (None, "only a box"),
    ],
)
def test_annotations_that_cannot_be_drawn_are_named_with_the_reason(tmp_path, segmentation, why):
    picture(tmp_path / "a.png")
    path = write(tmp_path, annotations=[note(segmentation, 5), note([SQUARE], 6)])
    dataset = read_coco(path)
    report = inspect(dataset)
    ((what, reason),) = report.skipped
    assert what == "annotation 5 of a.png"
    assert why in reason
    assert list(report.annotations.values()) == [1]
    assert np.count_nonzero(rasterise(dataset, 1)) == 16
    assert write_back(dataset, {1: rasterise(dataset, 1)})["annotations"][0] is not None


def test_a_broken_ring_leaves_the_others(tmp_path, square):
    picture(tmp_path / "a.png")
    dataset = read_coco(write(tmp_path, annotations=[note([[1, 1, 2, 2], SQUARE])]))
    assert np.array_equal(rasterise(dataset, 1), square)
    assert "fewer than three points" in inspect(dataset).skipped[0][1]


@pytest.mark.parametrize("box", [[10**400, 0, 1.5, 1], [1, 1, float("inf"), 2], [1, 2, 3], "no"])
def test_broken_boxes_are_reported(tmp_path, box):
    picture(tmp_path / "a.png")
    dataset = read_coco(write(tmp_path, annotations=[note([], bbox=box)]))
    assert len(inspect(dataset, boxes=True).skipped) == 1
    assert not rasterise(dataset, 1, boxes=True).any()


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_other_encodings_of_json_are_read(tmp_path, encoding):
    path = write(tmp_path, [entry(file_name="é.png")])
    path.write_text(path.read_text(), encoding=encoding)
    assert read_coco(path).images[0].file_name == "é.png"


def test_boxes_are_drawn_only_on_request(tmp_path, square):
    picture(tmp_path / "a.png")
    dataset = read_coco(write(tmp_path, annotations=[note([])]))
    assert not rasterise(dataset, 1).any()
    assert np.array_equal(rasterise(dataset, 1, boxes=True), square)
    assert inspect(dataset, boxes=True).skipped == ()


@pytest.mark.parametrize(
    ("category", "what"), [(99, "99"), (None, "None"), ([1], "[1]"), ("1", "'1'")]
)
def test_an_unknown_category_is_reported(tmp_path, category, what):
    picture(tmp_path / "a.png")
    dataset = read_coco(write(tmp_path, annotations=[note([SQUARE], category=category)]))
    expected = f"its category {what} is not in the file"
    assert inspect(dataset).skipped == (("annotation 1 of a.png", expected),)
    assert not rasterise(dataset, 1).any()


def test_categories_become_values_in_their_order(tmp_path):
    categories = [{"id": n, "name": f"c{n}"} for n in (300, 0, 7)]
    annotations = [note([SQUARE], 1, 0), note([[0, 6, 2, 6, 2, 8, 0, 8]], 2, 300)]
    dataset = read_coco(write(tmp_path, annotations=annotations, categories=categories))
    labels = rasterise(dataset, 1)
    assert [c.id for c in dataset.categories] == [300, 0, 7]
    assert (labels[2, 3], labels[7, 0], labels.dtype) == (2, 1, np.uint8)


def test_later_annotations_lie_on_top(tmp_path):
    categories = [{"id": 1, "name": "a"}, {"id": 2, "name": "b"}]
    small, large = [3, 2, 5, 2, 5, 4, 3, 4], SQUARE
    annotations = [note([small], 1, 1), note([large], 2, 2)]
    dataset = read_coco(write(tmp_path, annotations=annotations, categories=categories))
    assert set(np.unique(rasterise(dataset, 1))) == {0, 2}


@pytest.mark.parametrize(
    ("used", "above", "hidden"), [(1, "tumor", ["tumor"]), (0, "tumor", []), (1, "none", [])]
)
def test_roboflows_parent_is_hidden_only_where_unused(tmp_path, used, above, hidden):
    categories = [
        {"id": 0, "name": "tumor", "supercategory": "none"},
        {"id": 1, "name": "glioma", "supercategory": above},
    ]
    path = write(tmp_path, annotations=[note([SQUARE], category=used)], categories=categories)
    dataset = read_coco(path)
    assert [c.name for c in dataset.hidden] == hidden
    assert len(dataset.categories) + len(dataset.hidden) == 2


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "cannot be read as JSON"),
        ("{", "cannot be read as JSON"),
        ("\xff\xfe", "is not COCO|cannot be read"),
        ("[]", "is not COCO"),
        ("3", "is not COCO"),
        ('{"images": [], "annotations": {}}', "is not COCO"),
        ('{"images": [], "annotations": []}', "lists no usable image"),
        ('{"images": [{"id": 1}], "annotations": []}', "it has no file name"),
        ("[" * 100_000, "cannot be read as JSON"),
        ('{"images": ' + "9" * 5000 + "}", "cannot be read as JSON"),
    ],
)
def test_what_is_not_coco_is_refused_in_one_sentence(tmp_path, text, words):
    path = tmp_path / "file.json"
    path.write_text(text, encoding="latin-1")
    with pytest.raises(DataError, match=words) as caught:
        read_coco(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_missing_file_and_a_missing_folder_are_named(tmp_path):
    with pytest.raises(DataError, match=r"nothing\.json"):
        read_coco(tmp_path / "nothing.json")
    with pytest.raises(DataError, match=r"image folder .*nowhere does not exist"):
        read_coco(write(tmp_path), tmp_path / "nowhere")


def test_missing_broken_and_wrongly_sized_images_are_reported(tmp_path):
    names = ["good.png", "gone.png", "text.png", "wide.png"]
    picture(tmp_path / "good.png")
    picture(tmp_path / "wide.png", WIDTH + 1)
    (tmp_path / "text.png").write_text("no image")
    report = inspect(read_coco(write(tmp_path, [entry(i, n) for i, n in enumerate(names)])))
    assert (report.found, report.missing) == (3, ("gone.png",))
    assert [image.file_name for image in report.usable] == ["good.png"]
    assert dict(report.sizes) == {(HEIGHT, WIDTH): 1}
    reasons = dict(report.skipped)
    assert reasons["gone.png"] == "its file is missing"
    assert "text.png cannot be read as an image" in reasons["text.png"]
    assert "13 × 8" in reasons["wide.png"]
    assert "12 × 8" in reasons["wide.png"]


@pytest.mark.parametrize(
    "bad",
    [
        entry(2, "b.png", width=0),
        entry(2, "b.png", height="8"),
        entry(2, "b.png", width=10**9, height=10**9),
        entry([2], "b.png"),
        entry(1, "b.png"),
        entry(2, ".."),
        entry(2, None),
        "b.png",
    ],
)
def test_unusable_entries_are_left_out_and_reported(tmp_path, bad):
    dataset = read_coco(write(tmp_path, [entry(), bad], [note([SQUARE], image=77)]))
    assert [image.id for image in dataset.images] == [1]
    assert len(dataset.problems) == 2
    assert dataset.problems[1] == ("annotation entry 1", "its image is not in the file")


@pytest.mark.parametrize(
    "name",
    [
        "../../x.png",
        "a/../../x.png",
        "..\\x.png",
        "/etc/x.png",
        "C:\\x.png",
        "%2e%2e/x.png",
        "..%2fx.png",
        "..",
        "",
        ".",
        "a\0.png",
    ],
)
def test_names_that_leave_the_folder_are_refused(name):
    with pytest.raises(ValueError, match="its file name"):
        clean_name(name)


@pytest.mark.parametrize(
    ("stored", "written"),
    [
        ("a.png", "a.png"),
        ("sub/a.png", "sub/a.png"),
        ("sub/a.png", "sub\\a.png"),
        ("a b.png", "a%20b.png"),
        ("50%25.png", "50%25.png"),
        ("a.png", "elsewhere/deep/a.png"),
        ("é.png", "%C3%A9.png"),
        ("a.png", "./x/../a.png"),
        ("a.png", "C:\\Users\\me\\a.png"),
        ("sub/a.png", "D:/data/sub/a.png"),
        ("a.png", "..\\..\\media\\upload\\4\\a.png"),
        ("sub/a.png", "/data/local-files/sub/a.png"),
        ("a.png", "../images/a.png"),
        ("a.png", "https://host/bucket/a.png"),
        ("e\u0301.png", "\u00e9.png"),
        ("u\u0308/e\u0301.png", "/data/\u00fc/\u00e9.png"),
        ("\u00e9.png", "e\u0301.png"),
    ],
)
def test_names_as_exporters_write_them_are_found(tmp_path, stored, written):
    expected = picture(tmp_path / stored)
    (image,) = read_coco(write(tmp_path, [entry(file_name=written)])).images
    assert image.path is not None
    assert image.path.samefile(expected)
    assert image.file_name == written


def test_an_end_that_is_longer_tells_images_of_one_name_apart(tmp_path):
    names = [f"/data/{patient}/t1/a.png" for patient in ("p1", "p2")]
    expected = [picture(tmp_path / patient / "t1" / "a.png") for patient in ("p1", "p2")]
    dataset = read_coco(write(tmp_path, [entry(i, name) for i, name in enumerate(names)]))
    assert [image.path for image in dataset.images] == expected


@pytest.mark.parametrize("name", ["../a.png", "{folder}/a.png", "..\\a.png", "%2e%2e/a.png"])
def test_nothing_outside_the_image_folder_is_found(tmp_path, name):
    picture(tmp_path / "a.png")
    images = tmp_path / "inside"
    images.mkdir()
    path = write(tmp_path, [entry(file_name=name.format(folder=tmp_path))])
    assert [image.path for image in read_coco(path, images).images] == [None]


def test_two_images_never_share_one_file(tmp_path):
    picture(tmp_path / "a.png")
    path = write(tmp_path, [entry(1, "one/a.png"), entry(2, "two/a.png")])
    assert inspect(read_coco(path)).missing == ("one/a.png", "two/a.png")


@pytest.mark.parametrize(
    ("json_name", "image_name"),
    [
        ("train/_annotations.coco.json", "train/a.png"),
        ("annotations/instances_train2017.json", "train2017/a.png"),
        ("annotations/instances_val2017.json", "images/val2017/a.png"),
        ("annotations/instances_train.json", "train/a.png"),
        ("annotations/instances_train.json", "images/train/a.png"),
        ("annotations/instances_default.json", "images/a.png"),
        ("annotations/instances_default.json", "images/default/a.png"),
        ("annotations/train.json", "images/train/a.png"),
        ("result.json", "images/a.png"),
        ("annotations.json", "JPEGImages/a.png"),
        ("labels.json", "data/a.png"),
        ("coco.json", "train/a.png"),
        ("coco.json", "a.png"),
    ],
)
def test_the_image_folder_is_guessed(tmp_path, json_name, image_name):
    picture(tmp_path / "set" / image_name)
    picture(tmp_path / "set" / "images" / "other" / "b.png")
    path = tmp_path / "set" / json_name
    write(path.parent, name=path.name)
    dataset = read_coco(path)
    assert dataset.folder == (tmp_path / "set" / image_name).parent
    assert inspect(dataset).found == 1


def test_the_split_with_the_right_name_wins(tmp_path):
    for side in ("train", "val"):
        picture(tmp_path / side / "a.png")
    path = write(tmp_path / "annotations", name="instances_val.json")
    assert guess_folder(path, ["a.png"]) == tmp_path / "val"
    assert read_coco(path).split == "valid"
    assert split_keys(Path("instances_train2017.json"))[:2] == ["train2017", "train"]


def test_the_same_as_pycocotools_on_real_files(real_data):
    for path in sorted((real_data / "coco-dialects").rglob("*.json")):
        dataset, theirs = read_coco(path), COCO(path)
        assert inspect(dataset).missing == ()
        for image in dataset.images:
            expected = np.zeros((image.height, image.width), np.uint8)
            for a in theirs.loadAnns(theirs.getAnnIds(image.id)):
                if a["segmentation"]:
                    value = [c.id for c in dataset.categories].index(a["category_id"]) + 1
                    expected[theirs.annToMask(a) > 0] = value
            assert np.array_equal(rasterise(dataset, image.id), expected)
        unedited = {i.id: rasterise(dataset, i.id) for i in dataset.images}
        assert write_back(dataset, unedited) == json.loads(path.read_text())


def test_a_whole_real_data_set(real_data):
    dataset = read_coco(real_data / "tumorseg" / "valid" / "_annotations.coco.json")
    report = inspect(dataset)
    assert (report.found, report.missing, report.skipped) == (429, (), ())
    assert [c.name for c in dataset.hidden] == ["Tumor"]
    assert [c.id for c in dataset.categories] == [1, 2]
    theirs = COCO(dataset.path)
    for image in dataset.images[::40]:
        masks = [theirs.annToMask(a) for a in theirs.loadAnns(theirs.getAnnIds(image.id))]
        assert np.array_equal(rasterise(dataset, image.id) > 0, np.any(masks, axis=0))


@pytest.mark.slow
@pytest.mark.serial
def test_annotations_are_read_in_linear_time(tmp_path):
    def prepare(count):
        images = [entry(i, f"{i}.png") for i in range(count // 50)]
        rings = [[x, 1, x + 4, 1, x + 4, 5, x, 5] for x in range(8)]
        annotations = [note([rings[i % 8]], i, image=i % len(images)) for i in range(count)]
        (tmp_path / str(count)).mkdir()
        path = write(tmp_path / str(count), images, annotations)

        def work():
            dataset = read_coco(path)
            inspect(dataset)
            rasterise(dataset, 5)

        return work

    assert growth(prepare, 1_000) < LINEAR


json_values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5)),
    lambda children: st.one_of(
        st.lists(children, max_size=7),
        st.dictionaries(st.sampled_from(["size", "counts", "a"]), children, max_size=3),
    ),
    max_leaves=12,
)


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    st.lists(
        st.fixed_dictionaries(
            {},
            optional={
                "id": json_values,
                "image_id": st.one_of(st.just(1), json_values),
                "category_id": st.one_of(st.just(1), json_values),
                "segmentation": json_values,
                "bbox": json_values,
                "iscrowd": json_values,
            },
        ),
        max_size=4,
    ),
    st.fixed_dictionaries(
        {"id": json_values, "file_name": json_values, "width": json_values, "height": json_values}
    ),
    json_values,
)
def test_any_json_is_read_or_refused(tmp_path, annotations, image, categories):
    path = write(tmp_path, [entry(), image], annotations)
    document = json.loads(path.read_text())
    if categories is not None:
        document["categories"] = [{"id": 1, "name": "a"}, categories]
        path.write_text(json.dumps(document))
    dataset = read_coco(path)
    inspect(dataset, boxes=True)
    labels = rasterise(dataset, 1, boxes=True)
    labels[0, 0] = 0 if labels[0, 0] else 1
    result = write_back(dataset, {1: labels}, boxes=True)
    path.write_text(json.dumps(result))
    assert np.array_equal(rasterise(read_coco(path), 1, boxes=True), labels)
