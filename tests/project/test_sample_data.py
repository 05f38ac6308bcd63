"""The sample data: what the script writes is what lies in the repository, and it is exact."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import nibabel as nib
import numpy as np
import pytest
from PIL import Image
from pycocotools.coco import COCO

if TYPE_CHECKING:
    from types import ModuleType

FOLDER = Path(__file__).parents[2] / "sample_data"
SPLITS = ("train", "valid")


@pytest.fixture
def script(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(FOLDER)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    import make_phantoms

    return make_phantoms


@pytest.fixture(params=SPLITS)
def coco(request: pytest.FixtureRequest, capsys: pytest.CaptureFixture[str]) -> COCO:
    return COCO(FOLDER / "coco" / request.param / "_annotations.coco.json")


def files(folder: Path) -> dict[str, Path]:
    patterns = ("coco/*/*.png", "coco/*/*.json", "*.nii.gz", "patients/*/*.nii.gz")
    found = [path for pattern in patterns for path in folder.glob(pattern)]
    return {str(path.relative_to(folder)): path for path in found}


def test_running_it_again_writes_the_same_bytes(
    script: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(script, "SUBJECTS", {"valid": script.SUBJECTS["valid"][:1]})
    volume = np.arange(2 * 3 * 4, dtype=np.int16).reshape(2, 3, 4)
    runs = []
    for now in (0.0, 1e9):
        monkeypatch.setattr("time.time", lambda now=now: now)
        folder = tmp_path / f"at-{now:.0f}"
        script.write_coco(folder / "coco")
        script.write_nifti(folder / f"{now:.0f}.nii.gz", volume, (3.0, 1.5, 1.5))
        runs.append([path.read_bytes() for path in files(folder).values()])
    assert len(runs[0]) == 5
    assert sorted(runs[0]) == sorted(runs[1])


@pytest.mark.slow
def test_the_repository_holds_what_the_script_writes(tmp_path: Path) -> None:
    command = [sys.executable, "-B", str(FOLDER / "make_phantoms.py"), str(tmp_path)]
    subprocess.run(command, check=True, timeout=300)
    fresh, kept = files(tmp_path), files(FOLDER)
    assert fresh.keys() == kept.keys()
    different = [n for n in fresh if fresh[n].read_bytes() != kept[n].read_bytes()]
    assert all(nearly_the_same(fresh[name], kept[name]) for name in different), different


def nearly_the_same(new: Path, old: Path) -> bool:
    """Sines differ in the last bit on another processor, and so may a rare grey level."""
    one, other = content(new), content(old)
    if isinstance(one, np.ndarray):
        return one.shape == other.shape and np.count_nonzero(one != other) <= one.size // 10_000
    return outline(one) == outline(other)


def outline(document: dict[str, Any]) -> Any:
    parts = [(a["image_id"], a["category_id"]) for a in document["annotations"]]
    return document["categories"], document["images"], parts


def content(path: Path) -> Any:
    if path.suffix == ".json":
        return json.loads(path.read_text(encoding="utf-8"))
    return np.asarray(Image.open(path) if path.suffix == ".png" else nib.load(path).dataobj)


def test_all_of_it_is_small() -> None:
    assert sum(path.stat().st_size for path in files(FOLDER).values()) < 3.5e6


def test_coco_holds_slices_of_several_subjects() -> None:
    names = [path.name for path in FOLDER.glob("coco/*/*.png")]
    assert len(names) == len(set(names)) == 24
    subjects = [{p.name.split("_")[0] for p in FOLDER.glob(f"coco/{s}/*.png")} for s in SPLITS]
    assert [len(s) for s in subjects] == [6, 2]
    assert not subjects[0] & subjects[1], "a subject on both sides of the split"


def test_annotations_are_as_pycocotools_counts_them(coco: COCO) -> None:
    for image in coco.loadImgs(coco.getImgIds()):
        covered = np.zeros((image["height"], image["width"]), int)
        for annotation in coco.loadAnns(coco.getAnnIds(image["id"])):
            mask = coco.annToMask(annotation)
            rows, columns = (np.flatnonzero(mask.any(axis)) for axis in (1, 0))
            top, left = rows[0], columns[0]
            box = [left, top, columns[-1] - left + 1, rows[-1] - top + 1]
            assert (mask.sum(), box) == (annotation["area"], annotation["bbox"])
            covered += mask
        assert covered.max(initial=0) <= 1, "annotations overlap"


def test_category_ids_are_no_label_values(coco: COCO) -> None:
    assert {c["id"]: c["name"] for c in coco.loadCats(coco.getCatIds())} == {
        3: "tumour",
        7: "oedema",
    }


def test_there_are_polygons_rings_and_a_slice_without_lesion() -> None:
    documents = [content(FOLDER / "coco" / s / "_annotations.coco.json") for s in SPLITS]
    kinds = {type(a["segmentation"]) for d in documents for a in d["annotations"]}
    assert kinds == {list, dict}
    train = documents[0]
    annotated = {a["image_id"] for a in train["annotations"]}
    empty = [i["file_name"] for i in train["images"] if i["id"] not in annotated]
    assert empty == ["phantom-04_slice-3.png"]


def test_masks_come_back_exactly(script: ModuleType) -> None:
    coco = COCO(FOLDER / "coco" / "valid" / "_annotations.coco.json")
    head, heights = script.SUBJECTS["valid"][0]
    for number, (image, tumour, oedema) in enumerate(script.slices(head, heights), 1):
        name = f"phantom-07_slice-{number}.png"
        assert np.array_equal(content(FOLDER / "coco" / "valid" / name), image)
        (known,) = (i for i in coco.loadImgs(coco.getImgIds()) if i["file_name"] == name)
        for category, truth in ((script.TUMOUR, tumour), (script.OEDEMA, oedema)):
            found = coco.loadAnns(coco.getAnnIds(known["id"], catIds=[category]))
            masks = [coco.annToMask(annotation).astype(bool) for annotation in found]
            assert np.array_equal(np.logical_or.reduce(masks), truth)


def test_the_scan_is_anisotropic_and_its_truth_on_the_same_grid() -> None:
    scan = nib.load(FOLDER / "phantom-scan.nii.gz")
    truth = nib.load(FOLDER / "phantom-scan_truth.nii.gz")
    assert scan.shape == truth.shape == (112, 136, 48)
    assert scan.header.get_zooms() == (1.5, 1.5, 3.0)
    assert scan.header.get_xyzt_units()[0] == "mm"
    assert nib.aff2axcodes(scan.affine) == ("L", "A", "S")
    assert np.array_equal(scan.affine, truth.affine)
    assert scan.get_data_dtype() == np.int16
    assert set(np.unique(truth.dataobj)) == {0, 1}


def test_the_scan_looks_like_mri_after_contrast() -> None:
    scan = content(FOLDER / "phantom-scan.nii.gz").astype(float)
    tumour = content(FOLDER / "phantom-scan_truth.nii.gz") > 0
    air = np.median(scan[:5, :5])
    brain = np.median(scan[40:72, 40:90, 20:36][~tumour[40:72, 40:90, 20:36]])
    assert air < 0.15 * brain
    assert np.percentile(scan[tumour], 90) > 1.2 * brain, "the rim does not enhance"
    assert np.percentile(scan[tumour], 10) < 0.7 * brain, "there is no darker core"
    assert np.percentile(scan, 99) > 1.5 * brain, "there is no bright fat"
