from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from PIL import Image

from napari_unet_seg.errors import DataError
from napari_unet_seg.io.common.planes import Planes
from napari_unet_seg.io.images.tiff import (
    read_description,
    read_tiff,
    tiff_layout,
    write_array,
    write_labels,
)
from napari_unet_seg.io.read import read_labels

VOLUME = np.arange(3 * 4 * 5, dtype=np.uint16).reshape(3, 4, 5)

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=5,
)
sizes = st.floats(1e-3, 1e3)


@st.composite
def grids(draw: st.DrawFn) -> tuple[Any, str, tuple[float, ...], str]:
    axes = draw(st.sampled_from(["YX", "ZYX", "NYX", "TYX", "TZYX", "ZTYX", "TNYX", "NZYX"]))
    dtype = draw(st.sampled_from([np.bool_, np.uint8, np.uint16, np.uint32, np.int32, np.int64]))
    shape = draw(st.tuples(*[st.integers(1, 5)] * len(axes)))
    top = min(int(np.iinfo(dtype).max) if dtype is not np.bool_ else 1, 2**32 - 1)
    elements = st.booleans() if dtype is np.bool_ else st.integers(0, top)
    labels = draw(hnp.arrays(dtype, shape, elements=elements))
    spacing = draw(st.tuples(*[sizes] * len(axes)))
    return labels, axes, spacing, draw(st.sampled_from(["mm", "µm", "pixel"]))


@settings(max_examples=150, deadline=None)
@given(grids(), st.dictionaries(st.text(max_size=5), json_values, max_size=3))
def test_labels_come_back_as_they_were(grid: Any, provenance: dict[str, Any]) -> None:
    labels, axes, spacing, unit = grid
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "mask.tif"
        write_labels(path, labels, axes=axes, spacing=spacing, unit=unit, description=provenance)
        scan = read_tiff(path)
        assert read_description(path) == provenance == scan.meta["description"]
        assert tiff_layout(path) == (labels.shape, scan.data.dtype)
    np.testing.assert_array_equal(scan.data, labels)
    assert (scan.axes, scan.spacing, scan.unit) == (axes, spacing, unit)


@pytest.mark.parametrize(
    ("highest", "dtype"),
    [
        (0, np.uint8),
        (255, np.uint8),
        (256, np.uint16),
        (65_535, np.uint16),
        (65_536, np.uint32),
        (2**32 - 1, np.uint32),
    ],
)
def test_the_smallest_dtype_that_fits(tmp_path: Path, highest: int, dtype: Any) -> None:
    labels = np.array([[0, highest]], np.int64)
    write_labels(tmp_path / "m.tif", labels, axes="YX")
    stored = tifffile.imread(tmp_path / "m.tif")
    assert stored.dtype == dtype
    np.testing.assert_array_equal(stored, labels)


@pytest.mark.parametrize(
    ("labels", "reason"),
    [
        (np.array([[-1]]), "from -1 to -1"),
        (np.array([[2**32]]), "4294967296"),
        (np.array([[1.0]]), "float64"),
    ],
)
def test_what_are_no_labels_is_refused(tmp_path: Path, labels: Any, reason: str) -> None:
    with pytest.raises(DataError, match=reason):
        write_labels(tmp_path / "m.tif", labels, axes="YX")
    assert not list(tmp_path.iterdir())


def test_imagej_finds_axes_and_voxel_size(tmp_path: Path) -> None:
    spacing = (2.5, 0.5, 0.25)
    write_labels(tmp_path / "m.tif", VOLUME, axes="ZYX", spacing=spacing, unit="mm")
    with tifffile.TiffFile(tmp_path / "m.tif") as file:
        assert file.is_imagej
        assert file.series[0].axes == "ZYX"
        assert file.imagej_metadata is not None
        assert file.imagej_metadata["slices"] == 3
        assert (file.imagej_metadata["spacing"], file.imagej_metadata["unit"]) == (2.5, "mm")
        assert file.pages[0].tags["XResolution"].value == (4, 1)
        assert file.pages[0].tags["YResolution"].value == (2, 1)
        assert file.pages[0].compression == tifffile.COMPRESSION.ADOBE_DEFLATE


def test_many_labels_are_ome_with_axes_and_voxel_size(tmp_path: Path) -> None:
    labels = VOLUME.astype(np.uint32) + 2**20
    write_labels(tmp_path / "m.tif", labels, axes="ZYX", spacing=(2.5, 0.5, 0.25), unit="mm")
    with tifffile.TiffFile(tmp_path / "m.tif") as file:
        assert file.is_ome
        assert file.series[0].axes == "ZYX"
        pixels = tifffile.xml2dict(file.ome_metadata or "")["OME"]["Image"]["Pixels"]
    assert [pixels[f"PhysicalSize{a}"] for a in "ZYX"] == [2.5, 0.5, 0.25]
    assert {pixels[f"PhysicalSize{a}Unit"] for a in "ZYX"} == {"mm"}


def test_channels_of_ome_have_their_names(tmp_path: Path) -> None:
    pixels = np.zeros((2, 3, 8, 9), np.uint16)
    how: dict[str, Any] = {"axes": "CZYX"}
    tifffile.imwrite(tmp_path / "nameless.ome.tif", pixels, ome=True, metadata=how)
    how["Channel"] = {"Name": ["T1", "FLAIR"]}
    tifffile.imwrite(tmp_path / "scan.ome.tif", pixels, ome=True, metadata=how)
    scan = read_tiff(tmp_path / "scan.ome.tif")
    assert (scan.axes, scan.meta["channels"]) == ("ZYXC", ("T1", "FLAIR"))
    assert "channels" not in read_tiff(tmp_path / "nameless.ome.tif").meta


def test_channels_without_names_keep_no_file_from_being_read(tmp_path: Path) -> None:
    ome = (
        '<OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06"><Image ID="Image:0">'
        '<Pixels ID="Pixels:0" DimensionOrder="XYZCT" Type="uint8" SizeX="9" SizeY="8" SizeZ="1" '
        'SizeC="2" SizeT="1"><Channel/><Channel Name="007"/><TiffData/></Pixels></Image></OME>'
    )
    pixels = np.zeros((2, 8, 9), np.uint8)
    tifffile.imwrite(tmp_path / "scan.ome.tif", pixels, description=ome, metadata=None)
    scan = read_tiff(tmp_path / "scan.ome.tif")
    assert (scan.axes, scan.meta["channels"]) == ("YXC", ("", "007"))


def test_provenance_survives_a_program_that_rewrites_the_description(tmp_path: Path) -> None:
    write_labels(tmp_path / "m.tif", VOLUME, axes="NYX", description={"model": "bundled"})
    with tifffile.TiffFile(tmp_path / "m.tif") as file:
        info = (file.imagej_metadata or {})["Info"]
    tifffile.imwrite(
        tmp_path / "resaved.tif",
        VOLUME,
        imagej=True,
        resolution=(2, 2),
        metadata={"Info": info, "axes": "TYX", "unit": "mm"},
    )
    scan = read_tiff(tmp_path / "resaved.tif")
    assert scan.meta["description"] == {"model": "bundled"}
    assert scan.axes == "NYX"
    assert (scan.spacing, scan.unit) == ((1.0, 0.5, 0.5), "mm")


def test_a_stored_grid_that_no_longer_fits_is_ignored(tmp_path: Path) -> None:
    write_labels(tmp_path / "m.tif", VOLUME, axes="NYX", description={"model": "bundled"})
    with tifffile.TiffFile(tmp_path / "m.tif") as file:
        info = (file.imagej_metadata or {})["Info"]
    metadata = {"Info": info, "axes": "ZYX"}
    tifffile.imwrite(tmp_path / "cropped.tif", VOLUME[:2, 1:], imagej=True, metadata=metadata)
    scan = read_tiff(tmp_path / "cropped.tif")
    assert (scan.axes, scan.data.shape) == ("ZYX", (2, 3, 5))


def test_the_affine_is_kept(tmp_path: Path) -> None:
    affine = np.array([[0.1, 0.2, 0, 3], [0, 1 / 3, 0, 4], [0, 0, 2, 5], [0, 0, 0, 1]])
    write_labels(tmp_path / "m.tif", VOLUME, axes="ZYX", affine=affine)
    np.testing.assert_array_equal(read_tiff(tmp_path / "m.tif").affine, affine)


def test_probabilities_are_written_as_they_are(tmp_path: Path) -> None:
    array = np.linspace(0, 1, 120, dtype=np.float32).reshape(3, 4, 5, 2)
    write_array(tmp_path / "p.tif", array, axes="ZYXC", spacing=(3, 1, 1), unit="mm")
    scan = read_tiff(tmp_path / "p.tif")
    np.testing.assert_array_equal(scan.data, array)
    assert (scan.axes, scan.spacing) == ("ZYXC", (3, 1, 1))
    assert scan.data.dtype == np.float32


class Asked:
    """An array that keeps what it was asked for."""

    def __init__(self, array: np.ndarray) -> None:
        self._array, self.shape, self.ndim, self.dtype = array, array.shape, array.ndim, array.dtype
        self.most = 0

    def __getitem__(self, index: Any) -> np.ndarray:
        part = self._array[index]
        self.most = max(self.most, part.size)
        return part


@pytest.mark.parametrize(
    ("shape", "order", "axes"),
    [
        ((5, 6), (0, 1), "YX"),
        ((3, 5, 6), (0, 1, 2), "ZYX"),
        ((2, 3, 5, 6), (1, 2, 3, 0), "ZYXC"),
        ((2, 4, 3, 5, 6), (1, 2, 3, 4, 0), "TZYXC"),
        ((1, 3, 5, 6), (1, 2, 3), "NYX"),
        ((3, 6, 5), (0, 2, 1), "ZYX"),
    ],
)
@pytest.mark.parametrize("dtype", ["float32", "float64"])  # as ImageJ's, and as OME's
def test_planes_make_the_file_of_the_whole_array(
    tmp_path: Path, shape: tuple[int, ...], order: tuple[int, ...], axes: str, dtype: str
) -> None:
    array = np.random.default_rng(0).random(shape).astype(np.float16)
    stored = Asked(array)
    left_out = tuple(set(range(array.ndim)) - set(order))
    whole = array.squeeze(left_out) if left_out else array.transpose(order)
    how = {"axes": axes, "spacing": (2.0,) * len(axes.replace("C", "")), "unit": "mm"}
    write_array(tmp_path / "planes.tif", Planes(stored, order, dtype), **how)
    write_array(tmp_path / "whole.tif", whole.astype(dtype), **how)
    files = [tmp_path / "planes.tif", tmp_path / "whole.tif"]
    found, wanted = map(read_tiff, files)
    np.testing.assert_array_equal(found.data, wanted.data)
    assert (found.axes, found.spacing, found.data.dtype) == (axes, how["spacing"], dtype)
    assert dtype == "float64" or len({file.read_bytes() for file in files}) == 1
    assert stored.most == 30


def test_an_error_of_a_plane_leaves_the_file_that_was(tmp_path: Path) -> None:
    class Torn(Asked):
        def __getitem__(self, index: Any) -> np.ndarray:
            if index[0] == 2:
                raise OSError("torn")
            return super().__getitem__(index)

    write_labels(tmp_path / "m.tif", VOLUME, axes="ZYX")
    with pytest.raises(DataError, match="torn"):
        write_array(tmp_path / "m.tif", Planes(Torn(VOLUME)), axes="ZYX")
    assert [p.name for p in tmp_path.iterdir()] == ["m.tif"]
    np.testing.assert_array_equal(read_tiff(tmp_path / "m.tif").data, VOLUME)


CM = {"resolution": (20, 40), "resolutionunit": "CENTIMETER"}


@pytest.mark.parametrize(
    ("shape", "options", "axes", "spacing", "unit"),
    [
        ((4, 5), {}, "YX", (1, 1), "pixel"),
        ((4, 5), CM, "YX", (0.25, 0.5), "mm"),
        ((4, 5), {"resolution": (72, 72), "resolutionunit": "INCH"}, "YX", (1, 1), "pixel"),
        ((4, 5), {"resolution": (25.4, 50.8), "resolutionunit": 2}, "YX", (0.5, 1), "mm"),
        ((3, 4, 5), {"metadata": None}, "ZYX", (1, 1, 1), "pixel"),
        ((4, 5, 3), {"photometric": "rgb"}, "YXC", (1, 1), "pixel"),
        ((2, 4, 5, 3), {"photometric": "rgb"}, "ZYXC", (1, 1, 1), "pixel"),
        (
            (2, 3, 4, 5),
            {"imagej": True, "metadata": {"axes": "TZYX", "spacing": 3, "unit": "um"}},
            "TZYX",
            (1, 3, 1, 1),
            "µm",
        ),
        (
            (3, 2, 4, 5),
            {"imagej": True, "resolution": (2, 2), "metadata": {"axes": "ZCYX", "unit": "cm"}},
            "ZYXC",
            (1, 5, 5),
            "mm",
        ),
        (
            (3, 4, 5),
            {
                "ome": True,
                "metadata": {
                    "axes": "ZYX",
                    "PhysicalSizeX": 250,
                    "PhysicalSizeXUnit": "nm",
                    "PhysicalSizeY": 500,
                    "PhysicalSizeYUnit": "nm",
                    "PhysicalSizeZ": 2000,
                    "PhysicalSizeZUnit": "nm",
                },
            },
            "ZYX",
            (2, 0.5, 0.25),
            "µm",
        ),
        (
            (2, 4, 5),
            {"ome": True, "metadata": {"axes": "CYX", "PhysicalSizeX": 2, "PhysicalSizeY": 3}},
            "YXC",
            (3, 2),
            "µm",
        ),
        ((3, 4, 5), {"bigtiff": True, "metadata": {"axes": "ZYX"}}, "ZYX", (1, 1, 1), "pixel"),
        ((3, 4, 5), {"byteorder": ">", "metadata": None}, "ZYX", (1, 1, 1), "pixel"),
    ],
)
@pytest.mark.parametrize("compression", [None, "zlib", "lzw", "zstd"])
def test_files_of_other_programs(
    tmp_path: Path,
    shape: tuple[int, ...],
    options: dict[str, Any],
    axes: str,
    spacing: tuple[float, ...],
    unit: str,
    compression: str | None,
) -> None:
    array = np.arange(np.prod(shape), dtype=np.uint8).reshape(shape)
    options = {"photometric": "minisblack", **options}
    tifffile.imwrite(tmp_path / "a.tif", array, compression=compression, **options)
    scan = read_tiff(tmp_path / "a.tif")
    moved = axes.endswith("C") and options["photometric"] != "rgb"
    expected = np.moveaxis(array, -3, -1) if moved else array
    np.testing.assert_array_equal(scan.data, expected)
    assert (scan.axes, scan.unit) == (axes, unit)
    assert scan.spacing == pytest.approx(spacing)
    assert tiff_layout(tmp_path / "a.tif") == (scan.data.shape, scan.data.dtype)
    assert scan.meta["description"] == {}


@pytest.mark.parametrize("bits", [1, 2, 4, 6, 10, 12, 14, 20, 24])
def test_samples_that_are_stored_without_gaps_are_read(tmp_path: Path, bits: int) -> None:
    dtype = next(d for d in (np.uint8, np.uint16, np.uint32) if np.iinfo(d).bits >= bits)
    pixels = np.random.default_rng(0).integers(0, 2**bits, (3, 90, 131)).astype(dtype)
    options: dict[str, Any] = {"bitspersample": bits, "photometric": "minisblack"}
    tifffile.imwrite(tmp_path / "a.tif", pixels, metadata={"axes": "ZYX"}, **options)
    np.testing.assert_array_equal(read_tiff(tmp_path / "a.tif").data, pixels)
    whole = (tmp_path / "a.tif").read_bytes()
    (tmp_path / "a.tif").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(DataError, match=r"a\.tif"):
        read_tiff(tmp_path / "a.tif")


def test_booleans_as_pillow_writes_them(tmp_path: Path) -> None:
    mask = np.random.default_rng(0).random((90, 131)) > 0.5
    Image.fromarray(mask).save(tmp_path / "a.tif")
    scan = read_tiff(tmp_path / "a.tif")
    np.testing.assert_array_equal(scan.data, mask)
    assert tiff_layout(tmp_path / "a.tif") == (mask.shape, scan.data.dtype)


@pytest.mark.parametrize(
    ("dtype", "options", "stored", "read"),
    [
        (np.uint8, {}, [0, 1, 255], [255, 254, 0]),
        (np.uint16, {}, [0, 1, 65535], [65535, 65534, 0]),
        (np.uint16, {"bitspersample": 12}, [0, 1, 4095], [4095, 4094, 0]),
        (np.int16, {}, [-32768, 0, 5], [32767, -1, -6]),
        (np.bool_, {}, [False, True, True], [False, True, True]),
        (np.float32, {}, [0, 0.5, 1], [0, 0.5, 1]),
    ],
)
def test_greys_of_which_0_is_white_are_inverted(
    tmp_path: Path, dtype: Any, options: dict[str, Any], stored: list[Any], read: list[Any]
) -> None:
    options = {"photometric": "miniswhite", "metadata": None, **options}
    tifffile.imwrite(tmp_path / "a.tif", np.array([stored], dtype), **options)
    scan = read_tiff(tmp_path / "a.tif")
    assert scan.data.tolist() == [read]
    assert scan.data.dtype == dtype
    notes = ("a.tif stores white as 0; its values are inverted, so that high ones are bright.",)
    assert scan.meta.get("notes", ()) == (notes if stored != read else ())


@pytest.mark.parametrize("compression", [None, "zlib"])
def test_complex_numbers_are_refused(tmp_path: Path, compression: str | None) -> None:
    tifffile.imwrite(tmp_path / "a.tif", np.ones((4, 5), np.complex64), compression=compression)
    with pytest.raises(DataError, match=r"a\.tif holds complex64 values; save its magnitude"):
        read_tiff(tmp_path / "a.tif")


@pytest.mark.parametrize(
    ("units", "spacing", "unit"),
    [
        (("µm", "µm", "mm"), (2, 0.5, 0.5), "mm"),
        (("mm", "µm", "µm"), (0.002, 0.5, 500), "mm"),
        (("nm", "µm", "µm"), (2, 500, 0.5), "µm"),
        (("cm", "cm", "pixel"), (20, 5000, 5000), "mm"),
        (("pixel", "pixel", "mm"), (2, 500, 500), "pixel"),
    ],
)
@pytest.mark.parametrize("program", ["ome", "imagej"])
def test_each_axis_has_its_own_unit(
    tmp_path: Path, units: tuple[str, ...], spacing: tuple[float, ...], unit: str, program: str
) -> None:
    ome, imagej = program == "ome", program == "imagej"
    metadata: dict[str, Any] = {"axes": "ZYX"}
    for axis, size, name in zip("XYZ", (500, 500, 2), units, strict=True):
        metadata |= {f"PhysicalSize{axis}": size, f"PhysicalSize{axis}Unit": name} if ome else {}
        key = f"{axis.lower()}unit".removeprefix("x")
        metadata |= {key: name.replace("µ", "\\u00B5")} if imagej else {}
    options: dict[str, Any] = {"resolution": (1 / 500, 1 / 500)} if imagej else {}
    metadata |= {"spacing": 2} if imagej else {}
    pixels = np.zeros((3, 4, 5), np.uint8)
    tifffile.imwrite(
        tmp_path / "a.tif", pixels, imagej=imagej, ome=ome, metadata=metadata, **options
    )
    scan = read_tiff(tmp_path / "a.tif")
    assert (scan.spacing, scan.unit) == (pytest.approx(spacing), unit)


def test_an_image_of_another_kind_in_the_file_is_reported(tmp_path: Path) -> None:
    with tifffile.TiffWriter(tmp_path / "a.tif") as writer:
        writer.write(VOLUME, photometric="minisblack")
        writer.write(np.zeros((7, 7), np.uint8), photometric="minisblack")
    scan = read_tiff(tmp_path / "a.tif")
    assert scan.data.shape == (3, 4, 5)
    assert "1 more" in scan.meta["notes"][0]


def test_labels_of_more_axes_than_a_tiff_holds_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "mask.tif"
    labels = np.zeros((2, 2, 3, 8, 8), np.uint8)
    with pytest.raises(DataError, match="TIFF cannot store the axes PTZYX; save each volume"):
        write_labels(path, labels, axes="PTZYX")
    assert not path.exists()


def test_axes_that_cannot_be_shown_are_refused(tmp_path: Path) -> None:
    array = np.zeros((2, 2, 2, 2, 4, 5), np.uint8)
    tifffile.imwrite(tmp_path / "a.tif", array, metadata={"axes": "QPIRYX"})
    with pytest.raises(DataError, match=r"a\.tif.*fewer axes"):
        read_tiff(tmp_path / "a.tif")


@pytest.mark.parametrize("compression", [None, "zlib"])
@pytest.mark.parametrize("share", [0, 0.1, 0.5, 0.99])
def test_a_truncated_file_is_named(tmp_path: Path, compression: str | None, share: float) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (4, 64, 64), np.uint8)
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, noise, compression=compression, photometric="minisblack")
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])
    with pytest.raises(DataError, match=r"a\.tif.*copy it again"):
        read_tiff(path)


@pytest.mark.parametrize("compression", [None, "zlib"])
def test_a_header_that_promises_too_much_is_refused(
    tmp_path: Path, compression: str | None
) -> None:
    tifffile.imwrite(tmp_path / "a.tif", VOLUME[0], compression=compression)
    with tifffile.TiffFile(tmp_path / "a.tif", mode="r+b") as file:
        for name in ("ImageWidth", "ImageLength"):
            file.pages[0].tags[name].overwrite(60_000)
    with pytest.raises(DataError, match=r"a\.tif is truncated or damaged"):
        read_tiff(tmp_path / "a.tif")


def test_a_compressed_page_that_is_cut_is_named(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (64, 64), np.uint8)
    tifffile.imwrite(tmp_path / "a.tif", noise, compression="zlib")
    (tmp_path / "a.tif").write_bytes((tmp_path / "a.tif").read_bytes()[:-50])
    with pytest.raises(DataError, match=r"a\.tif.*copy it again"):
        read_tiff(tmp_path / "a.tif")


def test_the_previous_mask_is_kept_on_demand(tmp_path: Path) -> None:
    for value in (1, 2):
        write_labels(tmp_path / "m.tif", np.full((2, 2), value), axes="YX", keep=True)
    assert tifffile.imread(tmp_path / "m.bak.tif").max() == 1
    assert tifffile.imread(tmp_path / "m.tif").max() == 2


@pytest.mark.parametrize(
    ("stored", "expected"), [([0, 1], [0, 1]), ([0, 3], [0, 3]), ([0, 255], [1, 0])]
)
def test_labels_are_not_inverted_where_white_is_0(
    tmp_path: Path, stored: list[int], expected: list[int]
) -> None:
    tifffile.imwrite(tmp_path / "m.tif", np.array([stored] * 2, np.uint8), photometric="miniswhite")
    assert read_labels(tmp_path / "m.tif").data[0].tolist() == expected
