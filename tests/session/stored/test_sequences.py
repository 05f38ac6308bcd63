"""The other sequences of a session's case are recorded, and opened again with it."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import nibabel as nib
import numpy as np
import pytest

from napari_unet_seg.config import Category
from napari_unet_seg.io.read import read_scan
from napari_unet_seg.session.review_queue import ReviewState
from napari_unet_seg.session.samples import training_samples
from napari_unet_seg.session.session import Session
from napari_unet_seg.session.stored.record import Origin
from napari_unet_seg.session.stored.sequences import OtherSequence, open_sequences

if TYPE_CHECKING:
    from pathlib import Path

TUMOUR = (Category(id=7, name="tumour"),)
SHAPES = {"FLAIR": (3, 20, 24), "T1c": (3, 20, 24), "T2": (6, 10, 12)}


def voxels(name: str) -> np.ndarray:
    seed = sorted(SHAPES).index(name)
    return np.random.default_rng(seed).integers(1, 200, SHAPES[name]).astype(np.int16)


def sequence(folder: Path, name: str) -> OtherSequence:
    path = folder / f"{name}.nii.gz"
    return OtherSequence(name, f"p1 {name}", read_scan(path))


@pytest.fixture
def disk(tmp_path: Path) -> Path:
    """A folder with a case of three sequences, and a session on FLAIR."""
    scans = tmp_path / "disk" / "p1"
    scans.mkdir(parents=True)
    for name in SHAPES:
        nib.save(nib.Nifti1Image(voxels(name).T, np.eye(4)), scans / f"{name}.nii.gz")
    main, *others = (sequence(scans, name) for name in SHAPES)
    labels = np.zeros(main.scan.grid_shape, np.uint8)
    labels[:, 5:9, 5:9] = 1
    session = Session.create(
        tmp_path / "disk" / "sessions" / "p1",
        main.scan,
        TUMOUR,
        labels,
        origin=Origin(scan=str(main.scan.path), case="p1"),
        sequence="FLAIR",
        others=others,
    )
    session.set_states({1: ReviewState.ACCEPTED})
    session.save()
    return tmp_path / "disk"


def opened(folder: Path) -> tuple[dict[str, OtherSequence], list[str]]:
    sequences, problems = open_sequences(Session.open(folder).record.sequences, folder)
    return {each.name: each for each in sequences}, problems


def test_path_hash_grid_and_name_are_recorded_the_main_sequence_first(disk: Path) -> None:
    values = json.loads((disk / "sessions" / "p1" / "session.json").read_text())
    main, others = values["scan"], [each["scan"] for each in values["sequences"]]
    assert [each["sequence"] for each in (main, *others)] == ["FLAIR", "T1c", "T2"]
    for each in (main, *others):
        name = each["sequence"]
        assert each["paths"] == [str(disk / "p1" / f"{name}.nii.gz")]
        assert tuple(each["shape"]) == SHAPES[name]
        assert len(each["sha256"]) == 64


def test_the_sequences_are_opened_again(disk: Path) -> None:
    sequences, problems = opened(disk / "sessions" / "p1")
    assert (list(sequences), problems) == (["T1c", "T2"], [])
    for name, each in sequences.items():
        np.testing.assert_array_equal(np.asarray(each.scan.data), read_scan(each.scan.path).data)
        assert each.layer == f"p1 {name}"


def test_they_are_found_where_they_were_moved_with_the_session(disk: Path) -> None:
    moved = disk.rename(disk.with_name("elsewhere"))
    sequences, problems = opened(moved / "sessions" / "p1")
    assert problems == []
    assert sequences["T2"].scan.path == moved / "p1" / "T2.nii.gz"


def test_a_sequence_that_is_missing_or_has_changed_is_left_out_with_a_sentence(disk: Path) -> None:
    (disk / "p1" / "T1c.nii.gz").unlink()
    (disk / "p1" / "FLAIR.nii.gz").replace(disk / "p1" / "T2.nii.gz")
    nib.save(nib.Nifti1Image(voxels("FLAIR").T, np.eye(4)), disk / "p1" / "FLAIR.nii.gz")
    folder = disk / "sessions" / "p1"
    sequences, (first, second) = open_sequences(Session.open(folder).record.sequences, folder)
    assert sequences == []
    assert "T1c.nii.gz" in first
    assert "missing" in first
    assert "T2.nii.gz changed" in second


def test_learning_takes_the_sequence_that_the_mask_was_made_from(disk: Path) -> None:
    (sample,) = training_samples(Session.open(disk / "sessions" / "p1")).samples
    flair = read_scan(disk / "p1" / "FLAIR.nii.gz")
    np.testing.assert_array_equal(np.asarray(sample.image), flair.data[1])


def test_a_channel_of_four_dimensions_is_a_sequence(tmp_path: Path) -> None:
    whole = np.stack([voxels("FLAIR"), voxels("T1c")])
    nib.save(nib.Nifti1Image(whole.T, np.eye(4)), tmp_path / "a.nii.gz")
    scan = read_scan(tmp_path / "a.nii.gz")
    one = read_scan(tmp_path / "a.nii.gz").data[1]
    channel = replace(scan, data=one, axes="ZYX", spacing=scan.spacing[-3:])
    labels = np.zeros(one.shape, np.uint8)
    other = OtherSequence("T1c", "a T1c", channel, 1)
    Session.create(tmp_path / "s", channel, TUMOUR, labels, others=[other])
    sequences, problems = opened(tmp_path / "s")
    assert problems == []
    np.testing.assert_array_equal(np.asarray(sequences["T1c"].scan.data), one)


def test_a_session_from_before_is_written_with_the_present_version(disk: Path) -> None:
    file = disk / "sessions" / "p1" / "session.json"
    values = json.loads(file.read_text())
    del values["sequences"], values["origin"]["case"]
    del values["scan"]["sequence"], values["scan"]["channel"]
    file.write_text(json.dumps(values | {"format": 2}))
    session = Session.open(disk / "sessions" / "p1")
    assert session.record.sequences == ()
    session.set_states({0: ReviewState.ACCEPTED})
    session.save()
    assert json.loads(file.read_text())["format"] == "2.6"
