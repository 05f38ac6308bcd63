"""DICOM series for tests."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, MRImageStorage, generate_uid

if TYPE_CHECKING:
    from pathlib import Path

AXIAL = [1, 0, 0, 0, 1, 0]
SAGITTAL = [0, 1, 0, 0, 0, -1]


def write_sagittal(folder: Path, slices: int, shape: tuple[int, int]) -> Path:
    """Write a sagittal MR series."""
    for x in range(slices):
        tags = {"ImagePositionPatient": [x, 0, 0], "ImageOrientationPatient": SAGITTAL}
        part = write_series(folder / f"{x}", [x], shape=shape, InstanceNumber=x, **tags)
        (part / "3-0.dcm").rename(folder / f"{x}.dcm")
        part.rmdir()
    return folder


def write_series(
    folder: Path,
    zs: list[float],
    number: int = 3,
    *,
    name: str = "T1",
    shape: tuple[int, int] = (16, 16),
    **tags: Any,
) -> Path:
    """Write an axial MR series, one noisy slice at each z; `tags` are set in every file."""
    folder.mkdir(parents=True, exist_ok=True)
    random = np.random.default_rng(number)
    for i, z in enumerate(zs):
        ds = Dataset()
        ds.file_meta = FileMetaDataset()
        ds.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        ds.SOPClassUID, ds.SOPInstanceUID = MRImageStorage, generate_uid()
        ds.StudyInstanceUID, ds.SeriesInstanceUID = "1.2.1", f"1.2.{number}"
        ds.FrameOfReferenceUID, ds.SeriesNumber, ds.SeriesDescription = "1.2.9", number, name
        ds.Modality, ds.InstanceNumber = "MR", i
        ds.Rows, ds.Columns = shape
        ds.SamplesPerPixel, ds.PhotometricInterpretation = 1, "MONOCHROME2"
        ds.BitsAllocated, ds.BitsStored, ds.HighBit, ds.PixelRepresentation = 16, 16, 15, 0
        ds.PixelData = random.integers(1, 900, shape).astype(np.uint16).tobytes()
        ds.ImagePositionPatient, ds.ImageOrientationPatient = [0, 0, z], AXIAL
        ds.PixelSpacing, ds.SliceThickness = [0.5, 0.5], 1
        for key, value in tags.items():
            setattr(ds, key, value)
        ds.save_as(folder / f"{number}-{i}.dcm", enforce_file_format=True)
    return folder
