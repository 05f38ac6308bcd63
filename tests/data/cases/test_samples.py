"""Tests of training samples from folders of cases."""

from __future__ import annotations

from typing import TYPE_CHECKING

import nibabel as nib
import numpy as np
import pytest
from dicom_files import write_series
from PIL import Image

from napari_unet_seg.config import NormaliseConfig
from napari_unet_seg.data.cache import read_and_report
from napari_unet_seg.data.dataset import open_dataset
from napari_unet_seg.errors import DataError
from napari_unet_seg.io.cases.corrections import Correction
from napari_unet_seg.io.cases.remembered import remember_corrections
from napari_unet_seg.io.read import read_scan
from napari_unet_seg.io.write import write_mask
from napari_unet_seg.training.fine_tune import union

if TYPE_CHECKING:
    from pathlib import Path

RANDOM = np.random.default_rng(3)
VOLUME = RANDOM.integers(1, 900, (6, 5, 4)).astype(np.int16)


def write_patient(folder: Path, *kinds: str) -> None:
    folder.mkdir(parents=True)
    for kind in kinds:
        nib.save(nib.Nifti1Image(VOLUME, np.eye(4)), folder / f"{folder.name}_{kind}.nii.gz")
    mask = (VOLUME > 500).astype(np.uint8)
    nib.save(nib.Nifti1Image(mask, np.eye(4)), folder / f"{folder.name}_seg.nii.gz")


def test_slices_of_volumes_share_a_window_and_a_patient(tmp_path: Path) -> None:
    for name in ("BraTS-GLI-00001-000", "BraTS-GLI-00001-001"):
        write_patient(tmp_path / name, "t2f")

    samples = open_dataset(tmp_path, 2)
    assert [s.name for s in samples.samples[:5]] == [
        *(f"BraTS-GLI-00001-000#{number}" for number in range(4)),
        "BraTS-GLI-00001-001#0",
    ]
    assert {s.group for s in samples.samples} == {"BraTS-GLI-00001"}
    places = [s.place for s in samples.samples]
    assert [number for _, number in places] == [0, 1, 2, 3] * 2
    assert len({volume for volume, _ in places}) == 2
    [whole] = open_dataset(tmp_path / "BraTS-GLI-00001-000", 3).samples
    image, mask, _ = read_and_report(whole, 1, NormaliseConfig())
    for number, sample in enumerate(samples.samples[:4]):
        plane, labels, _ = read_and_report(sample, 1, NormaliseConfig())
        np.testing.assert_array_equal(plane, image[number])
        np.testing.assert_array_equal(labels, mask[number])
    assert mask.sum() == (VOLUME > 500).sum()


def test_one_of_several_sequences_is_chosen(tmp_path: Path) -> None:
    write_patient(tmp_path / "A", "flair", "t1ce")

    with pytest.raises(DataError, match=r"T1c \(1\), FLAIR \(1\); choose one.*--sequence T1c"):
        open_dataset(tmp_path, 2)
    assert len(open_dataset(tmp_path, 2, ["T1c"]).samples) == 4


def test_masks_in_another_place_than_their_scans_are_told(tmp_path: Path) -> None:
    for name in ("A", "B", "C"):
        write_patient(tmp_path / name, "flair")
        image = nib.load(tmp_path / name / f"{name}_seg.nii.gz")
        shifted = np.eye(4)
        shifted[2, 3] = 0 if name == "C" else 20
        nib.save(nib.Nifti1Image(np.asarray(image.dataobj), shifted), image.get_filename())

    samples = open_dataset(tmp_path, 2)
    told, more = union([samples, open_dataset(tmp_path / "C", 2)]).notes
    assert "A_seg.nii.gz and its image have one grid" in told
    assert "20 mm apart" in told
    assert more == "The same holds for 1 more mask."


def test_stack_of_slices_with_soft_masks(tmp_path: Path) -> None:
    (tmp_path / "A").mkdir()
    for number in range(3):
        Image.fromarray(np.full((64, 64), number * 9, np.uint8)).save(
            tmp_path / f"A/A_{number}.png"
        )
        soft = np.zeros((64, 64), np.float32)
        soft[10:40, 10:40] = 255
        soft[9], soft[40] = np.linspace(0, 255, 64), np.linspace(0, 200, 64)
        Image.fromarray(soft.astype(np.uint8)).save(tmp_path / f"A/A_{number}_mask.png")

    samples = open_dataset(tmp_path)
    assert [c.name for c in samples.categories] == ["foreground"]
    read = [read_and_report(s, 1, NormaliseConfig()) for s in samples.samples]
    assert [set(np.unique(mask)) for _, mask, _ in read] == [{0, 1}] * 3
    assert sum(report.soft for *_, report in read) == 1  # said once for the stack


def test_scans_without_masks(tmp_path: Path) -> None:
    nib.save(nib.Nifti1Image(VOLUME, np.eye(4)), tmp_path / "a.nii.gz")

    with pytest.raises(DataError, match="name the masks as their scans with _mask at the end"):
        open_dataset(tmp_path, 2)


def test_real_patients_in_folders(real_data: Path) -> None:
    samples = open_dataset(real_data / "lgg-folders")
    groups = [sample.group for sample in samples.samples]
    assert {name: groups.count(name) for name in groups} == {"TCGA_DU_7299": 36, "TCGA_HT_7874": 20}
    image, mask, _ = read_and_report(samples.samples[25], 1, NormaliseConfig())
    assert (image.shape, mask.shape) == ((256, 256, 1), (256, 256))
    assert mask.max() == 1


def test_folders_of_dicom_with_masks_of_their_names(tmp_path: Path) -> None:
    for name, study in (("a", "1.2.1"), ("b", "1.2.2")):
        folder = tmp_path / "images" / name
        write_series(
            folder,
            [0, 1, 2],
            StudyInstanceUID=study,
            SeriesInstanceUID=f"{study}.1",
            PatientID=name,
        )
        series = read_scan(folder)
        mask = np.zeros(series.grid_shape, np.uint8)
        mask[1, 2:5, 3:6] = 1
        (tmp_path / "masks").mkdir(exist_ok=True)
        write_mask(tmp_path / f"masks/{name}.nii.gz", mask, series)

    samples = open_dataset(tmp_path, 2).samples
    assert [sample.name for sample in samples] == [f"{n}#{z}" for n in "ab" for z in range(3)]
    for number, sample in enumerate(samples):
        _, labels, _ = read_and_report(sample, 1, NormaliseConfig())
        assert labels.sum() == (9 if number % 3 == 1 else 0)
        assert labels[2:5, 3:6].all() == (
            number % 3 == 1
        )  # as in the series, whatever NIfTI's axes


def test_a_corrected_pair_is_trained_on_as_corrected(tmp_path: Path) -> None:
    for name in ("a", "b"):
        for folder in ("images", "masks"):
            (tmp_path / folder).mkdir(exist_ok=True)
            Image.fromarray(np.eye(8, dtype=np.uint8)).save(tmp_path / folder / f"{name}.png")
    assert len(open_dataset(tmp_path, 2).samples) == 2

    remember_corrections(tmp_path, {"images/b.png": Correction("left out")})
    assert [sample.name for sample in open_dataset(tmp_path, 2).samples] == ["a"]


def test_masks_in_dicom_seg_are_those_of_their_study(tmp_path: Path) -> None:
    pytest.importorskip("highdicom")
    series = read_scan(write_series(tmp_path / "Kay/t1", [0, 1, 2], FrameOfReferenceUID="1.2.9.1"))
    mask = np.zeros(series.grid_shape, np.uint8)
    mask[1, 2:5, 3:6] = 1
    write_mask(tmp_path / "Kay/mask.dcm", mask, series, {"categories": [{"id": 1, "name": "x"}]})

    samples = open_dataset(tmp_path, 2).samples
    assert len(samples) == 3
    np.testing.assert_array_equal(
        [read_and_report(s, 1, NormaliseConfig())[1] for s in samples], mask
    )
