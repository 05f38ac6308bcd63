from __future__ import annotations

from typing import TYPE_CHECKING, Any

import nibabel as nib
import numpy as np
import pydicom
import pytest
from pydicom.datadict import tag_for_keyword
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import (
    BasicTextSRStorage,
    ExplicitVRLittleEndian,
    MRImageStorage,
    RLELossless,
    generate_uid,
)

from napari_unet_seg.errors import DataError
from napari_unet_seg.io.dicom.series import list_series, read_dicom
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


@pytest.mark.parametrize(
    ("claimed", "compressed", "reason"),
    [
        (None, False, "3 frames and its header claims 1"),
        (1, False, "3 frames and its header claims 1"),
        (2, False, "3 frames and its header claims 2"),
        (2, True, "3 frames and its header claims 2"),
        (4, False, "72 vs 96 bytes"),
        (4, True, "fewer than the 4 frames"),
    ],
)
def test_another_number_of_frames_than_the_header_claims_is_refused(
    tmp_path: Path, claimed: int | None, compressed: bool, reason: str
) -> None:
    ds = dataset(np.arange(36, dtype=np.uint16).reshape(3, 3, 4), NumberOfFrames=3)
    if compressed:
        ds.compress(RLELossless)
    ds.NumberOfFrames = claimed
    ds.save_as(tmp_path / "a.dcm", enforce_file_format=True)
    with pytest.raises(DataError, match=rf"a\.dcm.*{reason}"):
        read_dicom(tmp_path / "a.dcm")


@pytest.mark.parametrize(
    ("tags", "step"),
    [
        ({"GridFrameOffsetVector": [0, 3, 6], "SliceThickness": 9}, 3),
        ({"GridFrameOffsetVector": [5, 8, 11]}, 3),
        ({"SpacingBetweenSlices": 4, "SliceThickness": 9}, 4),
        ({"SliceThickness": 9}, 9),
    ],
)
def test_frames_of_one_position_are_a_volume(
    tmp_path: Path, tags: dict[str, Any], step: float
) -> None:
    pixels = np.arange(36, dtype=np.uint16).reshape(3, 3, 4)
    geometry = {"ImagePositionPatient": [1, 2, 5], "ImageOrientationPatient": list(AXIAL)}
    ds = dataset(pixels, NumberOfFrames=3, PixelSpacing=[0.5, 0.25], **geometry, **tags)
    ds.save_as(tmp_path / "a.dcm", enforce_file_format=True)
    scan = read_dicom(tmp_path / "a.dcm")
    np.testing.assert_array_equal(scan.data, pixels)
    assert (scan.spacing, scan.meta["notes"]) == ((step, 0.5, 0.25), ())
    assert scan.affine is not None
    assert scan.affine[2].tolist() == [0, 0, step, 5]


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


def independent_world(ds: Dataset, row: int, column: int) -> np.ndarray:
    """RAS+ of a pixel, by the equation of PS3.3 C.7.6.2.1.1 and nothing else."""
    x, y = (np.array(ds.ImageOrientationPatient[i : i + 3], float) for i in (0, 3))
    between_rows, between_columns = (float(v) for v in ds.PixelSpacing)
    lps = np.array(ds.ImagePositionPatient, float) + x * between_columns * column
    return (lps + y * between_rows * row) * [-1, -1, 1]


def oblique(angle: float = 0.4) -> tuple[list[float], np.ndarray]:
    """Directions of rows and columns that lie askew, and their normal."""
    c, s = np.cos(angle), np.sin(angle)
    across = np.array([c, s * 0.6, s * 0.8])
    down = np.cross([0.1, -0.8, 0.6], across)
    down /= np.linalg.norm(down)
    return [*across, *down], np.cross(across, down)


def test_a_mask_of_oblique_slices_lies_where_the_standard_says(tmp_path: Path) -> None:
    orientation, normal = oblique()
    folder = tmp_path / "s"
    folder.mkdir()
    for i in (2, 0, 1):
        place = np.array([5, -7, 11]) + 2.5 * i * normal
        tags = {"ImagePositionPatient": list(place), "ImageOrientationPatient": orientation}
        write_slice(folder / f"{i}.dcm", i + 1, 0, **tags)
    scan = read_dicom(folder)
    labels = np.arange(scan.data.size, dtype=np.uint8).reshape(scan.data.shape)
    write_mask(tmp_path / "m.nii.gz", labels, scan)
    mask = nib.load(tmp_path / "m.nii.gz")
    values = np.asarray(mask.dataobj)
    for i, row, column in np.ndindex(labels.shape):
        (index,) = np.argwhere(values == labels[i, row, column])
        expected = independent_world(pydicom.dcmread(folder / f"{i}.dcm"), row, column)
        world = nib.affines.apply_affine(mask.affine, index)
        np.testing.assert_allclose(world, expected, atol=1e-4)


def test_a_tilted_gantry_makes_a_sheared_grid(tmp_path: Path) -> None:
    folder = tmp_path / "s"
    folder.mkdir()
    for i in range(3):
        write_slice(folder / f"{i}.dcm", i + 1, 0, ImagePositionPatient=[10, 20 + i, 3 * i])
    scan = read_dicom(folder)
    assert (scan.spacing[0], scan.meta["notes"]) == (pytest.approx(3), ())
    write_mask(tmp_path / "m.nii", np.ones(scan.grid_shape, int), scan)
    mask = nib.load(tmp_path / "m.nii")
    assert int(mask.header["qform_code"]) == 0
    for i in range(3):
        expected = independent_world(pydicom.dcmread(folder / f"{i}.dcm"), 2, 1)
        world = nib.affines.apply_affine(mask.affine, (1, 2, i))
        np.testing.assert_allclose(world, expected, atol=1e-4)


@pytest.mark.parametrize(
    ("zs", "words"),
    [
        ([0, 2, 3, 6, 8], "1 to 3 mm apart, usually 2 mm"),
        ([0, 2, 5, 7, 10, 12, 15, 17, 19, 22, 24], "2 to 3 mm apart"),
    ],
)
def test_uneven_slices_are_reported(tmp_path: Path, zs: list[float], words: str) -> None:
    scan = read_dicom(write_series(tmp_path / "s", zs))
    (note,) = scan.meta["notes"]
    assert words in note
    assert "DICOM SEG keeps" in note
    assert scan.spacing[0] == 2


def test_a_slice_beside_the_line_of_the_others_is_reported(tmp_path: Path) -> None:
    folder = write_series(tmp_path / "s", [0, 2, 4, 6])
    write_slice(folder / "7-2.dcm", 30, 4, ImagePositionPatient=[11, 20, 4])
    (note,) = read_dicom(folder).meta["notes"]
    assert "7-2.dcm is 1 mm off the line" in note


def test_slices_side_by_side_are_refused(tmp_path: Path) -> None:
    folder = write_series(tmp_path / "s", [0, 2])
    write_slice(folder / "aside.dcm", 30, 2, ImagePositionPatient=[60, 20, 2])
    with pytest.raises(
        DataError, match=r"aside\.dcm lies in the plane of 7-1\.dcm.* a folder outside"
    ):
        read_dicom(folder)


def test_a_slice_without_position_among_others_is_refused(tmp_path: Path) -> None:
    folder = write_series(tmp_path / "s", [0, 2])
    write_slice(folder / "lost.dcm", 30, 2, ImagePositionPatient=None)
    with pytest.raises(DataError, match=r"lost\.dcm has no position, .* copy it again"):
        read_dicom(folder)


def test_a_single_image_without_position_needs_no_warning(tmp_path: Path) -> None:
    ds = dataset(np.full((3, 4), 5, np.int16), PixelSpacing=[0.5, 0.25])
    ds.save_as(tmp_path / "a.dcm", enforce_file_format=True)
    scan = read_dicom(tmp_path / "a.dcm")
    assert (scan.axes, scan.spacing, scan.affine) == ("ZYX", (1, 0.5, 0.25), None)
    assert scan.meta["notes"] == ()


def write_moments(folder: Path, zs: list[float], moments: list[dict[str, Any]]) -> Path:
    """Write a slice for each place and moment, of the value 10 × moment + place."""
    folder.mkdir()
    for t, tags in enumerate(moments):
        for i, z in enumerate(zs):
            write_slice(folder / f"{t}-{i}.dcm", 10 * (t + 1) + i, z, **tags)
    return folder


@pytest.mark.parametrize(
    "moments",
    [
        [{"EchoTime": 11}, {"EchoTime": 90}],
        [{"TemporalPositionIdentifier": 1}, {"TemporalPositionIdentifier": 2}],
        [{"DiffusionBValue": 0.0}, {"DiffusionBValue": 1000.0}],
        [{"AcquisitionNumber": 1}, {"AcquisitionNumber": 2}],
        [{"ImageType": ["ORIGINAL", "PRIMARY", "M"]}, {"ImageType": ["ORIGINAL", "PRIMARY", "P"]}],
    ],
)
def test_echoes_and_times_are_volumes_of_their_own(
    tmp_path: Path, moments: list[dict[str, Any]]
) -> None:
    scan = read_dicom(write_moments(tmp_path / "s", [4, 0, 2], moments))
    assert (scan.axes, scan.spacing) == ("TZYX", (1, 2, 0.5, 0.25))
    assert scan.data[..., 0, 0].tolist() == [[11, 12, 10], [21, 22, 20]]
    assert scan.meta["notes"] == ()
    assert [p.name for p, _ in scan.meta["slices"]][:4] == [
        "0-1.dcm",
        "0-2.dcm",
        "0-0.dcm",
        "1-1.dcm",
    ]
    write_mask(tmp_path / "m.nii", np.asarray(scan.data), scan)
    mask = nib.load(tmp_path / "m.nii")
    assert mask.shape == (4, 3, 3, 2)
    assert np.asarray(mask.dataobj)[0, 0, :, 1].tolist() == [21, 22, 20]
    np.testing.assert_allclose(mask.affine[:3, 3], [-10, -20, 0])


def test_an_echo_that_lacks_a_slice_is_refused(tmp_path: Path) -> None:
    folder = write_moments(tmp_path / "s", [0, 2, 4], [{"EchoTime": 11}, {"EchoTime": 90}])
    (folder / "1-1.dcm").unlink()
    with pytest.raises(
        DataError, match=r"differ by echo: 2 .* and 1 at the position of 0-1\.dcm; copy"
    ):
        read_dicom(folder)


def test_a_slice_that_was_taken_again_is_a_duplicate(tmp_path: Path) -> None:
    folder = write_series(tmp_path / "s", [0, 2, 4], AcquisitionNumber=1)
    write_slice(folder / "again.dcm", 99, 2, AcquisitionNumber=2)
    scan = read_dicom(folder)
    assert scan.axes == "ZYX"
    assert (
        "1 slices have the position of another slice and are skipped: again.dcm."
        in scan.meta["notes"]
    )


@pytest.mark.parametrize(
    ("dtype", "bits", "expected"),
    [(np.uint16, 12, [4095, 4094, 0]), (np.int16, 16, [-1, -2, -4096])],
)
def test_monochrome1_is_turned_round(
    tmp_path: Path, dtype: Any, bits: int, expected: list[int]
) -> None:
    pixels = np.array([[0, 1, 4095]], dtype)
    tags = {"BitsStored": bits, "HighBit": bits - 1, "PhotometricInterpretation": "MONOCHROME1"}
    dataset(pixels, **tags).save_as(tmp_path / "a.dcm", enforce_file_format=True)
    scan = read_dicom(tmp_path / "a.dcm")
    assert scan.data[0, 0].tolist() == expected
    assert scan.data.dtype == dtype


def test_signed_values_of_few_bits(tmp_path: Path) -> None:
    # -1 in 12 of 16 bits is 0x0FFF.
    pixels = np.array([[0x0FFF, 0x0800, 0x07FF]], np.uint16)
    ds = dataset(pixels, BitsStored=12, HighBit=11, PixelRepresentation=1)
    ds.save_as(tmp_path / "a.dcm", enforce_file_format=True)
    assert read_dicom(tmp_path / "a.dcm").data[0, 0].tolist() == [-1, -2048, 2047]


def palette(colours: Any) -> Dataset:
    """An image of indices into a palette of 16 bits, of shape (n, 3)."""
    ds = dataset(np.array([[0, 1], [2, 1]], np.uint8), PhotometricInterpretation="PALETTE COLOR")
    ds.BitsAllocated, ds.BitsStored, ds.HighBit = 8, 8, 7
    for name, table in zip(("Red", "Green", "Blue"), np.transpose(colours), strict=True):
        keyword = f"{name}PaletteColorLookupTable"
        ds.add_new(tag_for_keyword(f"{keyword}Descriptor"), "US", [len(table), 0, 16])
        setattr(ds, f"{keyword}Data", table.astype("<u2").tobytes())
    return ds


def test_colours_of_a_palette_are_looked_up(tmp_path: Path) -> None:
    colours = np.array([[0, 0, 0], [65535, 0, 256], [512, 65280, 0]])
    palette(colours).save_as(tmp_path / "a.dcm", enforce_file_format=True)
    scan = read_dicom(tmp_path)
    assert (scan.axes, scan.data.dtype) == ("ZYXC", np.uint8)
    assert scan.data[0].tolist() == [[[0, 0, 0], [255, 0, 1]], [[2, 255, 0], [255, 0, 1]]]


def test_a_palette_of_greys_gives_greys(tmp_path: Path) -> None:
    greys = palette([[i, i, i] for i in (7, 900, 40000)])
    greys.save_as(tmp_path / "a.dcm", enforce_file_format=True)
    scan = read_dicom(tmp_path)
    assert (scan.axes, scan.data.dtype) == ("ZYX", np.uint16)
    assert scan.data[0].tolist() == [[7, 900], [40000, 900]]


def test_a_missing_palette_is_refused(tmp_path: Path) -> None:
    ds = dataset(np.zeros((3, 4), np.uint16), PhotometricInterpretation="PALETTE COLOR")
    ds.save_as(tmp_path / "a.dcm", enforce_file_format=True)
    with pytest.raises(DataError, match=r"a\.dcm holds colours of a palette, .* is missing"):
        read_dicom(tmp_path)


def test_noise_in_the_orientation_does_not_part_a_series(tmp_path: Path) -> None:
    folder = tmp_path / "s"
    folder.mkdir()
    for i, noise in enumerate([0.00499, 0.00501, 0.005]):
        write_slice(folder / f"{i}.dcm", i, i, ImageOrientationPatient=[1, noise, 0, -noise, 1, 0])
    assert read_dicom(folder).data.shape == (3, 3, 4)


def test_each_frame_of_an_enhanced_file_has_its_own_scale_and_place(tmp_path: Path) -> None:
    ds = multiframe([4, 0, 2])
    ds.SharedFunctionalGroupsSequence[0].PixelValueTransformationSequence = []
    ds.SliceThickness = 77
    for i, frame in enumerate(ds.PerFrameFunctionalGroupsSequence):
        values = Dataset()
        values.RescaleSlope, values.RescaleIntercept = i + 1, 100 * i
        frame.PixelValueTransformationSequence = [values]
    ds.save_as(tmp_path / "a.dcm", enforce_file_format=True)
    scan = read_dicom(tmp_path / "a.dcm")
    assert scan.data[:, 0, 0].tolist() == [102, 206, 0]
    assert scan.meta["slices"] == tuple((tmp_path / "a.dcm", i) for i in (1, 2, 0))
    assert scan.affine is not None
    np.testing.assert_allclose(scan.affine[:3, 2:], [[0, 0], [0, 0], [2, 0]])


def test_echoes_of_an_enhanced_file_are_volumes(tmp_path: Path) -> None:
    ds = multiframe([0, 0, 2, 2])
    for i, frame in enumerate(ds.PerFrameFunctionalGroupsSequence):
        echo = Dataset()
        echo.EffectiveEchoTime = 10.0 + 80 * (i % 2)
        frame.MREchoSequence = [echo]
    ds.save_as(tmp_path / "a.dcm", enforce_file_format=True)
    scan = read_dicom(tmp_path / "a.dcm")
    assert scan.axes == "TZYX"
    assert scan.data[..., 0, 0].tolist() == [[1, 7], [4, 10]]


def test_a_mask_of_the_real_oblique_series_lies_where_the_standard_says(
    real_data: Path, tmp_path: Path
) -> None:
    folder = real_data / "dicom"
    scan = read_dicom(folder)
    labels = np.zeros(scan.data.shape, np.uint8)
    picks = [(0, 0, 0), (3, 383, 0), (11, 200, 273), (23, 7, 99)]
    for value, pick in enumerate(picks, 1):
        labels[pick] = value
    write_mask(tmp_path / "m.nii.gz", labels, scan)
    mask = nib.load(tmp_path / "m.nii.gz")
    values = np.asarray(mask.dataobj)
    headers = sorted(
        (pydicom.dcmread(p, stop_before_pixels=True) for p in folder.glob("*.dcm")),
        key=lambda ds: float(ds.InstanceNumber),
    )
    for value, (k, row, column) in enumerate(picks, 1):
        (index,) = np.argwhere(values == value)
        world = nib.affines.apply_affine(mask.affine, index)
        # The positions are stored with a rounding of their own.
        np.testing.assert_allclose(world, independent_world(headers[k], row, column), atol=1e-3)
