from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import (
    EnhancedMRImageStorage,
    ExplicitVRLittleEndian,
    MRImageStorage,
    SegmentationStorage,
    generate_uid,
)

from napari_unet_seg import __version__
from napari_unet_seg.errors import DataError
from napari_unet_seg.io.common.scan import Scan
from napari_unet_seg.io.dicom.codes import concepts_of
from napari_unet_seg.io.dicom.series import list_series, read_dicom
from napari_unet_seg.io.hashing import sha256
from napari_unet_seg.io.read import read_labels, read_scan
from napari_unet_seg.io.write import write_mask

if TYPE_CHECKING:
    from pathlib import Path

TWO = {
    "categories": [
        {"id": 4, "name": "tumour", "supercategory": "abnormal"},
        {"id": 9, "name": "Ödem", "supercategory": ""},
    ],
    "model": {"path": "best.safetensors", "sha256": "ab"},
}
DOWN = np.array([0.0, 0.8, -0.6])
ACROSS = np.array([1.0, 0.0, 0.0])
NORMAL = np.cross(ACROSS, DOWN)


def image(pixels: np.ndarray, **tags: Any) -> Dataset:
    """A grey image of one series, without its place."""
    meta = FileMetaDataset()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.MediaStorageSOPClassUID = tags.get("SOPClassUID", MRImageStorage)
    meta.MediaStorageSOPInstanceUID = generate_uid()
    ds = Dataset()
    ds.file_meta = meta
    ds.SOPClassUID, ds.SOPInstanceUID = MRImageStorage, meta.MediaStorageSOPInstanceUID
    ds.StudyInstanceUID, ds.SeriesInstanceUID, ds.FrameOfReferenceUID = "1.2.1", "1.2.3", "1.2.9"
    ds.Modality, ds.SeriesNumber, ds.PatientName = "MR", 7, "Muster^Erika"
    ds.Rows, ds.Columns = pixels.shape[-2:]
    ds.SamplesPerPixel, ds.PhotometricInterpretation = 1, "MONOCHROME2"
    ds.BitsAllocated, ds.BitsStored, ds.HighBit, ds.PixelRepresentation = 16, 16, 15, 0
    ds.PixelData = pixels.astype(np.uint16).tobytes()
    for key, value in tags.items():
        setattr(ds, key, value)
    return ds


def place(distance: float) -> list[float]:
    return [round(v, 6) for v in np.array([5, -7, 11]) + distance * NORMAL]


def write_series(folder: Path, distances: list[float], **tags: Any) -> Path:
    """An oblique series whose files are not in the order of the slices."""
    folder.mkdir(exist_ok=True)
    for number, distance in enumerate(distances):
        where = {
            "ImagePositionPatient": place(distance),
            "ImageOrientationPatient": [*ACROSS, *DOWN],
            "PixelSpacing": [0.5, 0.25],
            "SliceThickness": 9,
            "SpacingBetweenSlices": 9,
            "InstanceNumber": number + 1,
        }
        ds = image(np.full((5, 7), number), **{**where, **tags})
        ds.save_as(folder / f"{number}.dcm", enforce_file_format=True)
    return folder


def shared_by_frames() -> Dataset:
    """Orientation and voxel size of a multi-frame file."""
    orientation, measures, shared = Dataset(), Dataset(), Dataset()
    orientation.ImageOrientationPatient = [*ACROSS, *DOWN]
    measures.PixelSpacing, measures.SliceThickness = [0.5, 0.25], 2
    shared.PlaneOrientationSequence, shared.PixelMeasuresSequence = [orientation], [measures]
    return shared


def write_enhanced(path: Path, distances: list[float]) -> Path:
    ds = image(np.zeros((len(distances), 5, 7)), SOPClassUID=EnhancedMRImageStorage)
    ds.NumberOfFrames = len(distances)
    ds.SharedFunctionalGroupsSequence = [shared_by_frames()]
    ds.PerFrameFunctionalGroupsSequence = []
    for distance in distances:
        plane, frame = Dataset(), Dataset()
        plane.ImagePositionPatient = place(distance)
        frame.PlanePositionSequence = [plane]
        ds.PerFrameFunctionalGroupsSequence.append(frame)
    ds.save_as(path, enforce_file_format=True)
    return path


def mask_of(scan: Scan, seed: int = 0) -> np.ndarray:
    """Labels 0 to 2, the first slice empty."""
    labels = np.random.default_rng(seed).integers(0, 3, scan.grid_shape).astype(np.uint8)
    labels[0] = 0
    return labels


def frame_facts(seg: Dataset) -> list[dict[str, Any]]:
    """What each frame says, read with pydicom alone."""
    shared = seg.SharedFunctionalGroupsSequence[0]
    pixels = seg.pixel_array.reshape(-1, seg.Rows, seg.Columns)
    facts = []
    for plane, group in zip(pixels, seg.PerFrameFunctionalGroupsSequence, strict=True):
        own = group if "SegmentIdentificationSequence" in group else shared
        source = group.DerivationImageSequence[0].SourceImageSequence[0]
        facts.append(
            {
                "number": own.SegmentIdentificationSequence[0].ReferencedSegmentNumber,
                "position": group.PlanePositionSequence[0].ImagePositionPatient,
                "source": source.ReferencedSOPInstanceUID,
                "frame": source.get("ReferencedFrameNumber", None),
                "pixels": plane,
            }
        )
    return facts


def check_on_source(path: Path, labels: np.ndarray, headers: list[Dataset]) -> None:
    """The headers are those of the slices, in the order of the labels."""
    seg = pydicom.dcmread(path)
    shared = seg.SharedFunctionalGroupsSequence[0]
    directions = shared.PlaneOrientationSequence[0].ImageOrientationPatient
    spacing = shared.PixelMeasuresSequence[0].PixelSpacing
    facts = frame_facts(seg)
    expected = {(k, v) for k, plane in enumerate(labels) for v in np.unique(plane) if v}
    found = set()
    for fact in facts:
        (k,) = [i for i, ds in enumerate(headers) if ds.SOPInstanceUID == fact["source"]]
        np.testing.assert_allclose(fact["position"], headers[k].ImagePositionPatient, atol=1e-6)
        np.testing.assert_allclose(directions, headers[k].ImageOrientationPatient, atol=1e-9)
        np.testing.assert_allclose(spacing, headers[k].PixelSpacing)
        np.testing.assert_array_equal(fact["pixels"], labels[k] == fact["number"])
        found.add((k, fact["number"]))
    assert found == expected
    assert len(facts) == len(expected)


def test_every_frame_lies_on_its_source(tmp_path: Path) -> None:
    folder = write_series(tmp_path / "s", [4, 0, 6, 2])
    scan = read_dicom(folder)
    labels = mask_of(scan)
    write_mask(tmp_path / "m.dcm", labels, scan, TWO)
    headers = [pydicom.dcmread(folder / f"{i}.dcm") for i in (1, 3, 0, 2)]
    check_on_source(tmp_path / "m.dcm", labels, headers)
    seg = pydicom.dcmread(tmp_path / "m.dcm")
    measures = seg.SharedFunctionalGroupsSequence[0].PixelMeasuresSequence[0]
    # From the positions, not from the header, where it says 9.
    assert float(measures.SpacingBetweenSlices) == pytest.approx(2, abs=1e-5)


def test_highdicom_finds_the_mask_by_its_source(tmp_path: Path) -> None:
    highdicom = pytest.importorskip("highdicom")
    scan = read_dicom(write_series(tmp_path / "s", [4, 0, 6, 2]))
    labels = mask_of(scan)
    write_mask(tmp_path / "m.dcm", labels, scan, TWO)
    seg = highdicom.seg.segread(tmp_path / "m.dcm")
    names = [pydicom.dcmread(path).SOPInstanceUID for path, _ in scan.meta["slices"]]
    found = seg.get_pixels_by_source_instance(
        names, combine_segments=True, assert_missing_frames_are_empty=True
    )
    np.testing.assert_array_equal(found, labels)


def test_a_real_oblique_series(real_data: Path, tmp_path: Path) -> None:
    folder = real_data / "dicom"
    scan = read_dicom(folder)
    labels = (np.asarray(scan.data) > 300).astype(np.uint8)
    labels[:5] = 0
    labels[9, 50:60, 70:90] = 2
    write_mask(tmp_path / "m.dcm", labels, scan, TWO)
    headers = [pydicom.dcmread(p, stop_before_pixels=True) for p in folder.glob("*.dcm")]
    headers.sort(key=lambda ds: int(ds.InstanceNumber))
    check_on_source(tmp_path / "m.dcm", labels, headers)
    again = read_labels(tmp_path / "m.dcm")
    np.testing.assert_array_equal(again.data, labels)
    assert again.affine is not None
    assert scan.affine is not None
    np.testing.assert_allclose(again.affine, scan.affine, atol=1e-4)
    np.testing.assert_allclose(again.spacing, scan.spacing, atol=1e-5)


def test_highdicom_puts_a_real_oblique_mask_where_the_series_lies(
    real_data: Path, tmp_path: Path
) -> None:
    highdicom = pytest.importorskip("highdicom")
    scan = read_dicom(real_data / "dicom")
    labels = (np.asarray(scan.data) > 300).astype(np.uint8)
    write_mask(tmp_path / "m.dcm", labels, scan, TWO)
    volume = highdicom.seg.segread(tmp_path / "m.dcm").get_volume(combine_segments=True)
    assert volume.spatial_shape == labels.shape
    random = np.random.default_rng(0)
    drawn = random.permutation(np.argwhere(labels))[:20]
    for pick in map(tuple, [(0, 0, 0), (23, 383, 273), *random.integers(0, 24, (20, 3)), *drawn]):
        k, row, column = pick
        header = pydicom.dcmread(scan.meta["slices"][k][0], stop_before_pixels=True)
        across, down = np.array(header.ImageOrientationPatient, float).reshape(2, 3)
        between_rows, between_columns = (float(v) for v in header.PixelSpacing)
        expected = np.array(header.ImagePositionPatient, float)
        expected += across * between_columns * column + down * between_rows * row
        # highdicom may stack the slices the other way.
        where = volume.map_reference_to_indices(expected[None], round_output=True)[0]
        found = volume.map_indices_to_reference(np.array([where]))[0]
        np.testing.assert_allclose(found, expected, atol=2e-3)
        assert volume.array[tuple(where)] == labels[pick]


def test_a_multi_frame_source(tmp_path: Path) -> None:
    source = write_enhanced(tmp_path / "e.dcm", [4, 0, 6, 2])
    scan = read_dicom(source)
    labels = mask_of(scan)
    write_mask(tmp_path / "m.dcm", labels, scan, TWO)
    facts = frame_facts(pydicom.dcmread(tmp_path / "m.dcm"))
    order = [1, 3, 0, 2]
    for fact in facts:
        k = order.index(fact["frame"] - 1)
        np.testing.assert_allclose(fact["position"], place(2 * k), atol=1e-6)
        np.testing.assert_array_equal(fact["pixels"], labels[k] == fact["number"])
    assert len(facts) == 6
    np.testing.assert_array_equal(read_labels(tmp_path / "m.dcm").data, labels)


def test_uneven_slices_keep_their_places(tmp_path: Path) -> None:
    scan = read_dicom(write_series(tmp_path / "s", [0, 2, 7]))
    labels = mask_of(scan)
    write_mask(tmp_path / "m.dcm", labels, scan, TWO)
    places = {tuple(f["position"]) for f in frame_facts(pydicom.dcmread(tmp_path / "m.dcm"))}
    assert places == {tuple(place(2)), tuple(place(7))}
    np.testing.assert_array_equal(read_labels(tmp_path / "m.dcm").data, labels)


def test_segments_say_what_and_by_whom(tmp_path: Path) -> None:
    scan = read_dicom(write_series(tmp_path / "s", [0, 2], PatientSex="M"))
    write_mask(tmp_path / "m.dcm", mask_of(scan), scan, TWO)
    seg = pydicom.dcmread(tmp_path / "m.dcm")
    assert (seg.SOPClassUID, seg.SegmentationType, seg.Modality) == (
        SegmentationStorage,
        "BINARY",
        "SEG",
    )
    assert (seg.PatientName, seg.PatientSex, seg.StudyInstanceUID) == ("Muster^Erika", "M", "1.2.1")
    assert (seg.FrameOfReferenceUID, seg.SegmentsOverlap) == ("1.2.9", "NO")
    (referred,) = seg.ReferencedSeriesSequence
    assert (referred.SeriesInstanceUID, len(referred.ReferencedInstanceSequence)) == ("1.2.3", 2)
    first, second = seg.SegmentSequence
    assert [s.SegmentLabel for s in (first, second)] == ["tumour", "Ödem"]
    assert (first.SegmentAlgorithmType, first.SegmentAlgorithmName) == (
        "AUTOMATIC",
        "napari-unet-seg",
    )
    algorithm = first.SegmentationAlgorithmIdentificationSequence[0]
    assert algorithm.AlgorithmVersion == __version__
    kind = first.SegmentedPropertyTypeCodeSequence[0]
    assert (kind.CodeValue, kind.CodingSchemeDesignator) == ("108369006", "SCT")


@pytest.mark.parametrize(
    ("description", "expected"),
    [
        ({"model": {}, "algorithm_type": "SEMIAUTOMATIC"}, "SEMIAUTOMATIC"),
        ({}, "MANUAL"),
        ({"model": {"path": "m"}}, "AUTOMATIC"),
    ],
)
def test_who_drew_it(tmp_path: Path, description: dict[str, Any], expected: str) -> None:
    scan = read_dicom(write_series(tmp_path / "s", [0, 2]))
    write_mask(tmp_path / "m.dcm", mask_of(scan), scan, description)
    segments = pydicom.dcmread(tmp_path / "m.dcm").SegmentSequence
    assert {s.SegmentAlgorithmType for s in segments} == {expected}
    assert [s.SegmentLabel for s in segments] == ["label 1", "label 2"]


@pytest.mark.parametrize(
    ("name", "group", "kind"),
    [
        ("Glioma", "Morphologically Abnormal Structure", "Neoplasm"),
        ("peritumoral oedema", "Morphologically Abnormal Structure", "Edema"),
        ("Lesion 2", "Morphologically Abnormal Structure", "Lesion"),
        ("3", "Tissue", "Tissue"),
    ],
)
def test_concepts_follow_the_name(name: str, group: str, kind: str) -> None:
    assert tuple(c.meaning for c in concepts_of(name)) == (group, kind)


def test_a_category_without_pixels_stays_a_segment(tmp_path: Path) -> None:
    scan = read_dicom(write_series(tmp_path / "s", [0, 2]))
    labels = (mask_of(scan) == 2).astype(np.uint8) * 2
    write_mask(tmp_path / "m.dcm", labels, scan, TWO)
    seg = pydicom.dcmread(tmp_path / "m.dcm")
    assert (len(seg.SegmentSequence), seg.NumberOfFrames) == (2, 1)
    np.testing.assert_array_equal(read_labels(tmp_path / "m.dcm").data, labels)


def test_an_empty_mask_keeps_empty_frames(tmp_path: Path) -> None:
    scan = read_dicom(write_series(tmp_path / "s", [0, 2]))
    write_mask(tmp_path / "m.dcm", np.zeros(scan.grid_shape, np.uint8), scan, TWO)
    seg = pydicom.dcmread(tmp_path / "m.dcm")
    assert int(seg.NumberOfFrames) > 0
    assert not seg.pixel_array.any()
    again = read_labels(tmp_path / "m.dcm")
    assert (again.data.shape, again.data.any()) == ((2, 5, 7), False)


def test_what_the_file_says_comes_back(tmp_path: Path) -> None:
    scan = read_dicom(write_series(tmp_path / "s", [4, 0, 6, 2]))
    names = [{"id": 0, "name": "x" * 90, "supercategory": "s"}, {"id": 7, "name": "a\\b"}]
    told = {**TWO, "categories": names, "source": "/home/me/scan"}
    labels = mask_of(scan)
    write_mask(tmp_path / "m.dcm", labels, scan, told)
    assert b"/home/me" not in (tmp_path / "m.dcm").read_bytes()
    segments = pydicom.dcmread(tmp_path / "m.dcm").SegmentSequence
    assert [s.SegmentLabel for s in segments] == ["x" * 64, "a/b"]
    again = read_labels(tmp_path / "m.dcm")
    np.testing.assert_array_equal(again.data, labels)
    assert (again.data.dtype, again.axes, again.unit) == (np.uint8, "ZYX", "mm")
    description = again.meta["description"]
    assert [c["id"] for c in description["categories"]] == [0, 7]
    assert description["categories"][0]["name"] == "x" * 90
    assert description["model"] == TWO["model"]
    assert again.affine is not None
    assert scan.affine is not None
    np.testing.assert_allclose(again.affine, scan.affine, atol=1e-6)


def test_names_in_any_script(tmp_path: Path) -> None:
    person = {"PatientName": "Müller^Jörg", "SpecificCharacterSet": "ISO_IR 100"}
    scan = read_dicom(write_series(tmp_path / "s", [0, 2], **person))
    told = {"categories": [{"id": 1, "name": "опухоль"}, {"id": 2, "name": "腫瘍"}]}
    write_mask(tmp_path / "m.dcm", mask_of(scan), scan, told)
    seg = pydicom.dcmread(tmp_path / "m.dcm")
    assert [s.SegmentLabel for s in seg.SegmentSequence] == ["опухоль", "腫瘍"]
    assert seg.PatientName == "Müller^Jörg"


def test_a_seg_beside_its_series_can_be_written_again(tmp_path: Path) -> None:
    folder = write_series(tmp_path / "s", [4, 0, 2])
    scan = read_dicom(folder)
    write_mask(folder / "m.dcm", mask_of(scan), scan, TWO)
    opened, changed = read_labels(folder / "m.dcm"), mask_of(scan, 5)
    write_mask(tmp_path / "again.dcm", changed, opened, TWO)
    headers = [pydicom.dcmread(folder / f"{i}.dcm") for i in (1, 2, 0)]
    check_on_source(tmp_path / "again.dcm", changed, headers)
    elsewhere = read_labels(tmp_path / "again.dcm")
    assert "not in the folder of one" in refusal(tmp_path / "third.dcm", elsewhere)


@pytest.mark.parametrize("name", ["mask.dcm", "mask.nii.gz", "mask.tif", "mask.ome.zarr"])
def test_a_mask_beside_its_series_does_not_change_the_series(tmp_path: Path, name: str) -> None:
    folder = write_series(tmp_path / "s", [0, 2])
    before, scan = sha256(folder), read_dicom(folder)
    write_mask(folder / name, mask_of(scan), scan, TWO)
    (folder / "notes.txt").write_text("of the patient")
    assert sha256(folder) == before
    (folder / "1.dcm").unlink()
    assert sha256(folder) != before


def strip_private(path: Path) -> Dataset:
    seg = pydicom.dcmread(path)
    seg.remove_private_tags()
    seg.save_as(path)
    return seg


def test_without_private_elements_the_references_give_the_grid(tmp_path: Path) -> None:
    scan = read_dicom(write_series(tmp_path / "s", [4, 0, 6, 2, 8]))
    labels = mask_of(scan)
    labels[4] = 0
    write_mask(tmp_path / "m.dcm", labels, scan, TWO)
    strip_private(tmp_path / "m.dcm")
    again = read_labels(tmp_path / "m.dcm")
    np.testing.assert_array_equal(again.data, labels)
    names = [c["name"] for c in again.meta["description"]["categories"]]
    assert names == ["tumour", "Ödem"]
    assert again.affine is not None
    assert scan.affine is not None
    np.testing.assert_allclose(again.affine, scan.affine, atol=1e-4)


def test_references_in_another_order_are_not_believed(tmp_path: Path) -> None:
    scan = read_dicom(write_series(tmp_path / "s", [0, 2, 4, 6, 8]))
    labels = mask_of(scan)
    labels[2] = 0
    write_mask(tmp_path / "m.dcm", labels, scan, TWO)
    seg = strip_private(tmp_path / "m.dcm")
    items = list(seg.ReferencedSeriesSequence[0].ReferencedInstanceSequence)
    seg.ReferencedSeriesSequence[0].ReferencedInstanceSequence = [items[i] for i in (3, 1, 0, 4, 2)]
    seg.save_as(tmp_path / "m.dcm")
    again = read_labels(tmp_path / "m.dcm")
    # From the first frame to the last, with the empty slice between them.
    np.testing.assert_array_equal(again.data, labels[1:])
    assert again.affine is not None
    lps = again.affine[:3, 3] * [-1, -1, 1]
    np.testing.assert_allclose(lps, place(2), atol=1e-4)


def foreign(pixels: np.ndarray, numbers: list[int], **tags: Any) -> Dataset:
    """A SEG as another program may write it: 8 bits, one frame a plane, no references."""
    ds = image(pixels[0], SOPClassUID=SegmentationStorage, Modality="SEG")
    ds.NumberOfFrames = len(pixels)
    ds.BitsAllocated = ds.BitsStored = 8
    ds.HighBit, ds.PixelData = 7, pixels.astype(np.uint8).tobytes()
    ds.PixelData += b"\0" * (len(ds.PixelData) % 2)
    ds.SharedFunctionalGroupsSequence = [shared_by_frames()]
    ds.SegmentSequence = []
    for number in sorted({*numbers}):
        segment = Dataset()
        segment.SegmentNumber, segment.SegmentLabel = number, f"part {number}"
        ds.SegmentSequence.append(segment)
    for key, value in tags.items():
        setattr(ds, key, value)
    return ds


def frames(places: list[float], numbers: list[int] | None = None) -> list[Dataset]:
    groups = []
    for i, distance in enumerate(places):
        plane, group, segment = Dataset(), Dataset(), Dataset()
        plane.ImagePositionPatient = place(distance)
        group.PlanePositionSequence = [plane]
        if numbers:
            segment.ReferencedSegmentNumber = numbers[i]
            group.SegmentIdentificationSequence = [segment]
        groups.append(group)
    return groups


def test_a_fractional_seg_of_another_program(tmp_path: Path) -> None:
    pixels = np.zeros((2, 2, 3))
    pixels[0, 0], pixels[1, 1] = [127, 128, 255], [255, 0, 100]
    ds = foreign(
        pixels,
        [1, 2],
        SegmentationType="FRACTIONAL",
        MaximumFractionalValue=255,
        PerFrameFunctionalGroupsSequence=frames([2, 0], [1, 2]),
    )
    ds.save_as(tmp_path / "m.dcm", enforce_file_format=True)
    labels = read_labels(tmp_path / "m.dcm")
    assert labels.data[:, :, :].tolist() == [[[0, 0, 0], [2, 0, 0]], [[0, 1, 1], [0, 0, 0]]]


def test_a_label_map_of_another_program(tmp_path: Path) -> None:
    pixels = np.array([[[0, 3, 9]], [[9, 9, 0]]])
    ds = foreign(
        pixels,
        [0, 3, 9],
        SOPClassUID="1.2.840.10008.5.1.4.1.1.66.7",
        SegmentationType="LABELMAP",
        PerFrameFunctionalGroupsSequence=frames([0, 2]),
    )
    ds.save_as(tmp_path / "m.dcm", enforce_file_format=True)
    labels = read_labels(tmp_path / "m.dcm")
    assert labels.data.tolist() == [[[0, 1, 2]], [[2, 2, 0]]]
    assert [c["name"] for c in labels.meta["description"]["categories"]] == ["part 3", "part 9"]


def test_overlapping_segments_are_refused(tmp_path: Path) -> None:
    ds = foreign(
        np.ones((2, 2, 3)),
        [1, 2],
        SegmentationType="BINARY",
        PerFrameFunctionalGroupsSequence=frames([0, 0], [1, 2]),
    )
    ds.save_as(tmp_path / "m.dcm", enforce_file_format=True)
    with pytest.raises(DataError, match=r"m\.dcm has overlapping segments"):
        read_labels(tmp_path / "m.dcm")


def test_a_mask_beside_its_series_is_passed_over(tmp_path: Path) -> None:
    folder = write_series(tmp_path / "s", [0, 2])
    scan = read_dicom(folder)
    write_mask(folder / "mask.dcm", mask_of(scan), scan, TWO)
    assert len(list_series(folder)) == 1
    assert read_scan(folder).data.shape == (2, 5, 7)


def test_the_previous_version_is_kept(tmp_path: Path) -> None:
    scan = read_dicom(write_series(tmp_path / "s", [0, 2]))
    first, second = mask_of(scan, 1), mask_of(scan, 2)
    write_mask(tmp_path / "m.dcm", first, scan, TWO)
    write_mask(tmp_path / "m.dcm", second, scan, TWO)
    np.testing.assert_array_equal(read_labels(tmp_path / "m.dcm").data, second)
    np.testing.assert_array_equal(read_labels(tmp_path / "m.bak.dcm").data, first)
    with pytest.raises(DataError, match="unreviewed pixels"):
        write_mask(tmp_path / "m.dcm", np.full(scan.grid_shape, 255, np.uint8), scan, TWO)
    np.testing.assert_array_equal(read_labels(tmp_path / "m.dcm").data, second)
    assert {p.name for p in tmp_path.iterdir()} == {"s", "m.dcm", "m.bak.dcm"}


def refusal(path: Path, scan: Scan) -> str:
    with pytest.raises(DataError) as caught:
        write_mask(path, np.ones(scan.grid_shape, np.uint8), scan, TWO)
    assert not path.exists()
    message = str(caught.value)
    assert str(path) in message
    assert ".nii.gz" in message
    return message


def test_what_cannot_be_referred_to_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "m.dcm"
    assert "not a DICOM series" in refusal(path, Scan(np.zeros((2, 5, 7)), "ZYX"))

    echoes = write_series(tmp_path / "t", [0, 2], EchoTime=5)
    for p in write_series(tmp_path / "u", [0, 2], EchoTime=50).iterdir():
        p.rename(echoes / f"second-{p.name}")
    assert "several times or echoes" in refusal(path, read_dicom(echoes))

    lost = write_series(tmp_path / "l", [0, 2], ImagePositionPatient=None)
    assert "have no positions" in refusal(path, read_dicom(lost))

    alone = write_series(tmp_path / "a", [0, 2], FrameOfReferenceUID="")
    assert "has no FrameOfReferenceUID" in refusal(path, read_dicom(alone))

    parts = tmp_path / "parts"
    parts.mkdir()
    write_enhanced(parts / "1.dcm", [0, 2])
    write_enhanced(parts / "2.dcm", [4, 6])
    assert "one multi-frame file" in refusal(path, read_dicom(parts))


def test_source_files_that_are_gone_are_named(tmp_path: Path) -> None:
    folder = write_series(tmp_path / "s", [0, 2])
    scan = read_dicom(folder)
    (folder / "1.dcm").unlink()
    with pytest.raises(DataError, match=r"1\.dcm does not exist"):
        write_mask(tmp_path / "m.dcm", mask_of(scan), scan, TWO)


def test_without_the_extra_it_says_how_to_install_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scan = read_dicom(write_series(tmp_path / "s", [0, 2]))
    monkeypatch.setitem(sys.modules, "highdicom", None)
    with pytest.raises(DataError) as caught:
        write_mask(tmp_path / "m.dcm", mask_of(scan), scan, TWO)
    assert 'pip install "napari-unet-seg[dicom-seg]"' in str(caught.value)


def test_reading_needs_no_extra(tmp_path: Path) -> None:
    scan = read_dicom(write_series(tmp_path / "s", [0, 2]))
    write_mask(tmp_path / "m.dcm", mask_of(scan), scan, TWO)
    code = (
        "import sys, json; from napari_unet_seg.io.read import read_labels, read_scan;"
        f"read_labels({str(tmp_path / 'm.dcm')!r}); read_scan({str(tmp_path / 's')!r});"
        "import napari_unet_seg.io.dicom.seg_write; print(json.dumps('highdicom' in sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) is False
