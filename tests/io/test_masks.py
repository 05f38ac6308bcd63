"""A mask file means the same to every command: labels, two levels, or soft edges."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import nibabel
import numpy as np
import pytest
import tifffile
from PIL import Image
from scipy.ndimage import gaussian_filter

from napari_unet_seg.cli import main
from napari_unet_seg.config import NormaliseConfig
from napari_unet_seg.data.cache import read_sample
from napari_unet_seg.data.dataset import open_dataset
from napari_unet_seg.errors import DataError
from napari_unet_seg.evaluation.mask_sources import open_masks
from napari_unet_seg.io.coco.raster import rasterise
from napari_unet_seg.io.coco.read import read_coco
from napari_unet_seg.io.images.tiff import tiff_layout
from napari_unet_seg.io.read import read_labels, read_scan

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Save = Callable[[Path, np.ndarray], Any]

MASK = np.zeros((48, 40), np.uint8)
MASK[8:30, 6:26] = 1
TWO = MASK.copy()
TWO[34:44, 20:38] = 2
COLOURS = [0, 0, 0, 128, 0, 0, 0, 128, 0] + [0] * 759


def palette(path: Path, labels: np.ndarray) -> None:
    image = Image.fromarray(labels).convert("P")
    image.putdata(labels.ravel().tolist())
    image.putpalette(COLOURS)
    image.save(path)


SOFT = gaussian_filter(MASK * 255.0, 1.2).astype(np.uint8)


def soft(path: Path, _: np.ndarray = MASK) -> None:
    Image.fromarray(SOFT).save(path)


KINDS: dict[str, tuple[str, Save, np.ndarray]] = {
    "one bit": ("m.tif", lambda f, m: Image.fromarray(m > 0).save(f), MASK),
    "one bit, white is zero": ("m.tif", lambda f, m: tifffile.imwrite(f, m > 0), MASK),
    "one bit, compressed": (
        "m.tif",
        lambda f, m: tifffile.imwrite(f, m > 0, compression="zlib"),
        MASK,
    ),
    "palette PNG": ("m.png", palette, TWO),
    "palette TIFF": ("m.tif", palette, TWO),
    "float TIFF": ("m.tif", lambda f, m: tifffile.imwrite(f, m.astype(np.float32)), TWO),
    "0 and 255": ("m.png", lambda f, m: Image.fromarray(m * 255).save(f), MASK),
    "0 and 65535": ("m.png", lambda f, m: Image.fromarray(m * np.uint16(65535)).save(f), MASK),
    "labels": ("m.png", lambda f, m: Image.fromarray(m).save(f), TWO),
    "soft edges": ("m.png", soft, (SOFT >= 128).astype(np.uint8)),
}


@pytest.fixture(params=KINDS)
def dataset(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Path, np.ndarray]:
    """A folder with an image and its mask, and the labels in the mask."""
    name, save, labels = KINDS[request.param]
    for folder in ("images", "masks"):
        (tmp_path / folder).mkdir()
    Image.fromarray(labels * 80 + 20).save(tmp_path / "images" / "m.png")
    save(tmp_path / "masks" / name, labels)
    return tmp_path, labels


def test_training_evaluation_and_export_read_the_same(dataset, capsys) -> None:
    folder, labels = dataset
    samples = open_dataset(folder)
    assert len(samples.categories) == labels.max()
    np.testing.assert_array_equal(read_sample(samples.samples[0], 1, NormaliseConfig())[1], labels)
    np.testing.assert_array_equal(open_masks(folder / "masks").load("m").data, labels)
    assert main(["export", str(folder / "masks"), "--out", str(folder / "m.json")]) == 0
    coco = read_coco(folder / "m.json")
    np.testing.assert_array_equal(rasterise(coco, coco.images[0].id), labels)


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int16])
def test_a_volume_is_read_as_a_slice_is(tmp_path: Path, dtype: type) -> None:
    volume = np.stack([TWO, TWO * 0, TWO]).transpose(2, 1, 0)
    nibabel.save(nibabel.Nifti1Image(volume.astype(dtype), np.eye(4)), tmp_path / "m.nii")
    labels = read_labels(tmp_path / "m.nii").data
    assert sorted(np.unique(labels)) == [0, 1, 2] and np.count_nonzero(labels == 2) == 360


def test_labels_beyond_float32_are_kept_or_refused(tmp_path: Path) -> None:
    values = np.zeros((4, 4, 4))
    values[0], values[1] = 312782546, 312782547
    for dtype in (np.float64, np.int64):
        image = nibabel.Nifti1Image(values.astype(dtype), np.eye(4), dtype=dtype)
        nibabel.save(image, tmp_path / "m.nii.gz")
        found = np.unique(read_labels(tmp_path / "m.nii.gz").data)
        assert found.tolist() == [0, 312782546, 312782547]
    nibabel.save(nibabel.Nifti1Image(values.astype(np.float32), np.eye(4)), tmp_path / "m.nii.gz")
    with pytest.raises(DataError, match=r"m\.nii\.gz stores labels above 16777216 as float32"):
        read_labels(tmp_path / "m.nii.gz")


@pytest.mark.parametrize("scale", [1e60, 1e-60, 2.0**25])
def test_intensities_beyond_float32_stay_apart(tmp_path: Path, scale: float) -> None:
    values = np.arange(64.0).reshape(4, 4, 4) * scale
    nibabel.save(nibabel.Nifti1Image(values, np.eye(4), dtype=np.float64), tmp_path / "s.nii")
    assert len(np.unique(read_scan(tmp_path / "s.nii").data)) == 64


@pytest.mark.parametrize("name", ["m.jpg", "m.png", "m.tif"])
def test_a_jpeg_is_no_mask_whatever_its_name(tmp_path: Path, name: str) -> None:
    for folder in ("images", "masks"):
        (tmp_path / folder).mkdir()
    Image.fromarray(MASK * 80).save(tmp_path / "images" / "m.png")
    path = tmp_path / "masks" / name
    if name.endswith(".tif"):
        Image.fromarray(MASK * 255).save(path, compression="jpeg")
    else:
        Image.fromarray(MASK * 255).save(path, "JPEG")
    for read in (read_labels, lambda _: open_dataset(tmp_path)):
        with pytest.raises(DataError, match=rf"{name} is a JPEG, which blurs the labels"):
            read(path)
    assert read_scan(path).data.max() > 200


def test_a_slice_of_few_pixels_is_read_as_the_others_of_its_folder(tmp_path: Path) -> None:
    soft(tmp_path / "a.png")
    tiny = np.zeros_like(MASK)
    tiny[20, 20], tiny[20, 21] = 90, 140
    Image.fromarray(tiny).save(tmp_path / "b.png")
    labels = read_labels(tmp_path / "b.png")
    np.testing.assert_array_equal(labels.data, tiny >= 128)
    assert labels.meta["soft"]


@pytest.mark.parametrize(("other", "unreviewed"), [(TWO, True), (MASK, False), (MASK * 255, False)])
def test_255_is_a_level_or_unreviewed_as_in_the_folder(
    tmp_path: Path, other: np.ndarray, unreviewed: bool
) -> None:
    Image.fromarray(other).save(tmp_path / "a.png")
    Image.fromarray(MASK * 255).save(tmp_path / "b.png")
    assert read_labels(tmp_path / "b.png").data.max() == (255 if unreviewed else 1)


def test_an_image_is_no_mask(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 256, MASK.shape).astype(np.uint8)
    Image.fromarray(noise).save(tmp_path / "m.png")
    with pytest.raises(DataError, match=r"m\.png holds the grey values of an image.*give a mask"):
        read_labels(tmp_path / "m.png")


@pytest.mark.parametrize("coloured", [False, True])
def test_a_scan_with_a_palette_is_read_as_it_looks(tmp_path: Path, coloured: bool) -> None:
    grey = (TWO * 100).astype(np.uint8)
    ramp = np.arange(256, dtype=np.uint16) ^ 0x55
    table = np.stack([ramp * 257] * 3)
    if coloured:
        table[0] = 0
    tifffile.imwrite(tmp_path / "s.tif", grey ^ 0x55, photometric="palette", colormap=table)
    scan = read_scan(tmp_path / "s.tif")
    expected = np.stack([grey * 0, grey, grey], -1) if coloured else grey
    np.testing.assert_array_equal(scan.data, expected)
    assert scan.axes == ("YXC" if coloured else "YX")
    assert tiff_layout(tmp_path / "s.tif") == (scan.data.shape, scan.data.dtype)


def test_evaluation_says_what_was_cut_and_left_out_once(tmp_path: Path, capsys) -> None:
    for side in ("p", "t"):
        (tmp_path / side).mkdir()
    for name in "ab":
        soft(tmp_path / "p" / f"{name}.png")
        Image.fromarray(np.where(TWO == 2, 255, TWO * 3)).save(tmp_path / "t" / f"{name}.tif")
    arguments = ["--pred", str(tmp_path / "p"), "--truth", str(tmp_path / "t"), "--foreground"]
    assert main(["evaluate", *arguments]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "2 predicted masks with soft edges" in said and said.count("soft edges") == 1
    assert f"{2 * np.count_nonzero(TWO == 2)} pixels of the value 255 in 2 true masks" in said
