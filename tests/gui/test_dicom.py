"""DICOM in the window: the choice of a series, what is wrong with one, and masks as DICOM SEG."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import dask
import numpy as np
import pydicom
import pytest
from napari.components import ViewerModel
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, MRImageStorage, generate_uid
from qtpy.QtCore import Qt, QTimer
from qtpy.QtWidgets import QApplication

from napari_unet_seg._napari._layers import METADATA_KEY, add_labels, categories_of
from napari_unet_seg._napari._reader import dicom_reader
from napari_unet_seg._napari._series_dialog import SeriesDialog
from napari_unet_seg.config import Category
from napari_unet_seg.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

PLUGIN = "napari-unet-seg"
LESION = (Category(id=4, name="lesion"), Category(id=9, name="oedema"))


@pytest.fixture(autouse=True)
def plugin(npe2pm: Any) -> Iterator[None]:
    """Only this plugin, as it is installed, and no threads of dask that stay."""
    with npe2pm.tmp_plugin(package=PLUGIN), dask.config.set(scheduler="synchronous"):
        yield


def write_series(folder: Path, name: str, zs: list[float], number: int) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for i, z in enumerate(zs):
        ds = Dataset()
        ds.file_meta = FileMetaDataset()
        ds.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        ds.SOPClassUID, ds.SOPInstanceUID = MRImageStorage, generate_uid()
        ds.StudyInstanceUID, ds.SeriesInstanceUID = "1.2.1", f"1.2.{number}"
        ds.FrameOfReferenceUID, ds.SeriesNumber, ds.SeriesDescription = "1.2.9", number, name
        ds.Modality, ds.InstanceNumber = "MR", i
        ds.Rows, ds.Columns = 6, 8
        ds.SamplesPerPixel, ds.PhotometricInterpretation = 1, "MONOCHROME2"
        ds.BitsAllocated, ds.BitsStored, ds.HighBit, ds.PixelRepresentation = 16, 16, 15, 0
        ds.PixelData = np.full((6, 8), number, np.uint16).tobytes()
        ds.ImagePositionPatient, ds.ImageOrientationPatient = [0, 0, z], [1, 0, 0, 0, 1, 0]
        ds.PixelSpacing, ds.SliceThickness = [0.5, 0.5], 1
        ds.save_as(folder / f"{number}-{i}.dcm", enforce_file_format=True)


@pytest.fixture
def study(tmp_path: Path) -> Path:
    """A folder of two series."""
    write_series(tmp_path / "study", "T1", [0, 3, 6], 3)
    write_series(tmp_path / "study", "FLAIR", [0, 2], 12)
    return tmp_path / "study"


def answer(act: Callable[[SeriesDialog], None]) -> list[SeriesDialog]:
    """Do something with the dialog once it is open, as a person would."""
    seen: list[SeriesDialog] = []

    def look() -> None:
        dialog = QApplication.activeModalWidget()
        if not isinstance(dialog, SeriesDialog):
            QTimer.singleShot(20, look)
            return
        seen.append(dialog)
        act(dialog)

    QTimer.singleShot(20, look)
    return seen


def test_the_series_of_a_folder_are_listed_for_choice(
    study: Path, make_napari_viewer: Callable[..., Any], qtbot: Any
) -> None:
    viewer = make_napari_viewer()
    texts: list[list[str]] = []

    def take_second(dialog: SeriesDialog) -> None:
        table = dialog.table
        columns = range(table.columnCount())
        texts.extend([table.item(r, c).text() for c in columns] for r in range(table.rowCount()))
        assert not dialog.open_button.isEnabled()
        table.selectRow(1)
        qtbot.mouseClick(dialog.open_button, Qt.MouseButton.LeftButton)

    answer(take_second)
    (layer,) = viewer.open(study, plugin=PLUGIN)
    assert texts == [["T1", "3", "MR", "3", "8 × 6"], ["FLAIR", "12", "MR", "2", "8 × 6"]]
    assert (layer.data.shape, layer.data.max()) == ((2, 6, 8), 12)
    assert (layer.name, tuple(layer.scale)) == ("study 12 FLAIR", (2, 0.5, 0.5))


def test_several_series_can_be_opened_at_once(
    study: Path, make_napari_viewer: Callable[..., Any]
) -> None:
    viewer = make_napari_viewer()

    def take_all(dialog: SeriesDialog) -> None:
        dialog.table.selectAll()
        dialog.open_button.click()

    answer(take_all)
    layers = viewer.open([str(p) for p in sorted(study.iterdir())], plugin=PLUGIN, stack=True)
    assert [layer.data.shape[0] for layer in layers] == [3, 2]


def test_cancel_opens_nothing(
    study: Path, make_napari_viewer: Callable[..., Any], notifications: list[str]
) -> None:
    viewer = make_napari_viewer()
    seen = answer(lambda dialog: dialog.reject())
    assert viewer.open(study, plugin=PLUGIN) == []
    assert (len(seen), len(viewer.layers), notifications) == (1, 0, [])


def test_without_a_window_the_series_are_named(study: Path) -> None:
    with pytest.raises(DataError, match=r"2 series: 3 'T1' .*; 12 'FLAIR' .* choose one"):
        ViewerModel().open(study, plugin=PLUGIN)


def test_a_folder_of_one_series_asks_nothing(
    tmp_path: Path, make_napari_viewer: Callable[..., Any], notifications: list[str]
) -> None:
    write_series(tmp_path / "one" / "inside", "T1", [0, 3], 3)
    viewer = make_napari_viewer()
    (layer,) = viewer.open(tmp_path / "one", plugin=PLUGIN)
    assert (layer.name, notifications) == ("one", [])


def test_missing_and_duplicate_slices_are_warned_of(
    tmp_path: Path, make_napari_viewer: Callable[..., Any], notifications: list[str]
) -> None:
    write_series(tmp_path / "s", "T1", [0, 2, 2, 4, 8], 3)
    viewer = make_napari_viewer()
    (layer,) = viewer.open(tmp_path / "s", plugin=PLUGIN)
    assert layer.data.shape[0] == 4
    doubles, gap = notifications
    assert doubles == "s: 1 slices lie where another one does and were left out: 3-2.dcm."
    assert "missing between 3-3.dcm and 3-4.dcm" in gap


def test_chosen_files_are_read_and_no_others(study: Path) -> None:
    paths = [str(study / f"3-{i}.dcm") for i in (0, 2)]
    reader = dicom_reader(paths)
    assert reader is not None
    ((data, options, _),) = reader(paths)
    assert (data.shape, options["scale"][0]) == ((2, 6, 8), 6)


@pytest.mark.parametrize(
    ("metadata", "by"), [({"checkpoint": {"path": "m"}}, "SEMIAUTOMATIC"), ({}, "MANUAL")]
)
def test_a_mask_is_saved_as_dicom_seg_and_opened_again(
    tmp_path: Path, metadata: dict[str, Any], by: str
) -> None:
    write_series(tmp_path / "s", "T1", [0, 3, 6], 3)
    viewer = ViewerModel()
    (image,) = viewer.open(tmp_path / "s", plugin=PLUGIN)
    labels = np.zeros(image.data.shape, np.uint8)
    labels[1, 2, 3:5] = 2
    mask = add_labels(viewer, labels, image, LESION, "mask", metadata)
    path = tmp_path / "s" / "mask.dcm"
    assert [str(p) for p in mask.save(str(path), plugin=PLUGIN)] == [str(path)]
    seg = pydicom.dcmread(path)
    assert [s.SegmentLabel for s in seg.SegmentSequence] == ["lesion", "oedema"]
    assert {s.SegmentAlgorithmType for s in seg.SegmentSequence} == {by}

    (again,) = viewer.open(path, plugin=PLUGIN)
    np.testing.assert_array_equal(again.data, labels)
    assert tuple(again.scale) == tuple(image.scale)
    assert categories_of(again) == LESION
    assert METADATA_KEY in again.metadata


def test_a_mask_of_no_series_is_not_saved_as_dicom_seg(tmp_path: Path) -> None:
    layer = ViewerModel().add_labels(np.ones((2, 6, 8), np.uint8))
    with pytest.raises(DataError, match=r"m\.dcm is not written, since .* no DICOM series"):
        layer.save(str(tmp_path / "m.dcm"), plugin=PLUGIN)
    assert list(tmp_path.iterdir()) == []
