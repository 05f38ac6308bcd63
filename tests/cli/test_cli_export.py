"""`export`: COCO in one file or back into its own ones, its options, and masks of 0 and 255."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import tifffile
from PIL import Image
from pycocotools.coco import COCO

from napari_unet_seg.cli import main
from napari_unet_seg.config import Category
from napari_unet_seg.evaluation.mask_sources import open_masks
from napari_unet_seg.io.coco.raster import rasterise
from napari_unet_seg.io.coco.read import read_coco
from napari_unet_seg.io.images.tiff import read_tiff, write_labels

if TYPE_CHECKING:
    from pathlib import Path

SHAPE = HEIGHT, WIDTH = 30, 40


def box(x: int, y: int, width: int, height: int) -> list[list[float]]:
    return [[x, y, x + width, y, x + width, y + height, x, y + height]]


def write_part(folder: Path, names: list[str], categories: list[dict[str, Any]]) -> Path:
    """A COCO file of one split, with keys of its own and an annotation below another."""
    folder.mkdir(parents=True)
    images, annotations = [], []
    for number, name in enumerate(names, 1):
        Image.fromarray(np.full(SHAPE, 9 * number, np.uint8)).save(folder / name)
        images.append({"id": number, "file_name": name, "width": WIDTH, "height": HEIGHT})
        first, last = categories[0]["id"], categories[-1]["id"]
        shapes = [(first, box(3.25, 3, 4, 4)), (last, box(2, 2, 8, 9)), (first, box(20, 5, 6, 6))]
        annotations += [
            {
                "id": 100 * number + i,
                "image_id": number,
                "category_id": category,
                "segmentation": shape,
                "own": [i],
            }
            for i, (category, shape) in enumerate(shapes)
        ]
    document = {
        "info": {"year": 2020},
        "images": images,
        "categories": categories,
        "annotations": annotations,
    }
    path = folder / "_annotations.coco.json"
    path.write_text(json.dumps(document))
    return path


@pytest.fixture
def parts(tmp_path: Path) -> list[Path]:
    """Two splits that number the same categories differently."""
    glioma, oedema = {"name": "glioma"}, {"name": "oedema"}
    return [
        write_part(
            tmp_path / "set" / "train",
            ["a.png", "b.png"],
            [{"id": 3, **glioma}, {"id": 8, **oedema}],
        ),
        write_part(
            tmp_path / "set" / "valid", ["c.png"], [{"id": 0, **oedema}, {"id": 300, **glioma}]
        ),
    ]


@pytest.fixture
def dataset(parts: list[Path], tmp_path: Path) -> Path:
    assert main(["import", *map(str, parts), "--out", str(tmp_path / "dataset")]) == 0
    return tmp_path / "dataset"


def run(*arguments: object) -> int:
    return main([str(a) for a in ("export", *arguments)])


def change(mask: Path, rows: slice, columns: slice, value: int) -> None:
    stored = read_tiff(mask)
    labels = np.array(stored.data)
    labels[rows, columns] = value
    write_labels(mask, labels, axes="YX", description=stored.meta["description"])


def test_a_data_set_goes_back_into_its_own_files(
    parts: list[Path], dataset: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()
    assert run(dataset, "--out", tmp_path / "out", "--json") == 0
    files = json.loads(capsys.readouterr().out)["files"]
    written = [tmp_path / "out" / split / "_annotations.coco.json" for split in ("train", "valid")]
    assert files == [str(path) for path in written]
    for before, after in zip(parts, written, strict=True):
        assert after.read_text() == before.read_text()


def test_an_edited_mask_changes_one_annotation_of_its_file(
    parts: list[Path], dataset: Path, tmp_path: Path
) -> None:
    change(dataset / "valid" / "masks" / "c.tif", slice(5, 8), slice(26, 28), 2)  # oedema, beside
    assert run(dataset, "--out", tmp_path / "out") == 0
    train, valid = (tmp_path / "out" / s / "_annotations.coco.json" for s in ("train", "valid"))
    assert train.read_text() == parts[0].read_text()
    before, after = (json.loads(p.read_text())["annotations"] for p in (parts[1], valid))
    assert before[:2] == after[:2]
    assert (after[2]["id"], after[2]["own"], after[2]["area"]) == (102, [2], 42)


def test_a_category_that_the_file_lacks_is_told_and_nothing_is_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    parts = [
        write_part(tmp_path / "set" / split, [name], [{"id": 1, "name": category}])
        for split, name, category in (("train", "a.png", "glioma"), ("valid", "b.png", "cyst"))
    ]
    assert main(["import", *map(str, parts), "--out", str(tmp_path / "dataset")]) == 0
    change(tmp_path / "dataset" / "train" / "masks" / "a.tif", slice(0, 2), slice(0, 2), 2)
    capsys.readouterr()
    assert run(tmp_path / "dataset", "--out", tmp_path / "out") == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert f"a.png holds cyst, which is not a category of {parts[0]}; add" in line
    assert not (tmp_path / "out").exists()


def test_boxes_that_were_drawn_stay_boxes(tmp_path: Path) -> None:
    path = write_part(tmp_path / "set", ["a.png"], [{"id": 1, "name": "glioma"}])
    document = json.loads(path.read_text())
    document["annotations"].append(
        {"id": 9, "image_id": 1, "category_id": 1, "bbox": [30, 20, 5, 5], "segmentation": []}
    )
    path.write_text(json.dumps(document))
    assert main(["import", str(path), "--boxes", "--out", str(tmp_path / "dataset")]) == 0
    assert run(tmp_path / "dataset", "--out", tmp_path / "out") == 0
    assert (tmp_path / "out" / "_annotations.coco.json").read_text() == path.read_text()


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["masks", "--out", "out"], "name that ends with .json"),
        (["masks", "--out", "out.json", "--format", "binary"], "give --out a folder"),
        (["masks", "--out", "out.json", "--set", "segmentation=lines"], "segmentation"),
        (["masks", "--out", "out.json", "--set", "tolerance=-1"], "tolerance"),
    ],
)
def test_wrong_options_are_told_in_a_line(
    arguments: list[str],
    reason: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "masks").mkdir()
    write_labels(tmp_path / "masks" / "a.tif", np.eye(5, dtype=np.uint8), axes="YX")
    assert run(*arguments) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert reason in line
    assert sorted(p.name for p in tmp_path.iterdir()) == ["masks"]


def test_a_data_set_of_other_origin_needs_a_json_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for part in ("images", "masks"):
        (tmp_path / "set" / "train" / part).mkdir(parents=True)
    tifffile.imwrite(tmp_path / "set" / "train" / "images" / "a.tif", np.zeros(SHAPE, np.uint8))
    write_labels(
        tmp_path / "set" / "train" / "masks" / "a.tif", np.eye(30, 40, dtype=np.uint8), axes="YX"
    )
    assert run(tmp_path / "set", "--out", tmp_path / "out") == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert ".json" in line
    assert not (tmp_path / "out").exists()


def test_options_of_the_encoding(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ring = np.ones((9, 9), np.uint8)
    ring[4, 4] = 0
    ring[0, 0] = 0
    (tmp_path / "masks").mkdir()
    write_labels(tmp_path / "masks" / "ring.tif", ring, axes="YX")
    write_labels(tmp_path / "masks" / "pair.tif", np.diag([1, 1]).astype(np.uint8), axes="YX")

    def export(*options: str) -> list[Any]:
        assert run(tmp_path / "masks", "--out", tmp_path / "a.json", *options) == 0
        return [
            a["segmentation"] for a in json.loads((tmp_path / "a.json").read_text())["annotations"]
        ]

    pair, holed = export()
    assert (len(pair), isinstance(holed, dict)) == (2, True)
    assert all(isinstance(s, dict) for s in export("--set", "segmentation=rle"))
    capsys.readouterr()
    pair, holed = export("--set", "segmentation=polygons")
    assert (len(pair), len(holed)) == (2, 2)
    assert "1 mask with holes was cut into polygons" in capsys.readouterr().err
    assert len(export("--set", "neighbours=4")) == 3


def test_masks_of_0_and_255_in_a_folder_for_each_category(
    parts: list[Path], dataset: Path, tmp_path: Path
) -> None:
    out = tmp_path / "binary"
    assert run(parts[0], "--out", out, "--format", "binary") == 0
    files = sorted(p.relative_to(out).as_posix() for p in out.rglob("*.tif"))
    assert files == ["glioma/a.tif", "glioma/b.tif", "oedema/a.tif", "oedema/b.tif"]
    labels = rasterise(read_coco(parts[0]), 1)
    for value, name in enumerate(("glioma", "oedema"), 1):
        mask = tifffile.imread(out / name / "a.tif")
        assert mask.dtype == np.uint8
        np.testing.assert_array_equal(mask, np.where(labels == value, 255, 0))


def test_masks_of_0_and_255_come_back_as_labels(tmp_path: Path) -> None:
    (tmp_path / "masks").mkdir()
    volume = np.zeros((3, *SHAPE), np.uint8)
    volume[1:, 4:9, 5:20] = 1
    volume[0, 0, 0] = 255  # not reviewed
    write_labels(tmp_path / "masks" / "scan.tif", volume, axes="ZYX")
    assert run(tmp_path / "masks", "--out", tmp_path / "out", "--format", "binary") == 0
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == [
        f"scan_000{i}.tif" for i in range(3)
    ]
    source = open_masks(tmp_path / "out")
    for index, name in enumerate(source.names):
        np.testing.assert_array_equal(source.load(name).data, volume[index] == 1)
    assert run(tmp_path / "out", "--out", tmp_path / "again.json") == 0
    assert [a["area"] for a in COCO(tmp_path / "again.json").dataset["annotations"]] == [75, 75]


def test_binary_masks_of_one_name_are_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write_part(tmp_path / "set", ["a.png", "A.bmp"], [{"id": 1, "name": "x"}])
    assert run(path, "--out", tmp_path / "out", "--format", "binary") == 2
    assert "rename one of the images" in capsys.readouterr().err


def test_the_file_that_stood_there_is_kept(tmp_path: Path) -> None:
    from napari_unet_seg.io.images.binary_masks import write_binary_masks

    category = [Category(id=1, name="x")]
    for value in (0, 1):
        write_binary_masks([("s/a.nii.gz", np.full((4, 5), value))], category, tmp_path)
    assert tifffile.imread(tmp_path / "s" / "a.tif").max() == 255
    assert tifffile.imread(tmp_path / "s" / "a.bak.tif").max() == 0


def test_overlaps_are_told_on_import(
    parts: list[Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["import", str(parts[0]), "--out", str(tmp_path / "a")]) == 0
    told = capsys.readouterr().out
    assert "In 2 images later annotations cover 2 others, 2 of them completely" in told
    assert main(["import", str(parts[0]), "--out", str(tmp_path / "b"), "--json"]) == 0
    (file,) = json.loads(capsys.readouterr().out)["files"]
    assert file["overlaps"] == {"images": 2, "partly": 0, "wholly": 2}


@pytest.mark.parametrize("keep", ["mine", "theirs"])
def test_what_changed_in_the_coco_file_since_the_import_is_kept(
    parts: list[Path], dataset: Path, capsys: pytest.CaptureFixture[str], keep: str
) -> None:
    valid = parts[1]
    document = json.loads(valid.read_text())
    before = document["annotations"][1]
    document["annotations"][1] = before | {"own": "changed"}
    document["annotations"].append({**before, "id": 900, "bbox": [0, 0, 2, 2]})
    valid.write_text(json.dumps(document))
    change(dataset / "valid" / "masks" / "c.tif", slice(5, 8), slice(26, 28), 2)
    out = valid.parent.parent
    for _ in range(2):
        assert run(dataset, "--out", out) == 0
        after = json.loads(valid.read_text())["annotations"]
        assert after[1]["own"] == "changed"
        assert (after[2]["id"], after[2]["area"]) == (102, 42)
        assert after[-1]["id"] == 900
    document["annotations"][2]["own"] = "changed"
    change(dataset / "valid" / "masks" / "c.tif", slice(5, 8), slice(28, 29), 2)
    valid.write_text(json.dumps(document))
    capsys.readouterr()
    assert run(dataset, "--out", out) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "annotation 102 of c.png: changed here, changed there" in line
    assert run(dataset, "--out", out, "--keep", keep) == 0
    after = json.loads(valid.read_text())["annotations"]
    document["annotations"][2] = after[2] if keep == "mine" else document["annotations"][2]
    assert after == document["annotations"]
    assert (after[2].get("area") == 45) is (keep == "mine")


def test_a_data_set_goes_back_though_its_coco_files_are_gone(
    parts: list[Path], dataset: Path, tmp_path: Path
) -> None:
    texts = [path.read_text() for path in parts]
    for path in parts:
        path.unlink()
    assert run(dataset, "--out", tmp_path / "out") == 0
    written = [tmp_path / "out" / s / "_annotations.coco.json" for s in ("train", "valid")]
    assert [path.read_text() for path in written] == texts


def test_a_file_of_another_program_is_not_replaced(
    parts: list[Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "masks").mkdir()
    write_labels(tmp_path / "masks" / "a.tif", np.eye(5, dtype=np.uint8), axes="YX")
    text = parts[0].read_text()
    assert run(tmp_path / "masks", "--out", parts[0]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert f"{parts[0]} exists and was not written by this program" in line
    assert parts[0].read_text() == text


@pytest.mark.parametrize("options", [("annotations.json",), ("binary", "--format", "binary")])
def test_ids_of_an_atlas_are_no_numbers_of_categories(
    options: tuple[str, ...], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "masks").mkdir()
    write_labels(tmp_path / "masks" / "atlas.tif", np.eye(5, dtype=np.uint32) * 70_000, axes="YX")
    place, *more = options
    assert run(tmp_path / "masks", "--out", tmp_path / place, *more) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert f"The mask atlas of {tmp_path / 'masks'} holds the label 70000" in line
    assert line.endswith("number the labels from 1.")
