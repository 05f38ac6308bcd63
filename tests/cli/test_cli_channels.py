"""Scans of several channels, and files of one grid in different places, in the program."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import nibabel as nib
import numpy as np
import pytest
import tifffile

from napari_unet_seg.cli import main
from napari_unet_seg.config import NormaliseConfig
from napari_unet_seg.data.cache import channel_note, read_sample
from napari_unet_seg.data.pairs import read_pairs
from napari_unet_seg.data.samples import Sample
from napari_unet_seg.io.read import read_scan

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

ROOM = np.random.default_rng(0).integers(1, 900, (3, 32, 40)).astype(np.uint16)
INVERSE = (900 - ROOM).astype(np.uint16)


def write_scans(folder: Path) -> dict[str, Path]:
    """Write one channel, two channels as a hyperstack, and two as an OME-Zarr."""
    zarr = pytest.importorskip("zarr")
    files = {name: folder / f"{name}" for name in ("one.tif", "other.tif", "two.tif", "two.zarr")}
    tifffile.imwrite(files["one.tif"], ROOM, imagej=True, metadata={"axes": "ZYX"})
    tifffile.imwrite(files["other.tif"], INVERSE, imagej=True, metadata={"axes": "ZYX"})
    both = np.stack([ROOM, INVERSE], 1)
    tifffile.imwrite(files["two.tif"], both, imagej=True, metadata={"axes": "ZCYX"})
    group = zarr.open_group(files["two.zarr"], mode="w", zarr_format=2)
    group.create_array("0", shape=(2, *ROOM.shape), dtype=ROOM.dtype)[:] = [ROOM, INVERSE]
    axes = [{"name": "c", "type": "channel"}, *({"name": n, "type": "space"} for n in "zyx")]
    scale = [{"type": "scale", "scale": [1, 1, 1, 1]}]
    level = {"path": "0", "coordinateTransformations": scale}
    group.attrs["multiscales"] = [{"version": "0.4", "axes": axes, "datasets": [level]}]
    return files


def predict(capsys: Any, tmp_path: Path, *arguments: object) -> tuple[dict[str, Any], str]:
    out = tmp_path / "out"
    given = ["predict", *map(str, arguments), "--out", str(out), "--probabilities", "--json"]
    assert main([*given, "--device", "cpu", "--set", "precision=float32"]) == 0
    told = capsys.readouterr()
    found = json.loads(told.out)["results"]
    maps = {r["input"]: read_scan(r["probabilities"]).data for r in found}
    return maps, told.err


def test_one_scan_gives_one_mask_whatever_file_holds_it(
    tmp_path: Path, capsys: Any, make_checkpoint: Callable[..., Path]
) -> None:
    files, model = write_scans(tmp_path), make_checkpoint()
    maps, said = predict(capsys, tmp_path, *files.values(), "--model", model)
    one, other, *both = (maps[str(path)] for path in files.values())
    assert not np.array_equal(one, other)
    for other_file in both:
        np.testing.assert_array_equal(other_file, one)
    assert said.count("the first is used. Choose another by --channel.") == 2
    maps, said = predict(capsys, tmp_path, *files.values(), "--model", model, "--channel", "2")
    for path in list(files.values())[1:]:
        np.testing.assert_array_equal(maps[str(path)], other)
    assert "is used" not in said


def test_training_takes_the_channel_that_prediction_takes(tmp_path: Path) -> None:
    files = write_scans(tmp_path)
    mask = np.zeros(ROOM.shape, np.uint8)
    normalise = NormaliseConfig()
    images = {
        name: read_sample(Sample(name, path, mask, name), 1, normalise)[0]
        for name, path in files.items()
    }
    np.testing.assert_array_equal(images["two.tif"], images["one.tif"])
    np.testing.assert_array_equal(images["two.zarr"], images["one.tif"])
    array = Sample("array", np.stack([ROOM, INVERSE], -1), mask, "array")
    np.testing.assert_array_equal(read_sample(array, 1, normalise)[0], images["one.tif"])
    (note,) = channel_note([Sample("two", files["two.tif"], mask, "two")], 1)
    assert note == "two.tif: Of 2 channels (1: channel 1, 2: channel 2) the first is used."
    assert channel_note([Sample("one", files["one.tif"], mask, "one")], 1) == []


def save(path: Path, array: Any, shift: float) -> None:
    affine = np.diag([-1.0, -1, 3, 1])
    affine[0, 3] = shift
    path.parent.mkdir(parents=True, exist_ok=True)
    nib.save(nib.Nifti1Image(array, affine), path)


@pytest.mark.parametrize("shift", [0.0, 0.05, 7.0])
def test_files_of_one_grid_in_different_places_are_told(
    tmp_path: Path, capsys: Any, shift: float
) -> None:
    mask = np.zeros((16, 18, 4), np.uint8)
    mask[4:9, 5:9] = 1
    for name in ("a", "b"):
        save(tmp_path / "set" / "images" / f"{name}.nii.gz", mask.astype(np.int16), 0)
        save(tmp_path / "set" / "masks" / f"{name}.nii.gz", mask, shift)
        save(tmp_path / "pred" / f"{name}.nii.gz", mask, 0)
    notes = read_pairs(tmp_path / "set").notes
    given = ["--pred", str(tmp_path / "pred"), "--truth", str(tmp_path / "set" / "masks")]
    assert main(["evaluate", *given]) == 0
    said = capsys.readouterr().out
    if shift < 1:
        assert (notes, "mm apart" in said) == ((), False)
        return
    assert "the same voxels lie up to 7 mm apart" in notes[0]
    assert notes[1] == "The same holds for 1 more mask."
    assert said.replace("\n", " ").count("7 mm apart") == 2
