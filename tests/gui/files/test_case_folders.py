"""Folders of several cases that napari opens: seen first, then opened one after another."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import nibabel as nib
import numpy as np
import pytest
import tifffile
from dicom_files import write_series
from napari.layers import Labels, Layer
from plans import accept_plan, shown_plan
from qtpy.QtCore import QTimer

from napari_unet_seg._napari.dock.widget import UNetSegWidget
from napari_unet_seg._napari.files.case_layers import case_layers
from napari_unet_seg._napari.files.reader import dicom_reader
from napari_unet_seg._napari.layers.layer_record import record_in, record_of
from napari_unet_seg._napari.scans.other_layers import OtherLayers
from napari_unet_seg.config import IGNORE_INDEX, Category
from napari_unet_seg.io.cases.plan import plan_folder
from napari_unet_seg.io.cases.read import read_sequence
from napari_unet_seg.io.masks.palette import PALETTE_KEY
from napari_unet_seg.io.provenance import provenance
from napari_unet_seg.io.read import read_scan
from napari_unet_seg.io.write import write_mask

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pytestqt.qtbot import QtBot

    from napari_unet_seg.io.cases.case import Case

PLUGIN = "napari-unet-seg"

pytestmark = pytest.mark.usefixtures("only_this_plugin")


@pytest.fixture
def patients(tmp_path: Path) -> Path:
    """Two patients with a stack of slices and a mask of each slice."""
    for name in ("P1", "P2"):
        (tmp_path / name).mkdir()
        for number in range(1, 13):
            plane = np.full((8, 9), number, np.uint8)
            tifffile.imwrite(tmp_path / name / f"{name}_{number}.tif", plane)
            mask = np.zeros_like(plane)
            mask[:2] = number == 10
            tifffile.imwrite(tmp_path / name / f"{name}_{number}_mask.tif", mask)
    return tmp_path


def open_as_user(qtbot: QtBot, viewer: Any, *folders: Path) -> list[str]:
    """Open folders as napari's menu does, and return the names of the dock's jobs."""
    _, dock = viewer.window.add_plugin_dock_widget(PLUGIN, "U-Net Seg")
    assert isinstance(dock, UNetSegWidget)
    jobs: list[str] = []
    opened: list[Any] = []
    dock.correct.scans.planner.job_started.connect(lambda job: jobs.append(job.name))

    def act() -> None:
        opened.append(viewer.open(list(map(str, folders)), plugin=PLUGIN))

    QTimer.singleShot(0, act)
    qtbot.waitUntil(lambda: bool(opened))
    return jobs


def names(viewer: Any) -> list[str]:
    return [layer.name for layer in viewer.layers]


def test_several_cases_are_seen_and_then_opened_one_by_one(
    qtbot: QtBot, make_napari_viewer: Callable[..., Any], patients: Path
) -> None:
    viewer = make_napari_viewer()
    assert dicom_reader(str(patients)) is not None

    assert viewer.open(patients, plugin=PLUGIN) == []
    accept_plan(qtbot)
    qtbot.waitUntil(lambda: names(viewer) == ["P1", "P1 mask"])
    image, mask = viewer.layers
    slice_ten = [int(plane.max()) for plane in np.asarray(image.data)].index(10)
    assert [plane.any() for plane in mask.data] == [at == slice_ten for at in range(12)]
    assert viewer.layers.selection.active is image


def test_nothing_is_opened_after_cancel(
    qtbot: QtBot, make_napari_viewer: Callable[..., Any], patients: Path
) -> None:
    viewer = make_napari_viewer()

    assert viewer.open(patients, plugin=PLUGIN) == []
    shown_plan(qtbot).reject()
    assert names(viewer) == []


def test_the_user_waits_for_no_plan_of_a_folder(
    qtbot: QtBot, make_napari_viewer: Callable[..., Any], patients: Path
) -> None:
    viewer = make_napari_viewer()
    jobs = open_as_user(qtbot, viewer, patients)

    qtbot.waitUntil(lambda: jobs == ["Finding the scans"])
    assert names(viewer) == []
    accept_plan(qtbot)
    qtbot.waitUntil(lambda: names(viewer) == ["P1", "P1 mask"])


def test_a_series_that_takes_a_moment_is_read_at_once(
    qtbot: QtBot, make_napari_viewer: Callable[..., Any], tmp_path: Path
) -> None:
    write_series(tmp_path / "one", [0.0, 1.0])
    viewer = make_napari_viewer()

    assert open_as_user(qtbot, viewer, tmp_path / "one") == []
    qtbot.waitUntil(lambda: names(viewer) == ["one"])


def test_of_several_folders_that_are_dropped_the_first_is_opened(
    qtbot: QtBot,
    make_napari_viewer: Callable[..., Any],
    patients: Path,
    notifications: list[str],
) -> None:
    viewer = make_napari_viewer()
    open_as_user(qtbot, viewer, patients / "P2", patients / "P1")

    qtbot.waitUntil(lambda: names(viewer) == ["P2", "P2 mask"])
    assert notifications == [
        f"{patients / 'P2'} is opened, and 1 other folder not; open the folder that holds all of "
        "them."
    ]


@pytest.mark.parametrize("waits", [False, True])
def test_one_plain_case_opens_without_a_question_on_its_lesion(
    qtbot: QtBot, make_napari_viewer: Callable[..., Any], patients: Path, *, waits: bool
) -> None:
    viewer = make_napari_viewer()

    if waits:
        open_as_user(qtbot, viewer, patients / "P1")
    else:
        viewer.open(patients / "P1", plugin=PLUGIN)
    qtbot.waitUntil(lambda: viewer.dims.point[0] == 9)
    assert names(viewer) == ["P1", "P1 mask"]


@pytest.mark.parametrize("waits", [False, True])
def test_a_folder_without_scans_is_told_in_a_sentence(
    qtbot: QtBot,
    make_napari_viewer: Callable[..., Any],
    tmp_path: Path,
    notifications: list[str],
    waits: bool,
) -> None:
    (tmp_path / "notes.txt").touch()
    viewer = make_napari_viewer()

    if waits:
        open_as_user(qtbot, viewer, tmp_path)
    else:
        assert viewer.open(tmp_path, plugin=PLUGIN) == []
    qtbot.waitUntil(lambda: bool(notifications))
    assert notifications == [
        f"{tmp_path} holds no scans; give a folder of TIFF, PNG, JPEG, NIfTI, OME-Zarr or DICOM."
    ]


def described(folder: Path, name: str, other_grid: bool = False) -> Case:
    """A case with a mask that stores its categories; on the grid of its second sequence perhaps."""
    shapes = {"t1ce": (3, 8, 9), "flair": (2, 4, 5) if other_grid else (3, 8, 9)}
    for sequence, shape in shapes.items():
        path = folder / name / f"{name}_{sequence}.nii.gz"
        path.parent.mkdir(exist_ok=True)
        nib.save(nib.Nifti1Image(np.ones(shape[::-1], np.int16), np.eye(4)), path)
    categories = [Category(id=7, name="core"), Category(id=3, name="oedema")]
    description = provenance(None, categories) | {PALETTE_KEY: {"oedema": "#102030"}}
    labels = np.ones(shapes["flair"], np.uint8)
    mask = folder / name / f"{name}_seg.nii.gz"
    write_mask(mask, labels, read_scan(folder / name / f"{name}_flair.nii.gz"), description)
    [case] = plan_folder(folder / name).cases
    return case


@pytest.mark.parametrize("other_grid", [False, True])
def test_a_mask_of_a_case_has_the_categories_and_colours_of_its_file(
    qtbot: QtBot,
    make_napari_viewer: Callable[..., Any],
    tmp_path: Path,
    other_grid: bool,
) -> None:
    case = described(tmp_path, "P1", other_grid)
    viewer = make_napari_viewer()
    for data, options, kind in case_layers(case):
        viewer.add_layer(Layer.create(data, options, kind))
    first = read_sequence(next(iter(case.sequences.values())))
    others = OtherLayers(viewer, viewer.window._qt_window)
    others.show(case, first, lambda layer: None)  # as beside the first sequence, in a thread
    qtbot.waitUntil(lambda: len(viewer.layers) == 5)

    masks = [layer for layer in viewer.layers if isinstance(layer, Labels)]
    for mask in masks:
        record = record_of(mask)
        assert [(c.id, c.name) for c in record.categories] == [(7, "core"), (3, "oedema")]
        assert record.order == ("oedema",)
        assert record.sequence == ("FLAIR" if other_grid else "T1c")
        np.testing.assert_allclose(mask.colormap.color_dict[2][:3], np.array([16, 32, 48]) / 255)
        assert mask.data.shape == ((2, 4, 5) if other_grid else (3, 8, 9))


def test_names_of_labels_in_a_description_of_the_folder_are_those_of_its_masks(
    tmp_path: Path,
) -> None:
    for place in ("imagesTr/a_0000", "labelsTr/a"):
        path = tmp_path / f"{place}.nii.gz"
        path.parent.mkdir()
        nib.save(nib.Nifti1Image(np.full((9, 8, 3), 2, np.uint8), np.eye(4)), path)
    labels = {"background": 0, "oedema": 1, "ignore": 2}
    text = json.dumps({"channel_names": {"0": "FLAIR"}, "labels": labels})
    (tmp_path / "dataset.json").write_text(text)

    [case] = plan_folder(tmp_path).cases
    data, options, _ = case_layers(case)[-1]
    assert [c.name for c in record_in(options["metadata"]).categories] == ["oedema"]
    assert (data == IGNORE_INDEX).all()
