"""DICOM in the window: the choice of a series, what is wrong with one, and masks as DICOM SEG."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pydicom
import pytest
from dicom_files import write_series
from napari.components import ViewerModel
from qtpy.QtCore import Qt, QTimer
from qtpy.QtWidgets import QApplication, QFileDialog

from napari_unet_seg._napari.files.reader import dicom_reader
from napari_unet_seg._napari.files.series_dialog import SeriesDialog
from napari_unet_seg._napari.layers.conversion import add_labels, categories_of
from napari_unet_seg._napari.layers.layer_record import ModelFile, record_of
from napari_unet_seg.config import Category
from napari_unet_seg.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

PLUGIN = "napari-unet-seg"
LESION = (Category(id=4, name="lesion"), Category(id=9, name="oedema"))
SHAPE = (6, 8)

pytestmark = pytest.mark.usefixtures("only_this_plugin")


@pytest.fixture
def study(tmp_path: Path) -> Path:
    """A folder of two series, each filled with its number."""
    for name, number, zs in (("T1", 3, [0.0, 3.0, 6.0]), ("FLAIR", 12, [0.0, 2.0])):
        pixels = np.full(SHAPE, number, np.uint16).tobytes()
        write_series(tmp_path / "study", zs, number, name=name, shape=SHAPE, PixelData=pixels)
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
        assert dialog.open_button.isEnabled()
        assert [series.description for series in dialog.value()] == ["T1"]
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
    write_series(tmp_path / "one" / "inside", [0, 3], shape=SHAPE)
    viewer = make_napari_viewer()
    (layer,) = viewer.open(tmp_path / "one", plugin=PLUGIN)
    assert (layer.name, notifications) == ("one", [])


def test_missing_and_duplicate_slices_are_warned_of(
    tmp_path: Path, make_napari_viewer: Callable[..., Any], notifications: list[str]
) -> None:
    write_series(tmp_path / "s", [0, 2, 2, 4, 8], shape=SHAPE)
    viewer = make_napari_viewer()
    (layer,) = viewer.open(tmp_path / "s", plugin=PLUGIN)
    assert layer.data.shape[0] == 4
    doubles, gap = notifications
    assert doubles == "s: 1 slices have the position of another slice and are skipped: 3-2.dcm."
    assert "missing between 3-3.dcm and 3-4.dcm" in gap


def test_chosen_files_are_read_and_no_others(study: Path) -> None:
    paths = [str(study / f"3-{i}.dcm") for i in (0, 2)]
    reader = dicom_reader(paths)
    assert reader is not None
    ((data, options, _),) = reader(paths)
    assert (data.shape, options["scale"][0]) == ((2, 6, 8), 6)


@pytest.mark.parametrize(("model", "by"), [(ModelFile("m"), "SEMIAUTOMATIC"), (None, "MANUAL")])
def test_a_mask_is_saved_as_dicom_seg_and_opened_again(
    tmp_path: Path, model: ModelFile | None, by: str
) -> None:
    write_series(tmp_path / "s", [0, 3, 6], shape=SHAPE)
    viewer = ViewerModel()
    (image,) = viewer.open(tmp_path / "s", plugin=PLUGIN)
    labels = np.zeros(image.data.shape, np.uint8)
    labels[1, 2, 3:5] = 2
    mask = add_labels(viewer, labels, image, LESION, "mask", model=model)
    path = tmp_path / "s" / "mask.dcm"
    assert [str(p) for p in mask.save(str(path), plugin=PLUGIN)] == [str(path)]
    seg = pydicom.dcmread(path)
    assert [s.SegmentLabel for s in seg.SegmentSequence] == ["lesion", "oedema"]
    assert {s.SegmentAlgorithmType for s in seg.SegmentSequence} == {by}

    (again,) = viewer.open(path, plugin=PLUGIN)
    np.testing.assert_array_equal(again.data, labels)
    assert tuple(again.scale) == tuple(image.scale)
    assert categories_of(again) == LESION
    assert record_of(again).scan is not None


@pytest.mark.parametrize(
    ("kind", "name"),
    [("DICOM SEG that names the patient", "Muster^Erika"), ("DICOM SEG without the", "")],
)
def test_the_save_dialog_offers_a_dicom_seg_with_and_without_the_patient(
    tmp_path: Path,
    make_napari_viewer: Callable[..., Any],
    kind: str,
    name: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    write_series(tmp_path / "s", [0, 3], shape=SHAPE, PatientName="Muster^Erika")
    viewer = make_napari_viewer()
    (image,) = viewer.open(tmp_path / "s", plugin=PLUGIN)
    mask = add_labels(viewer, np.ones(image.data.shape, np.uint8), image, LESION, "mask")
    viewer.layers.selection.active = mask
    path = tmp_path / "mask.dcm"

    def choose(*_: Any, **options: Any) -> tuple[str, str]:
        (chosen,) = [k for k in options["filter"].split(";;") if kind in k]
        return str(path), chosen

    monkeypatch.setattr(QFileDialog, "getSaveFileName", staticmethod(choose))
    viewer.window._qt_viewer._save_layers_dialog(selected=True)
    assert str(pydicom.dcmread(path).PatientName) == name


def test_a_mask_of_no_series_is_not_saved_as_dicom_seg(tmp_path: Path) -> None:
    layer = ViewerModel().add_labels(np.ones((2, 6, 8), np.uint8))
    with pytest.raises(DataError, match=r"m\.dcm was not written, since .* not a DICOM series"):
        layer.save(str(tmp_path / "m.dcm"), plugin=PLUGIN)
    assert list(tmp_path.iterdir()) == []
