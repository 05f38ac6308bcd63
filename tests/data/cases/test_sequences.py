"""Tests of samples of several sequences, from folders of cases."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import nibabel as nib
import numpy as np
import pytest

from napari_unet_seg.config import NormaliseConfig
from napari_unet_seg.data.cache import read_and_report
from napari_unet_seg.data.dataset import open_dataset
from napari_unet_seg.errors import DataError

if TYPE_CHECKING:
    from pathlib import Path

RANDOM = np.random.default_rng(3)
VOLUME = RANDOM.integers(1, 900, (20, 18, 4)).astype(np.int16)
NORMALISE = NormaliseConfig(per_channel=True)
BOTH = ("T1c", "FLAIR")


def write_case(folder: Path, masked: str = "seg", **kinds: Any) -> None:
    """Write a case with a sequence for each kind, by its affine; the mask lies on the first."""
    folder.mkdir(parents=True)
    for number, (kind, affine) in enumerate(kinds.items(), 1):
        data = (VOLUME // number)[:, :, : 4 if number == 1 else 3]
        nib.save(nib.Nifti1Image(data, affine), folder / f"{folder.name}_{kind}.nii.gz")
    mask = (VOLUME > 500).astype(np.uint8)
    affine = next(iter(kinds.values()))
    nib.save(nib.Nifti1Image(mask, affine), folder / f"{folder.name}_{masked}.nii.gz")


def read(sample: Any) -> tuple[Any, Any]:
    return read_and_report(sample, 2, NORMALISE)[:2]


def test_sequences_are_channels_on_the_grid_of_the_mask(tmp_path: Path) -> None:
    # The mask is on T1c, and FLAIR, which is named first, has a slice less.
    write_case(tmp_path / "A", t1ce=np.eye(4), flair=np.eye(4))
    samples = open_dataset(tmp_path, 2, ["flair", "t1c"])
    assert samples.sequences == ("FLAIR", "T1c")
    assert samples.notes == ("A: FLAIR is put on the grid of T1c by interpolation.",)
    assert len(samples.samples) == 4
    flair, t1c = np.moveaxis(np.stack([read(s)[0] for s in samples.samples]), -1, 0)
    alone = open_dataset(tmp_path, 3, ["T1c"]).samples[0]
    np.testing.assert_array_equal(t1c, read_and_report(alone, 1, NormaliseConfig())[0][..., 0])
    assert flair[:3].any()
    assert not flair[3].any()
    whole, mask = read(open_dataset(tmp_path, 3, ["FLAIR", "T1c"]).samples[0])
    np.testing.assert_array_equal(whole, np.stack([flair, t1c], -1))
    assert mask.shape == whole.shape[:3]


def test_a_case_that_lacks_a_sequence_is_black_there_and_told(tmp_path: Path) -> None:
    write_case(tmp_path / "A", t1c=np.eye(4), flair=np.eye(4))
    write_case(tmp_path / "B", flair=np.eye(4))
    write_case(tmp_path / "C", t2=np.eye(4))
    samples = open_dataset(tmp_path, 3, BOTH)
    assert [s.name for s in samples.samples] == ["A", "B"]
    assert "Of 2 cases some lack a sequence, which is black there: T1c in 1." in samples.notes
    t1c, flair = np.moveaxis(read(samples.samples[1])[0], -1, 0)
    assert (t1c.any(), flair.any()) == (False, True)


def test_a_name_of_no_sequence_is_refused_unless_the_network_may_lack_it(tmp_path: Path) -> None:
    write_case(tmp_path / "A", t1c=np.eye(4), flair=np.eye(4))
    with pytest.raises(DataError, match=r"no.* sequence PD; the cases have T1c \(1\), FLAIR \(1\)"):
        open_dataset(tmp_path, 2, ["T1c", "PD"])
    lacking = open_dataset(tmp_path, 2, ["T1c", "PD"], may_lack=True)
    assert lacking.sequences == ("T1c", "PD")
    with pytest.raises(DataError, match="has the sequence PD"):
        open_dataset(tmp_path, 2, ["PD", "T2"], may_lack=True)


def test_a_network_of_one_sequence_learns_from_the_only_one_of_other_cases(tmp_path: Path) -> None:
    write_case(tmp_path / "A", t2=np.eye(4))
    assert open_dataset(tmp_path, 2, ["FLAIR"], may_lack=True).sequences == ("T2",)


def test_channels_of_one_file_are_sequences(tmp_path: Path) -> None:
    for folder in ("imagesTr", "labelsTr"):
        (tmp_path / folder).mkdir()
    four = np.stack([VOLUME, VOLUME // 2, VOLUME // 3, VOLUME // 4], -1)
    nib.save(nib.Nifti1Image(four, np.eye(4)), tmp_path / "imagesTr" / "b_1.nii.gz")
    mask = (VOLUME > 500).astype(np.uint8)
    nib.save(nib.Nifti1Image(mask, np.eye(4)), tmp_path / "labelsTr" / "b_1.nii.gz")
    (tmp_path / "dataset.json").write_text(
        '{"modality": {"0": "FLAIR", "1": "T1w", "2": "t1gd", "3": "T2w"}, "labels": {"1": "x"}}'
    )
    samples = open_dataset(tmp_path, 3, ["T1c", "FLAIR"])
    found = read_and_report(samples.samples[0], 2, NormaliseConfig())[0]
    for channel, number in enumerate((2, 0)):
        window = samples.samples[0].image.window(NORMALISE)[channel]  # type: ignore[union-attr, index]
        own = four[..., number]
        assert window == tuple(np.percentile(own[own > 0], (1, 99.5)))
    assert found.shape == (4, 18, 20, 2)


def test_a_data_set_without_cases_has_no_sequences(tmp_path: Path) -> None:
    for folder in ("images", "masks"):
        (tmp_path / folder).mkdir()
        nib.save(
            nib.Nifti1Image(np.ones((9, 9, 3), np.uint8), np.eye(4)), tmp_path / folder / "a.nii"
        )
    with pytest.raises(DataError, match="names no sequences; leave T1c and FLAIR out"):
        open_dataset(tmp_path, 3, BOTH)
    assert open_dataset(tmp_path, 3, BOTH, may_lack=True).sequences == ()
