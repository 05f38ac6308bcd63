"""Patients that the names of images tell, and names that tell none."""

from __future__ import annotations

import numpy as np
import pytest

from napari_unet_seg.data.pairs import read_pairs
from napari_unet_seg.data.scan_samples import samples_from_scan
from napari_unet_seg.io.common.names import group_of, patient_in
from napari_unet_seg.io.common.scan import Scan


@pytest.mark.parametrize(
    ("name", "patient"),
    [
        ("TCGA_DU_7299_19910417_12", "TCGA_DU_7299"),
        ("sub-01_ses-02_T1w_slice3", "sub-01"),
        ("BraTS-GLI-00001-000_t1c_80", "BraTS-GLI-00001"),
        ("Brats18_CBICA_AAB_1_flair_77", "Brats18_CBICA_AAB"),
        ("BraTS19_TCIA01_131_1", "BraTS19_TCIA01_131"),
        ("BraTS20_Training_001_slice_12", "BraTS20_Training_001"),
        ("BraTS2021_00003_t2", "BraTS2021_00003"),
        ("brats_2013_pat0005_1", "brats_2013_pat0005"),
        ("UCSF-PDGM-0004_FLAIR", "UCSF-PDGM-0004"),
        ("UPENN-GBM-00002_11_T1GD", "UPENN-GBM-00002"),
        ("patient_03_slice_12", "patient_03"),
        ("slice_12_of_Patient7", "Patient7"),
        ("case-0012_5", "case-0012"),
        ("scan_jpg.rf.0a1b2c", "scan_jpg"),
    ],
)
def test_a_name_tells_its_patient(name, patient):
    assert group_of(name) == patient


@pytest.mark.parametrize(
    "name",
    [
        "brisc2025_train_00012_gl_ax_t1",
        "Tr-gl_0010",
        "IMG_0001",
        "slice_12",
        "y123",
        "outpatient_12",
        "patient",
        "patients_12",
        "showcase3",
        "patient_3rd",
        "BraTS2021",
        "UPENN-GBM",
        "TCGA",
        "1.2.840.113619.2.5",
    ],
)
def test_a_name_that_tells_no_patient_is_its_own_group(name):
    assert patient_in(name) == ("", "")
    assert group_of(name) == name


def test_pairs_and_stacks_of_images_are_grouped_by_patient(tmp_path):
    from skimage.io import imsave

    names = [f"TCGA_DU_{patient}_19910417_{n}" for patient in ("7299", "8162") for n in (1, 2)]
    for part, value in (("images", 9), ("masks", 1)):
        (tmp_path / part).mkdir()
        for name in names:
            image = np.full((8, 8), value, np.uint8)
            imsave(tmp_path / part / f"{name}.png", image, check_contrast=False)
    wanted = ["TCGA_DU_7299"] * 2 + ["TCGA_DU_8162"] * 2
    assert [s.group for s in read_pairs(tmp_path).samples] == wanted
    stack = np.zeros((4, 8, 8), np.uint8)
    samples = samples_from_scan(Scan(stack, "NYX", names=tuple(names)), stack)
    assert [s.group for s in samples] == wanted
