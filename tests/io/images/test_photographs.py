from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from PIL import Image

from napari_unet_seg.errors import DataError
from napari_unet_seg.io.images import photographs as image_files
from napari_unet_seg.io.images.photographs import image_layout, image_size, lazy_stack, read_image

if TYPE_CHECKING:
    from pathlib import Path

GREY = np.arange(35, dtype=np.uint8).reshape(5, 7) * 7
COLOUR = np.stack([GREY, GREY[::-1], GREY[:, ::-1]], axis=-1)


def save(path: Path, array: Any, mode: str | None = None, **options: Any) -> Path:
    image = Image.fromarray(array)
    (image.convert(mode) if mode else image).save(path, **options)
    return path


@pytest.mark.parametrize(
    ("name", "array", "axes"),
    [
        ("a.png", GREY, "YX"),
        ("a.bmp", GREY, "YX"),
        ("a.png", GREY.astype(np.uint16) * 300, "YX"),
        ("a.png", COLOUR, "YXC"),
        ("a.png", np.dstack([COLOUR, GREY]), "YXC"),
        ("a.tif", GREY.astype(np.float32) / 3, "YX"),
        ("a.tif", GREY.astype(np.uint16) * 300, "YX"),
    ],
)
def test_pixels_are_read_as_they_are(tmp_path: Path, name: str, array: Any, axes: str) -> None:
    path = save(tmp_path / name, array)
    scan = read_image(path)
    np.testing.assert_array_equal(scan.data, array)
    assert (scan.data.dtype, scan.axes, scan.path) == (array.dtype, axes, path)
    assert image_layout(path) == (array.shape, array.dtype)


@pytest.mark.parametrize(
    ("mode", "suffix", "expected"),
    [
        ("1", ".png", np.where(GREY > 127, 255, 0)),
        ("LA", ".png", GREY),
        ("CMYK", ".jpg", np.dstack([GREY] * 3)),
    ],
)
def test_other_modes(tmp_path: Path, mode: str, suffix: str, expected: Any) -> None:
    path = tmp_path / f"a{suffix}"
    image = Image.fromarray(GREY).convert(mode, dither=Image.Dither.NONE)
    image.save(path, **({"quality": 100} if suffix == ".jpg" else {}))
    scan = read_image(path)
    np.testing.assert_allclose(scan.data, expected, atol=3 if suffix == ".jpg" else 0)
    assert image_layout(path) == (expected.shape, np.uint8)


@pytest.mark.parametrize("transparency", [None, b"\0\x80"])
def test_a_palette_becomes_its_colours(tmp_path: Path, transparency: bytes | None) -> None:
    image = Image.fromarray(GREY % 3, mode=None).convert("P")
    image.putpalette([10, 20, 30, 40, 50, 60, 70, 80, 90])
    options = {} if transparency is None else {"transparency": transparency}
    image.putdata((GREY % 3).ravel().tolist())
    image.save(tmp_path / "a.png", **options)
    palette = np.array([[10, 20, 30], [40, 50, 60], [70, 80, 90]], np.uint8)
    np.testing.assert_array_equal(read_image(tmp_path / "a.png").data, palette[GREY % 3])
    assert image_layout(tmp_path / "a.png")[0] == (5, 7, 3)


# What the stored array must undergo to be upright, from the EXIF standard's table.
@pytest.mark.parametrize("suffix", [".png", ".jpg"])
@pytest.mark.parametrize(
    ("orientation", "upright"),
    [
        (1, GREY),
        (2, GREY[:, ::-1]),
        (3, GREY[::-1, ::-1]),
        (4, GREY[::-1]),
        (5, GREY.T),
        (6, np.rot90(GREY, -1)),
        (7, np.rot90(GREY, 2).T),
        (8, np.rot90(GREY)),
        (9, GREY),
    ],
)
def test_exif_orientation_is_honoured(
    tmp_path: Path, suffix: str, orientation: int, upright: Any
) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = save(tmp_path / f"a{suffix}", GREY, exif=exif, quality=100)
    np.testing.assert_allclose(read_image(path).data, upright, atol=3)
    assert image_size(path) == upright.shape


def test_damaged_exif_leaves_the_image_as_it_is(tmp_path: Path) -> None:
    path = save(tmp_path / "a.png", GREY, exif=b"Exif\0\0rubbish")
    np.testing.assert_array_equal(read_image(path).data, GREY)


@pytest.mark.parametrize("name", ["a.png", "a.jpg", "a.bmp", "a.tif"])
def test_a_truncated_image_is_named(tmp_path: Path, name: str) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (64, 64), np.uint8)
    path = save(tmp_path / name, noise)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(DataError, match=f"{name}.*copy it again"):
        read_image(path)


@pytest.mark.parametrize("content", [b"", b"no image", b"\x89PNG\r\n\x1a\n"])
def test_what_is_no_image_is_named(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.png").write_bytes(content)
    for read in (read_image, image_size):
        with pytest.raises(DataError, match=r"a\.png cannot be read as an image"):
            read(tmp_path / "a.png")


def test_a_missing_image_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"gone\.png does not exist"):
        image_size(tmp_path / "gone.png")


def test_the_size_needs_the_header_only(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (64, 48), np.uint8)
    path = save(tmp_path / "a.png", noise)
    path.write_bytes(path.read_bytes()[:60])
    assert image_size(path) == (64, 48)


def test_a_stack_reads_each_file_when_it_is_looked_at(tmp_path: Path) -> None:
    paths = [save(tmp_path / f"{i}.png", GREY + i) for i in range(3)]
    paths.append(tmp_path / "missing.png")
    stack = lazy_stack(paths, GREY.shape, np.uint8)
    assert (stack.shape, stack.dtype, stack.numblocks) == ((4, 5, 7), np.uint8, (4, 1, 1))
    np.testing.assert_array_equal(stack[1:3].compute(), [GREY + 1, GREY + 2])
    with pytest.raises(DataError, match=r"missing\.png does not exist"):
        stack[3].compute()


def test_a_stack_takes_grey_and_colour(tmp_path: Path) -> None:
    paths = [save(tmp_path / "grey.png", GREY), save(tmp_path / "colour.png", COLOUR)]
    coloured = lazy_stack(paths, COLOUR.shape, np.uint8).compute()
    np.testing.assert_array_equal(coloured, [np.dstack([GREY] * 3), COLOUR])
    grey = lazy_stack(paths, GREY.shape, np.uint8).compute()
    luminance = COLOUR @ [0.299, 0.587, 0.114]
    np.testing.assert_allclose(grey, [GREY, luminance], atol=0.51)


@pytest.mark.parametrize("array", [GREY[:4], GREY.astype(np.uint16) * 300])
def test_an_image_that_changed_is_refused(tmp_path: Path, array: Any) -> None:
    stack = lazy_stack([save(tmp_path / "a.png", array)], GREY.shape, np.uint8)
    with pytest.raises(DataError, match=r"a\.png is now .*import the data set again"):
        stack.compute()


def test_two_stacks_of_the_same_files_do_not_share_a_cache(tmp_path: Path) -> None:
    path = save(tmp_path / "a.png", GREY)
    first = lazy_stack([path], GREY.shape, np.uint8)
    second = lazy_stack([path], COLOUR.shape, np.uint8)
    assert first.name != second.name


def test_of_a_big_data_set_no_file_is_read_to_stack_it(
    real_data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    paths = sorted((real_data / "tumorseg" / "train").glob("*.jpg"))
    assert len(paths) == 1502
    layout, opened, real = image_layout(paths[0]), [], image_files._pixels

    def pixels(path: Path) -> Any:
        opened.append(path)
        return real(path)

    monkeypatch.setattr(image_files, "_pixels", pixels)
    stack = lazy_stack(paths, *layout)
    assert stack.shape[:3] == (1502, 640, 640)
    assert not opened
    assert stack[7].compute().std() > 1
    assert opened == [paths[7]]
