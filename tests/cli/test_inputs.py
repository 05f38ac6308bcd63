"""Which files of a folder are scans, and which are masks beside them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import nibabel
import numpy as np
import pytest
import tifffile

from napari_unet_seg.cli import main
from napari_unet_seg.cli._inputs import list_inputs
from napari_unet_seg.io.cases.channels import read_channels
from napari_unet_seg.io.common.scan import Scan
from napari_unet_seg.io.images.tiff import write_array
from napari_unet_seg.io.provenance import provenance
from napari_unet_seg.io.write import write_mask

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("names", "masks"),
    [
        (["a.tif", "a_mask.tif"], ["a_mask.tif"]),
        (["a.png", "a_masks.tif", "b.tif"], ["a_masks.tif"]),
        (
            ["a.nii.gz", "a_seg.nii.gz", "a_label.nii", "a_labels.nii"],
            ["a_label.nii", "a_labels.nii", "a_seg.nii.gz"],
        ),
        (["a.nii.gz", "a_labels.ome.tif"], ["a_labels.ome.tif"]),
        (["a_mask.tif", "b_mask.tif"], []),
        (["a.tif", "a_mask_2.tif", "amask.tif"], ["a_mask_2.tif"]),
    ],
)
def test_masks_beside_their_scans_are_left_out(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], names: list[str], masks: list[str]
) -> None:
    for name in names:
        (tmp_path / name).touch()
    expected = sorted(tmp_path / name for name in names if name not in masks)
    assert sorted(item.path for item in list_inputs([tmp_path])[0]) == expected
    told = capsys.readouterr().err
    assert all(name in told for name in masks)
    assert ("left out" in told) is bool(masks)


def test_a_mask_that_is_named_itself_is_segmented(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    paths = [tmp_path / "a.tif", tmp_path / "a_mask.tif"]
    for path in paths:
        path.touch()
    assert [item.path for item in list_inputs(paths)[0]] == paths
    assert capsys.readouterr().err == ""


def test_results_of_an_earlier_prediction_are_no_scans(tmp_path: Path) -> None:
    scan = Scan(np.zeros((8, 8), np.uint8), "YX")
    for name in ("a.tif", "out/b.tif"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        tifffile.imwrite(tmp_path / name, scan.data)
    results = [tmp_path / "out/a.tif", tmp_path / "out/uncertainty/a.tif"]
    write_mask(results[0], scan.data, scan, provenance(None, ()))
    results[1].parent.mkdir()
    write_array(
        results[1], scan.data.astype(np.float32), axes="YX", description=provenance(None, ())
    )

    found = [item.path for item in list_inputs([tmp_path], out=tmp_path / "out")[0]]
    assert found == [tmp_path / "a.tif", tmp_path / "out/b.tif"]
    assert [item.path for item in list_inputs([tmp_path])[0]] == found


@pytest.mark.parametrize(
    ("command", "told"), [("predict", "1 case."), ("train", "1 case."), ("evaluate", "1 case.")]
)
def test_plan_needs_nothing_but_the_folder(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], command: str, told: str
) -> None:
    for name in ("a.nii.gz", "a_mask.nii.gz", "b_mask.nii.gz"):
        (tmp_path / name).touch()
    sides = ["--pred", str(tmp_path), "--truth", str(tmp_path)]
    arguments = sides if command == "evaluate" else [str(tmp_path)]
    assert main([command, *arguments, "--plan"]) == 0

    printed = capsys.readouterr().out
    assert told in printed
    assert "left out: b_mask.nii.gz (named as a mask, and no scan has its name)" in printed


def test_a_sequence_of_a_file_with_channels(tmp_path: Path) -> None:
    (tmp_path / "imagesTr").mkdir()
    data = np.random.default_rng(0).random((5, 4, 3, 2)).astype(np.float32)
    nibabel.save(nibabel.Nifti1Image(data, np.eye(4)), tmp_path / "imagesTr/c.nii.gz")
    described = {"channel_names": {"0": "FLAIR", "1": "T1"}, "labels": {"background": 0, "x": 1}}
    (tmp_path / "dataset.json").write_text(json.dumps(described), encoding="utf-8")

    [[item], _] = list_inputs([tmp_path], "T1")
    np.testing.assert_array_equal(
        np.sort(read_channels(item.channels).data, None), np.sort(data[..., 1], None)
    )
    assert item.name == "c_T1"


def test_two_stacks_of_a_folder_are_two_inputs(tmp_path: Path) -> None:
    (tmp_path / "A").mkdir()
    for kind, value in (("flair", 1), ("t1ce", 2)):
        for number in range(3):
            plane = np.full((8, 8), value, np.uint8)
            tifffile.imwrite(tmp_path / f"A/{kind}_{number}.tif", plane)

    inputs, _ = list_inputs([tmp_path])
    assert [item.name for item in inputs] == ["A_FLAIR", "A_T1c"]
    assert [int(np.asarray(read_channels(item.channels).data).max()) for item in inputs] == [1, 2]
