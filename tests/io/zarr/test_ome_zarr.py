"""OME-Zarr: images and labels of versions 0.4 and 0.5, read lazily, written whole."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import dask.array as da
import numpy as np
import pytest
import zarr
from hypothesis import given, settings
from hypothesis import strategies as st
from zarr_images import write_image

from napari_unet_seg.config import Category
from napari_unet_seg.errors import DataError, WriteError
from napari_unet_seg.io.common.scan import Scan
from napari_unet_seg.io.hashing import sha256
from napari_unet_seg.io.read import read_labels, read_scan
from napari_unet_seg.io.write import write_mask
from napari_unet_seg.io.zarr.metadata import KEY
from napari_unet_seg.io.zarr.read import is_zarr, read_ome_zarr
from napari_unet_seg.io.zarr.write import write_ome_labels

VERSIONS = ("0.4", "0.5")


def ome(path):
    attributes = zarr.open_group(path, mode="r", use_consolidated=False).attrs.asdict()
    return attributes.get("ome", attributes)


@pytest.mark.parametrize("version", VERSIONS)
def test_an_image_is_read_with_its_grid(tmp_path, version):
    data = write_image(tmp_path / "scan.ome.zarr", version=version)
    scan = read_scan(tmp_path / "scan.ome.zarr")
    assert (scan.axes, scan.spacing, scan.unit) == ("ZYX", (3.0, 0.5, 0.25), "mm")
    assert scan.meta["translation"] == (0.0, 0.0, 0.0)
    np.testing.assert_array_equal(np.asarray(scan.data), data)


def test_opening_reads_no_pixels(tmp_path):
    write_image(tmp_path / "scan.zarr")
    for chunk in (tmp_path / "scan.zarr" / "s0").rglob("*"):
        if chunk.is_file() and not chunk.name.startswith("."):
            chunk.write_bytes(b"not a chunk")
    scan = read_ome_zarr(tmp_path / "scan.zarr")
    assert isinstance(scan.data, da.Array)
    assert scan.data.chunksize == (4, 8, 8)
    with pytest.raises(Exception, match=r"."):
        np.asarray(scan.data[0])


def test_the_finest_of_several_levels_is_taken(tmp_path):
    data = write_image(tmp_path / "scan.zarr", levels=3)
    np.testing.assert_array_equal(np.asarray(read_ome_zarr(tmp_path / "scan.zarr").data), data)


def test_channels_come_last_and_a_single_one_is_left_out(tmp_path):
    data = write_image(tmp_path / "many.zarr", "tczyx", (2, 3, 4, 6, 8))
    scan = read_ome_zarr(tmp_path / "many.zarr")
    assert (scan.axes, scan.grid_shape) == ("TZYXC", (2, 4, 6, 8))
    np.testing.assert_array_equal(np.asarray(scan.data), np.moveaxis(data, 1, -1))
    write_image(tmp_path / "one.zarr", "tczyx", (2, 1, 4, 6, 8))
    assert read_ome_zarr(tmp_path / "one.zarr").axes == "TZYX"


@pytest.mark.parametrize("version", ["0.4", "0.5"])
def test_channels_have_the_names_that_the_file_gives(tmp_path, version):
    write_image(tmp_path / "scan.zarr", "czyx", (2, 4, 6, 8), version=version)
    group = zarr.open_group(tmp_path / "scan.zarr")
    omero = {"channels": [{"label": "T1"}, {"color": "FFFFFF"}]}
    attributes = group.attrs.asdict()
    group.attrs.update(
        {"ome": {**attributes["ome"], "omero": omero}} if version == "0.5" else {"omero": omero}
    )
    assert read_ome_zarr(tmp_path / "scan.zarr").meta["channels"] == ("T1", "")
    write_image(tmp_path / "nameless.zarr", "czyx", (2, 4, 6, 8), version=version)
    assert "channels" not in read_ome_zarr(tmp_path / "nameless.zarr").meta


@pytest.mark.parametrize(
    ("unit", "ours", "factor"),
    [
        ("nanometer", "µm", 0.001),
        ("micrometer", "µm", 1),
        ("centimeter", "mm", 10),
        ("meter", "mm", 1000),
        ("parsec", "pixel", 1),
        (None, "pixel", 1),
    ],
)
def test_units_become_ours(tmp_path, unit, ours, factor):
    write_image(tmp_path / "scan.zarr", unit=unit)
    scan = read_ome_zarr(tmp_path / "scan.zarr")
    assert scan.unit == ours
    assert scan.spacing == pytest.approx((3 * factor, 0.5 * factor, 0.25 * factor))


def test_transformations_of_level_and_image_add_up(tmp_path):
    outer = [
        {"type": "scale", "scale": [2, 2, 2]},
        {"type": "translation", "translation": [1, 2, 3]},
    ]
    write_image(tmp_path / "scan.zarr", coordinateTransformations=outer)
    group = zarr.open_group(tmp_path / "scan.zarr")
    attributes = group.attrs.asdict()
    steps = attributes["multiscales"][0]["datasets"][0]["coordinateTransformations"]
    steps.append({"type": "translation", "translation": [10, 0, 0]})
    group.attrs.update(attributes)
    scan = read_ome_zarr(tmp_path / "scan.zarr")
    assert scan.spacing == (6.0, 1.0, 0.5)
    assert scan.meta["translation"] == (21.0, 2.0, 3.0)


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("how", ["own store", "named"])
def test_a_mask_goes_among_the_images_labels(tmp_path, version, how):
    store = tmp_path / "scan.zarr"
    write_image(store, "tczyx", (2, 3, 4, 21, 30), version=version, levels=2)
    scan = read_scan(store)
    labels = np.zeros(scan.grid_shape, np.int64)
    labels[1, 2:, 5:15, 6:20] = 2
    path = store if how == "own store" else store / "labels" / "lesion"
    known = {"categories": [{"id": 4, "name": "a"}, {"id": 9, "name": "b"}], "model": "x"}
    write_mask(path, labels, scan, known)

    name = "mask" if how == "own store" else "lesion"
    assert ome(store / "labels")["labels"] == [name]
    group = ome(store / "labels" / name)
    label = group["image-label"]
    assert label["source"] == {"image": "../../"}
    assert [(p["label-value"], p["name"]) for p in label["properties"]] == [(1, "a"), (2, "b")]
    (multiscale,) = group["multiscales"]
    assert [a["name"] for a in multiscale["axes"]] == list("tzyx")
    image_levels = ome(store)["multiscales"][0]["datasets"]
    assert [d["path"] for d in multiscale["datasets"]] == [d["path"] for d in image_levels]
    stored = zarr.open_group(store / "labels" / name, mode="r")
    assert stored["s0"].dtype == np.uint8
    np.testing.assert_array_equal(stored["s0"][...], labels)
    assert stored["s1"].shape == (2, 4, 10, 15) or stored["s1"].shape == (2, 4, 11, 15)
    again = read_labels(store / "labels" / name)
    assert (again.axes, again.spacing, again.unit) == ("TZYX", scan.spacing, "mm")
    np.testing.assert_array_equal(again.data, labels)
    assert again.meta["description"] == known
    np.testing.assert_array_equal(np.asarray(read_scan(store).data), np.asarray(scan.data))


@pytest.mark.parametrize("name", ["labels", "labels/mask", "labels/.zattrs", ".zmetadata"])
def test_a_link_out_of_the_images_store_is_refused(tmp_path, name):
    store, outside = tmp_path / "scan.zarr", tmp_path / "outside"
    write_image(store)
    scan = read_scan(store)
    outside.mkdir()
    (store / name).parent.mkdir(exist_ok=True)
    (store / name).unlink(missing_ok=True)
    (store / name).symlink_to(outside / "target")
    with pytest.raises(WriteError, match=rf"leads by a link to {outside}.*; remove the link"):
        write_mask(store, np.zeros(scan.grid_shape, np.uint8), scan)
    assert not any(outside.iterdir())


def test_a_coarser_level_holds_the_nearest_voxels(tmp_path):
    write_image(tmp_path / "scan.zarr", shape=(4, 20, 30), levels=2)
    scan = read_scan(tmp_path / "scan.zarr")
    labels = np.zeros(scan.grid_shape, np.uint8)
    labels[:, 4:12, 10:20] = 3
    write_mask(tmp_path / "scan.zarr", labels, scan)
    coarse = zarr.open_group(tmp_path / "scan.zarr" / "labels" / "mask")["s1"][...]
    np.testing.assert_array_equal(coarse, labels[:, ::2, ::2])


def test_other_masks_and_the_version_before_stay(tmp_path):
    store = tmp_path / "scan.zarr"
    write_image(store)
    scan = read_scan(store)
    before = sha256(store)
    for value, name in ((1, "a"), (2, "b"), (3, "a")):
        write_mask(store / "labels" / name, np.full(scan.grid_shape, value, np.uint8), scan)
    assert ome(store / "labels")["labels"] == ["a", "b"]
    found = {
        p.name: int(np.max(read_labels(p).data)) for p in (store / "labels").iterdir() if p.is_dir()
    }
    assert found == {"a": 3, "a.bak": 1, "b": 2}
    assert sha256(store) == before, "a mask makes no other scan of it"


@pytest.mark.filterwarnings("ignore:Consolidated metadata is currently not part")
@pytest.mark.parametrize("version", VERSIONS)
def test_consolidated_metadata_are_renewed(tmp_path, version):
    store = tmp_path / "scan.zarr"
    write_image(store, version=version)
    zarr.consolidate_metadata(store)
    scan = read_scan(store)
    write_mask(store, np.ones(scan.grid_shape, np.uint8), scan)
    seen = zarr.open_group(store, mode="r", use_consolidated=True)
    assert seen["labels/mask/s0"][...].all()


axes_and_shapes = st.sampled_from(["YX", "ZYX", "TYX", "TZYX", "NYX", "TNZYX"]).flatmap(
    lambda axes: st.tuples(st.just(axes), st.tuples(*[st.integers(1, 5) for _ in axes]))
)
names = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=9)


@settings(max_examples=60, deadline=None)
@given(axes_and_shapes, st.data())
def test_a_store_of_its_own_reads_back_the_same(shaped, data):
    axes, shape = shaped
    top = data.draw(st.sampled_from([1, 255, 256, 65_535, 65_536, 2**32 - 1]))
    labels = np.random.default_rng(top).integers(0, top, shape, endpoint=True)
    labels.flat[0] = top
    spacing = tuple(data.draw(st.floats(1e-3, 1e3)) for _ in axes)
    unit = data.draw(st.sampled_from(["mm", "µm", "pixel"]))
    affine = np.diag([*data.draw(st.tuples(*[st.floats(0.1, 9)] * 3)), 1.0])
    known = {
        "categories": [
            Category(id=i * 300, name=name).model_dump()
            for i, name in enumerate(data.draw(st.lists(names, max_size=3)))
        ]
    }
    with TemporaryDirectory() as folder:
        path = Path(folder) / "mask.zarr"
        like = Scan(np.zeros(shape, np.uint8), axes, spacing, unit, affine=affine)
        assert write_ome_labels(path, labels, like, known) == path
        again = read_labels(path)
        np.testing.assert_array_equal(again.data, labels)
        assert again.data.dtype == np.min_scalar_type(top)
        assert (again.axes, again.unit) == (axes, unit)
        assert again.spacing == pytest.approx(spacing)
        assert again.meta["description"] == known
        np.testing.assert_array_equal(again.affine, affine)
        assert [p.name for p in Path(folder).iterdir()] == ["mask.zarr"]


def test_axes_that_the_standard_lacks_are_refused(tmp_path):
    like = Scan(np.zeros((2, 2, 2, 2), np.uint8), "NTYX")
    with pytest.raises(DataError, match=r"cannot hold the axes NTYX; .* save the mask as .tif"):
        write_ome_labels(tmp_path / "m.zarr", np.zeros((2, 2, 2, 2), np.uint8), like)
    assert list(tmp_path.iterdir()) == []


def test_another_programs_image_is_not_replaced(tmp_path):
    write_image(tmp_path / "other.zarr")
    like = Scan(np.zeros((4, 4), np.uint8), "YX")
    with pytest.raises(DataError, match="would be replaced"):
        write_mask(tmp_path / "other.zarr", np.zeros((4, 4), np.uint8), like)
    assert read_scan(tmp_path / "other.zarr").data.shape == (4, 20, 30)


def test_nothing_is_left_of_a_mask_that_could_not_be_written(tmp_path, monkeypatch):
    store = tmp_path / "scan.zarr"
    write_image(store)
    scan = read_scan(store)
    write_mask(store, np.ones(scan.grid_shape, np.uint8), scan)

    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(zarr.Array, "__setitem__", full)
    with pytest.raises(DataError, match="disk is full"):
        write_mask(store, np.zeros(scan.grid_shape, np.uint8), scan)
    monkeypatch.undo()
    assert read_labels(store / "labels" / "mask").data.all()
    assert sorted(p.name for p in (store / "labels").iterdir() if p.is_dir()) == ["mask"]


def spoil(change):
    def act(path):
        file = path / ".zattrs"
        attributes = json.loads(file.read_text())
        change(attributes["multiscales"][0], attributes)
        file.write_text(json.dumps(attributes))

    return act


@pytest.mark.parametrize(
    ("act", "reason"),
    [
        (lambda path: (path / ".zattrs").unlink(), "cannot be read as OME-Zarr"),
        (lambda path: (path / ".zattrs").write_text("{"), "cannot be read as OME-Zarr"),
        (lambda path: (path / ".zattrs").write_text("[]"), "cannot be read as OME-Zarr"),
        (lambda path: shutil.rmtree(path / "s0"), "lacks its array s0"),
        (spoil(lambda m, a: m.update(version="0.1")), "version is 0.1"),
        (spoil(lambda m, a: m["axes"].pop()), "axes are Z, Y"),
        (spoil(lambda m, a: m["axes"][0].update(name="depth")), "axis named depth"),
        (spoil(lambda m, a: m["axes"].insert(0, {"name": "t"})), "3 numbers for 4 axes"),
        (spoil(lambda m, a: m["datasets"].clear()), "no datasets"),
        (spoil(lambda m, a: a.update(plate={})), "is a plate of many images"),
        (
            spoil(
                lambda m, a: m["datasets"][0]["coordinateTransformations"][0].update(
                    scale=[0, 1, 1]
                )
            ),
            "not above zero",
        ),
        (
            spoil(
                lambda m, a: m.update(coordinateTransformations=[{"type": "affine", "affine": []}])
            ),
            "affine",
        ),
    ],
)
def test_what_makes_no_sense_is_told(tmp_path, act, reason):
    write_image(tmp_path / "scan.zarr")
    act(tmp_path / "scan.zarr")
    with pytest.raises(DataError, match=reason) as caught:
        read_scan(tmp_path / "scan.zarr")
    assert str(tmp_path / "scan.zarr") in str(caught.value)


def test_a_folder_that_is_no_zarr_is_told(tmp_path):
    (tmp_path / "scan.zarr").mkdir()
    assert not is_zarr(tmp_path / "scan.zarr")
    with pytest.raises(DataError, match=r"is not an OME-Zarr, .* choose the folder of an image"):
        read_scan(tmp_path / "scan.zarr")


def test_what_lies_elsewhere_is_not_fetched():
    with pytest.raises(DataError, match="not on this computer; download it"):
        read_scan("https://example.org/scan.zarr")


def test_without_the_extra_the_command_is_told(tmp_path, monkeypatch):
    write_image(tmp_path / "scan.zarr")
    monkeypatch.setitem(sys.modules, "zarr", None)
    with pytest.raises(DataError, match=r'pip install "napari-unet-seg\[zarr\]"'):
        read_scan(tmp_path / "scan.zarr")


def test_attributes_of_others_are_no_provenance(tmp_path):
    write_image(tmp_path / "scan.zarr")
    zarr.open_group(tmp_path / "scan.zarr").attrs[KEY] = ["x"]
    assert read_ome_zarr(tmp_path / "scan.zarr").meta["description"] == {}
