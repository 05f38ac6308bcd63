from __future__ import annotations

from typing import TYPE_CHECKING, Any

import nibabel as nib
import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import (
    BasicTextSRStorage,
    ExplicitVRLittleEndian,
    MRImageStorage,
    RLELossless,
    generate_uid,
)

from napari_unet_seg.errors import DataError
from napari_unet_seg.io.dicom import list_series, read_dicom
from napari_unet_seg.io.nifti import read_nifti
from napari_unet_seg.io.write import write_mask

if TYPE_CHECKING:
    from pathlib import Path

AXIAL = (1, 0, 0, 0, 1, 0)
SAGITTAL = (0, 1, 0, 0, 0, -1)


def dataset(pixels: Any, **tags: Any) -> Dataset:
    meta = FileMetaDataset()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.MediaStorageSOPClassUID = MRImageStorage
    meta.MediaStorageSOPInstanceUID = generate_uid()
    ds = Dataset()
    ds.file_meta = meta
    ds.SOPClassUID, ds.SOPInstanceUID = MRImageStorage, meta.MediaStorageSOPInstanceUID
    ds.Modality, ds.SeriesInstanceUID, ds.SeriesNumber = "MR", "1.2.3", 7
    ds.SeriesDescription = "T1"
    ds.Rows, ds.Columns = pixels.shape[-2:]
    ds.SamplesPerPixel, ds.PhotometricInterpretation = 1, "MONOCHROME2"
    ds.BitsAllocated = ds.BitsStored = 16
    ds.HighBit, ds.PixelRepresentation = 15, int(pixels.dtype.kind == "i")
    ds.PixelData = pixels.tobytes()
    for key, value in tags.items():
        setattr(ds, key, value)
    return ds


def write_slice(path: Path, value: int, z: float, **tags: Any) -> Path:
    pixels = np.full((3, 4), value, np.int16)
    pixels[0, 1] += 1
    geometry = {
        "ImagePositionPatient": [10, 20, z],
        "ImageOrientationPatient": list(AXIAL),
        "PixelSpacing": [0.5, 0.25],
        "SliceThickness": 9,
        "InstanceNumber": value,
    }
    ds = dataset(pixels, **{**geometry, **tags})
    ds.save_as(path, enforce_file_format=True)
    return path


def write_series(folder: Path, zs: list[float], **tags: Any) -> Path:
    folder.mkdir(exist_ok=True)
    for i, z in enumerate(zs):
        write_slice(folder / f"{tags.get('SeriesNumber', 7)}-{i}.dcm", 10 * (i + 1), z, **tags)
    return folder


def test_slices_are_sorted_and_spaced_by_position(tmp_path: Path) -> None:
    scan = read_dicom(write_series(tmp_path / "s", [4, -2, 1]))
    assert scan.data[:, 0, 0].tolist() == [20, 30, 10]
    assert (scan.axes, scan.spacing, scan.unit) == ("ZYX", (3, 0.5, 0.25), "mm")
    assert scan.data.dtype == np.int16
    assert scan.meta["notes"] == ()
    # Columns go to the left, rows to the back: both negative in RAS.
    np.testing.assert_allclose(
        scan.affine, [[-0.25, 0, 0, -10], [0, -0.5, 0, -20], [0, 0, 3, -2], [0, 0, 0, 1]]
    )


def test_other_planes_are_kept_as_acquired(tmp_path: Path) -> None:
    folder = tmp_path / "s"
    folder.mkdir()
    for i, x in enumerate([5.0, 3.0, 7.0]):
        write_slice(
            folder / f"{i}.dcm",
            i,
            0,
            ImagePositionPatient=[x, 0, 0],
            ImageOrientationPatient=list(SAGITTAL),
        )
    scan = read_dicom(folder)
    # The normal of (back, down) points to the right: x falls.
    assert scan.data[:, 0, 0].tolist() == [2, 0, 1]
    assert nib.aff2axcodes(scan.affine) == ("P", "I", "R")


def test_a_mask_lies_on_its_slices_in_patient_coordinates(tmp_path: Path) -> None:
    scan = read_dicom(write_series(tmp_path / "s", [4, -2, 1]))
    labels = np.zeros(scan.grid_shape, np.uint8)
    labels[2, 0, 1] = 3
    write_mask(tmp_path / "m.nii.gz", labels, scan, {"by": "me"})
    mask = nib.load(tmp_path / "m.nii.gz")
    (index,) = np.argwhere(np.asarray(mask.dataobj) == 3)
    left, back, up = nib.affines.apply_affine(mask.affine, index) * [-1, -1, 1]
    assert (left, back, up) == pytest.approx((10 + 0.25, 20, 4))
    assert (int(mask.header["qform_code"]), int(mask.header["sform_code"])) == (1, 1)
    np.testing.assert_array_equal(read_nifti(tmp_path / "m.nii.gz").data, labels)


def test_values_are_rescaled(tmp_path: Path) -> None:
    whole = write_series(tmp_path / "whole", [0, 1], RescaleSlope=2, RescaleIntercept=-1024)
    scan = read_dicom(whole)
    assert scan.data[:, 0, 0].tolist() == [-1004, -984]
    assert scan.data.dtype == np.int32
    folder = tmp_path / "each"
    folder.mkdir()
    for i, slope in enumerate(["0.5", "0.25"]):
        write_slice(folder / f"{i}.dcm", 10, i, RescaleSlope=slope, RescaleIntercept=1)
    scan = read_dicom(folder)
    assert scan.data[:, 0, 0].tolist() == [6, 3.5]
    assert scan.data.dtype == np.float32


def test_names_without_suffix_and_other_files(tmp_path: Path) -> None:
    folder = tmp_path / "s"
    folder.mkdir()
    for i in range(2):
        write_slice(folder / f"IM{i:04d}", i, i)
    (folder / "LICENSE").write_text("not an image" * 30)
    (folder / "short").write_bytes(b"")
    assert read_dicom(folder).data.shape == (2, 3, 4)


def test_series_in_folders_inside_are_found(tmp_path: Path) -> None:
    write_series(tmp_path / "s", [0, 1])
    assert read_dicom(tmp_path).data.shape == (2, 3, 4)


def test_several_series_are_listed_for_choice(tmp_path: Path) -> None:
    folder = write_series(tmp_path / "s", [0, 1])
    write_series(folder, [0, 1, 2], SeriesNumber=12, SeriesInstanceUID="1.2.4")
    first, second = list_series(folder)
    assert (str(first), second.key) == ("7 'T1' (MR, 2 slices)", "1.2.4")
    with pytest.raises(DataError) as caught:
        read_dicom(folder)
    for part in (str(folder), str(first), str(second), "1.2.4", "choose one by its number"):
        assert part in str(caught.value)
    assert read_dicom(folder, series=12).data.shape[0] == 3
    assert read_dicom(folder, series="1.2.3").meta["series"] == "1.2.3"
    with pytest.raises(DataError, match="0 of them match 5"):
        read_dicom(folder, series=5)


def test_orientations_within_a_series_are_parted(tmp_path: Path) -> None:
    folder = write_series(tmp_path / "s", [0, 1])
    write_slice(folder / "localizer.dcm", 1, 0, ImageOrientationPatient=list(SAGITTAL))
    assert [s.key for s in list_series(folder)] == ["1.2.3", "1.2.3#2"]
    with pytest.raises(DataError, match="2 of them match 7"):
        read_dicom(folder, series=7)
    assert read_dicom(folder, series="1.2.3#2").data.shape == (1, 3, 4)


def test_missing_slices_are_reported_and_the_spacing_is_the_usual(tmp_path: Path) -> None:
    scan = read_dicom(write_series(tmp_path / "s", [0, 2, 4, 8, 10]))
    (note,) = scan.meta["notes"]
    assert "between 7-2.dcm and 7-3.dcm" in note
    assert scan.spacing[0] == 2
    assert scan.affine is not None
    assert scan.affine[2, 2] == 2


def test_duplicate_slices_are_reported(tmp_path: Path) -> None:
    scan = read_dicom(write_series(tmp_path / "s", [0, 2, 2, 4]))
    assert "7-2.dcm" in scan.meta["notes"][0]
    assert scan.data[:, 0, 0].tolist() == [10, 20, 40]


def test_files_and_single_slices(tmp_path: Path) -> None:
    folder = write_series(tmp_path / "s", [0, 2, 4])
    one = read_dicom(folder / "7-1.dcm")
    assert (one.data.shape, one.spacing[0]) == ((1, 3, 4), 9)
    assert one.affine is not None
    np.testing.assert_allclose(one.affine[:3, 3], [-10, -20, 2])
    assert read_dicom([folder / "7-2.dcm", folder / "7-0.dcm"]).spacing[0] == 4


def test_without_positions_the_numbers_decide(tmp_path: Path) -> None:
    folder = tmp_path / "s"
    folder.mkdir()
    for i, number in enumerate([3, 1, 2]):
        ds = dataset(np.full((3, 4), number, np.int16), InstanceNumber=number)
        ds.save_as(folder / f"{i}.dcm", enforce_file_format=True)
    scan = read_dicom(folder)
    assert scan.data[:, 0, 0].tolist() == [1, 2, 3]
    assert (scan.spacing, scan.affine) == ((1, 1, 1), None)
    assert "no positions" in scan.meta["notes"][0]
    write_mask(tmp_path / "m.nii", np.ones(scan.grid_shape, int), scan)
    assert nib.load(tmp_path / "m.nii").shape == (4, 3, 3)


def multiframe(positions: list[float]) -> Dataset:
    pixels = np.stack([np.full((3, 4), i, np.uint16) for i in range(len(positions))])
    ds = dataset(pixels, NumberOfFrames=len(positions))
    orientation, measures, values, shared = Dataset(), Dataset(), Dataset(), Dataset()
    orientation.ImageOrientationPatient = list(AXIAL)
    measures.PixelSpacing, measures.SliceThickness = [0.5, 0.25], 5
    values.RescaleSlope, values.RescaleIntercept = 3, 1
    shared.PlaneOrientationSequence, shared.PixelMeasuresSequence = [orientation], [measures]
    shared.PixelValueTransformationSequence = [values]
    ds.SharedFunctionalGroupsSequence = [shared]
    frames = []
    for z in positions:
        frame, plane = Dataset(), Dataset()
        plane.ImagePositionPatient = [0, 0, z]
        frame.PlanePositionSequence = [plane]
        frames.append(frame)
    ds.PerFrameFunctionalGroupsSequence = frames
    return ds


def test_a_multi_frame_file_is_a_volume(tmp_path: Path) -> None:
    multiframe([4, 0, 2]).save_as(tmp_path / "a.dcm", enforce_file_format=True)
    scan = read_dicom(tmp_path / "a.dcm")
    assert scan.data[:, 0, 0].tolist() == [4, 7, 1]
    assert scan.spacing == (2, 0.5, 0.25)


def test_compressed_pixels(tmp_path: Path) -> None:
    folder = write_series(tmp_path / "s", [0, 1])
    expected = read_dicom(folder).data
    for path in folder.iterdir():
        ds = pydicom.dcmread(path)
        ds.compress(RLELossless)
        ds.save_as(path)
    np.testing.assert_array_equal(read_dicom(folder).data, expected)


def test_colour_comes_last(tmp_path: Path) -> None:
    colour = np.arange(36, dtype=np.uint8).reshape(3, 4, 3)
    ds = dataset(np.zeros((3, 4), np.uint8), SamplesPerPixel=3, PlanarConfiguration=0)
    ds.PhotometricInterpretation, ds.PixelData = "RGB", colour.tobytes()
    ds.BitsAllocated = ds.BitsStored = 8
    ds.HighBit = 7
    ds.save_as(tmp_path / "a.dcm", enforce_file_format=True)
    scan = read_dicom(tmp_path / "a.dcm")
    assert scan.axes == "ZYXC"
    np.testing.assert_array_equal(scan.data, colour[None])


@pytest.mark.parametrize("share", [0, 0.3, 0.9])
def test_a_truncated_slice_is_named(tmp_path: Path, share: float) -> None:
    folder = write_series(tmp_path / "s", [0, 1])
    path = folder / "7-1.dcm"
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])
    with pytest.raises(DataError, match=r"7-1\.dcm.*copy it again"):
        read_dicom(folder)


def test_reports_and_other_objects_are_passed_over(tmp_path: Path) -> None:
    folder = write_series(tmp_path / "s", [0, 1])
    report = dataset(np.zeros((3, 4), np.int16), SOPClassUID=BasicTextSRStorage)
    for keyword in ("Rows", "Columns", "PixelData"):
        delattr(report, keyword)
    report.save_as(folder / "report.dcm", enforce_file_format=True)
    assert len(list_series(folder)) == 1


def test_a_folder_without_dicom_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("x")
    with pytest.raises(DataError, match="holds no DICOM"):
        read_dicom(tmp_path)


def test_a_real_oblique_series(real_data: Path, tmp_path: Path) -> None:
    folder = real_data / "dicom"
    scan = read_dicom(folder)
    assert (scan.data.shape, scan.meta["notes"]) == ((24, 384, 274), ())
    assert scan.spacing == pytest.approx((0.6666667, 0.6666667, 0.6999878), abs=1e-6)
    first, last = (pydicom.dcmread(folder / f"N2D_{i:04d}.dcm") for i in (170, 193))
    np.testing.assert_array_equal(scan.data[-1], last.pixel_array)
    assert scan.affine is not None
    for k, ds in ((0, first), (23, last)):
        place = nib.affines.apply_affine(scan.affine, (0, 0, k)) * [-1, -1, 1]
        np.testing.assert_allclose(place, ds.ImagePositionPatient, atol=1e-3)
    labels = (scan.data > 100).astype(np.uint8)
    write_mask(tmp_path / "m.nii.gz", labels, scan)
    mask = nib.load(tmp_path / "m.nii.gz")
    np.testing.assert_allclose(mask.affine, scan.affine, atol=1e-4)
    np.testing.assert_array_equal(np.asarray(mask.dataobj), labels.T)
