from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import nibabel as nib
import numpy as np
import pytest
from napari.components import ViewerModel
from npe2 import PluginManifest
from PIL import Image as Picture
from zarr_images import write_image

from napari_unet_seg._napari.files.reader import coco_reader, dicom_reader, nifti_reader
from napari_unet_seg._napari.layers.conversion import categories_of, scan_from_layer
from napari_unet_seg._napari.layers.layer_record import record_of
from napari_unet_seg.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

PLUGIN = "napari-unet-seg"

pytestmark = pytest.mark.usefixtures("only_this_plugin")


@pytest.fixture
def coco(tmp_path: Path) -> Path:
    Picture.fromarray(np.full((30, 40), 90, np.uint8)).save(tmp_path / "a.png")
    polygon = [[2, 3, 12, 3, 12, 9, 2, 9]]
    document = {
        "images": [{"id": 7, "file_name": "a.png", "width": 40, "height": 30}],
        "categories": [{"id": 0, "name": "lesion"}],
        "annotations": [{"id": 1, "image_id": 7, "category_id": 0, "segmentation": polygon}],
    }
    path = tmp_path / "set.json"
    path.write_text(json.dumps(document))
    return path


def _nifti(path: Path) -> Path:
    affine = np.diag([-0.5, -0.5, 3.0, 1.0])
    nib.save(nib.Nifti1Image(np.arange(24, dtype=np.int16).reshape(4, 3, 2), affine), path)
    return path


def test_the_manifest_is_valid() -> None:
    manifest = PluginManifest.from_distribution(PLUGIN)
    manifest.validate_imports()

    titles = [widget.display_name for widget in manifest.contributions.widgets]
    assert titles == ["U-Net Seg", "Import COCO", "Train U-Net", "Report"]
    in_layers = manifest.contributions.menus["napari/layers/segment"]
    assert [item.command for item in in_layers] == [f"{PLUGIN}.dock"]


def test_coco_is_told_from_other_json(coco: Path, tmp_path: Path) -> None:
    others = {"list.json": "[]", "settings.json": '{"images": 3}', "broken.json": '{"images": ['}
    for name, text in others.items():
        (tmp_path / name).write_text(text)

    assert coco_reader(str(coco)) is not None
    assert coco_reader([str(coco), str(coco)]) is not None
    for name in others:
        assert coco_reader(str(tmp_path / name)) is None, name
    assert coco_reader([str(coco), str(tmp_path / "list.json")]) is None
    assert coco_reader(str(tmp_path / "none.json")) is None


def test_a_coco_file_is_parsed_once_when_it_is_opened(
    coco: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    parsed: list[str] = []

    def loads(text: str, **options: Any) -> Any:
        parsed.append(text)
        return json.JSONDecoder(**options).decode(text)

    monkeypatch.setattr(json, "loads", loads)
    ViewerModel().open(coco, plugin=PLUGIN)
    assert parsed.count(coco.read_text()) == 1


def test_coco_opens_as_a_stack_with_its_mask(coco: Path) -> None:
    viewer = ViewerModel()
    image, mask = viewer.open(coco, plugin=PLUGIN)

    assert image.data.shape == mask.data.shape == (1, 30, 40)
    assert mask.data.sum() == 60
    assert record_of(mask).coco.ids == (7,)
    assert [c.name for c in categories_of(mask)] == ["lesion"]


def test_coco_without_its_images_says_so(coco: Path) -> None:
    (coco.parent / "a.png").unlink()
    with pytest.raises(DataError, match=r"set\.json can be read; choose the folder"):
        ViewerModel().open(coco, plugin=PLUGIN)


@pytest.mark.parametrize("name", ["scan.nii", "scan.nii.gz", "Scan.NII.GZ", "a.b.nii.gz"])
def test_nifti_opens_with_its_voxel_size(tmp_path: Path, name: str) -> None:
    viewer = ViewerModel()
    (layer,) = viewer.open(_nifti(tmp_path / name), plugin=PLUGIN)

    assert layer.data.shape == (2, 3, 4)
    assert tuple(layer.scale) == (3, 0.5, 0.5)
    assert str(layer.units[0]) == "millimeter"
    assert scan_from_layer(layer).affine is not None
    assert scan_from_layer(layer).path == tmp_path / name


def test_several_nifti_open_as_several_layers(tmp_path: Path) -> None:
    paths = [str(_nifti(tmp_path / f"{n}.nii")) for n in range(2)]
    reader = nifti_reader(paths)

    assert reader is not None
    assert [options["name"] for _, options, _ in reader(paths)] == ["0.nii", "1.nii"]


def test_what_is_no_dicom_is_left_to_others(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("x" * 200)

    assert dicom_reader(str(tmp_path)) is None
    assert dicom_reader(str(tmp_path / "notes.txt")) is None
    assert nifti_reader(str(tmp_path / "notes.txt")) is None


def test_a_damaged_scan_is_told_in_a_sentence(tmp_path: Path) -> None:
    path = tmp_path / "cut.nii.gz"
    path.write_bytes(_nifti(tmp_path / "whole.nii.gz").read_bytes()[:60])
    with pytest.raises(DataError, match=r"cut\.nii\.gz .*\.$"):
        ViewerModel().open(path, plugin=PLUGIN)


def test_in_a_window_a_bad_file_is_told_in_one_sentence(
    tmp_path: Path, make_napari_viewer: Callable[..., Any], notifications: list[str]
) -> None:
    path = tmp_path / "cut.nii.gz"
    path.write_bytes(_nifti(tmp_path / "whole.nii.gz").read_bytes()[:60])
    viewer = make_napari_viewer()

    assert viewer.open(path, plugin=PLUGIN) == []
    (message,) = notifications
    assert message.startswith(str(path))
    assert message.count("\n") == 0


@pytest.mark.slow
def test_dicom_series_as_folder_as_files_and_one_file(real_data: Path) -> None:
    folder = real_data / "dicom"
    files = sorted(str(path) for path in folder.glob("*.dcm"))
    readers: list[tuple[Any, Callable[..., Any] | None]] = [
        (arguments, dicom_reader(arguments)) for arguments in (str(folder), files, files[3])
    ]
    shapes = []
    for arguments, reader in readers:
        assert reader is not None
        ((data, options, kind),) = reader(arguments)
        assert kind == "image"
        assert options["name"]
        shapes.append(data.shape)

    assert shapes[0] == shapes[1]
    assert shapes[0][0] == 24
    assert shapes[2][-2:] == shapes[0][-2:]


@pytest.mark.slow
def test_real_nifti_opens_upright_in_the_viewer(real_data: Path) -> None:
    path = next((real_data / "nifti").glob("*/Flair*.nii.gz"))
    viewer = ViewerModel()
    (layer,) = viewer.open(path, plugin=PLUGIN)

    assert layer.data.shape == (155, 240, 240)
    assert tuple(layer.scale) == (1, 1, 1)


def test_ome_zarr_stays_lazy_and_lies_where_it_says(tmp_path: Path) -> None:
    shift = [{"type": "translation", "translation": [9, 5, 7]}]
    data = write_image(tmp_path / "scan.zarr", coordinateTransformations=shift)
    viewer = ViewerModel()
    (image,) = viewer.open(tmp_path / "scan.zarr", plugin=PLUGIN)

    assert not isinstance(image.data, np.ndarray)
    np.testing.assert_array_equal(np.asarray(image.data), data)
    assert image.scale.tolist() == [3, 0.5, 0.25]
    assert image.translate.tolist() == [9, 5, 7]
    assert {str(unit) for unit in image.units} == {"millimeter"}
    assert scan_from_layer(image).path == tmp_path / "scan.zarr"


def test_channels_of_an_ome_zarr_are_layers_of_their_own(tmp_path: Path) -> None:
    data = write_image(tmp_path / "scan.zarr", "czyx", (4, 3, 10, 12))
    viewer = ViewerModel()
    layers = viewer.open(tmp_path / "scan.zarr", plugin=PLUGIN)

    names = [f"scan.zarr · channel {number}" for number in (4, 3, 2, 1)]
    assert [layer.name for layer in layers] == names
    for layer, channel in zip(layers, data[::-1], strict=True):
        np.testing.assert_array_equal(np.asarray(layer.data), channel)
    assert [layer.visible for layer in layers] == [False, False, False, True]
    assert viewer.layers.selection.active is layers[-1]


def test_the_folder_of_a_case_opens_as_its_stack_and_mask(tmp_path: Path) -> None:
    folder = tmp_path / "P1"
    folder.mkdir()
    for number in (1, 2, 10):
        plane = np.full((6, 8), 10 * number, np.uint8)
        Picture.fromarray(plane).save(folder / f"P1_{number}.png")
        Picture.fromarray((plane > 15).astype(np.uint8)).save(folder / f"P1_{number}_mask.png")
    viewer = ViewerModel()

    viewer.open(folder, plugin=PLUGIN)

    image, mask = viewer.layers
    assert (image.name, mask.name) == ("P1", "P1 mask")
    assert [int(plane.max()) for plane in np.asarray(image.data)] == [10, 20, 100]
    assert [int(plane.max()) for plane in mask.data] == [0, 1, 1]
    assert scan_from_layer(image).axes == "ZYX"
    assert [category.name for category in categories_of(mask)] == ["label 1"]


def test_of_several_sequences_and_masks_the_first_is_shown(tmp_path: Path) -> None:
    folder = tmp_path / "P1"
    folder.mkdir()
    for name in ("flair", "t1ce", "seg", "brainmask"):
        _nifti(folder / f"P1_{name}.nii")
    viewer = ViewerModel()

    viewer.open(folder, plugin=PLUGIN)

    shown = [layer.name for layer in viewer.layers if layer.visible]
    assert [layer.name for layer in viewer.layers] == [
        "P1 FLAIR", "P1 T1c", "P1 brainmask", "P1 seg",
    ]  # fmt: skip
    assert shown == ["P1 T1c", "P1 seg"]


def test_a_folder_of_very_many_files_is_left_to_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _nifti(tmp_path / "scan.nii")
    assert dicom_reader(str(tmp_path)) is not None
    (tmp_path / "notes.txt").touch()
    monkeypatch.setattr("napari_unet_seg._napari.files.case_folders._MOST_FILES", 1)

    assert dicom_reader(str(tmp_path)) is None


def test_without_a_window_several_cases_are_left_to_others(tmp_path: Path) -> None:
    for name in ("a.png", "b.png"):
        Picture.fromarray(np.zeros((6, 8), np.uint8)).save(tmp_path / name)

    assert dicom_reader(str(tmp_path)) is None
