"""Sessions with corrections, exported to nnU-Net, opened here again and trained on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import nibabel as nib
import numpy as np
import pytest

from napari_unet_seg.cli import main
from napari_unet_seg.config import IGNORE_INDEX, Category
from napari_unet_seg.io.cases.plan import plan_folder
from napari_unet_seg.io.cases.read import read_case_mask
from napari_unet_seg.io.masks.labels import stored_categories
from napari_unet_seg.io.masks.palette import stored_palette
from napari_unet_seg.io.provenance import provenance
from napari_unet_seg.io.read import read_scan
from napari_unet_seg.io.write import write_mask
from napari_unet_seg.models.header import read_header
from napari_unet_seg.session.review_queue import ReviewState
from napari_unet_seg.session.session import Session
from napari_unet_seg.session.stored.record import LayersRecord
from napari_unet_seg.session.stored.sequences import OtherSequence
from napari_unet_seg.training.run import Run

if TYPE_CHECKING:
    from pathlib import Path

SHAPE = (4, 32, 32)
NAMES = ("core", "oedema")
COLOURS = {"oedema": "#102030", "core": "#405060"}
TINY = ("image_size=32", "model.width=4", "model.depth=1", "threads=1", "precision=float32")


def corrected(folder: Path, name: str, seed: int) -> Any:
    """Correct a case of two sequences in a session; return its mask."""
    random = np.random.default_rng(seed)
    scans = []
    for sequence in ("flair", "t1ce"):
        path = folder / "scans" / f"{name}_{sequence}.nii.gz"
        path.parent.mkdir(parents=True, exist_ok=True)
        pixels = random.normal(100, 9, SHAPE).astype(np.float32)
        nib.save(nib.Nifti1Image(pixels.T, np.diag([-1, -1, 3, 1])), path)
        scans.append(read_scan(path))
    session = Session.create(
        folder / "sessions" / name,
        scans[0],
        tuple(Category(id=i, name=n) for i, n in enumerate(NAMES)),
        np.zeros(SHAPE, np.uint8),
        layers=LayersRecord(palette=tuple(COLOURS.items())),
        sequence="FLAIR",
        others=[OtherSequence("T1c", f"{name} T1c", scans[1])],
    )
    labels = np.zeros(SHAPE, np.uint8)
    labels[1:3, 4:20, 4:20], labels[2, 8:12, 8:12] = 2, 1
    session.save_mask(labels)
    session.set_states(dict.fromkeys(range(3), ReviewState.ACCEPTED))
    session.save()
    labels[3] = IGNORE_INDEX  # it was not accepted
    return labels


def test_what_was_corrected_comes_back_and_is_trained_on(tmp_path: Path) -> None:
    masks = {name: corrected(tmp_path, name, seed) for seed, name in enumerate(("A", "B"))}
    folder, run = tmp_path / "Dataset001_corrected", tmp_path / "run"
    command = ["export", tmp_path / "sessions", "--format", "nnunet", "--out", folder]
    assert main([str(word) for word in command]) == 0

    plan = plan_folder(folder)
    assert plan.sequences == ("FLAIR", "T1c")
    assert plan.categories == tuple(enumerate(NAMES, 1))
    assert {case.name for case in plan.cases} == set(masks)
    for case in plan.cases:
        found = read_case_mask(case).labels
        np.testing.assert_array_equal(found.data, masks[case.name])
        described = found.meta["description"]
        assert [category.name for category in stored_categories(described)] == list(NAMES)
        assert stored_palette(described) == COLOURS

    settings = [word for setting in TINY for word in ("--set", setting)]
    sequences = ["--sequence", "FLAIR", "--sequence", "T1c", "--epochs", "1", "--device", "cpu"]
    assert main(["train", str(folder), "--out", str(run), *sequences, *settings]) == 0
    header = read_header(Run(run).best)
    assert header.sequences == ("FLAIR", "T1c")
    assert [category.name for category in header.categories] == list(NAMES)


@pytest.mark.parametrize("other", ["", "core"])
def test_names_that_masks_store_are_those_of_the_export_if_all_agree(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], other: str
) -> None:

    for name, categories in (("A", NAMES), ("B", (*NAMES[:1], other or NAMES[1]))):
        path = tmp_path / "study" / name / f"{name}_flair.nii.gz"
        path.parent.mkdir(parents=True)
        nib.save(nib.Nifti1Image(np.ones(SHAPE[::-1], np.int16), np.eye(4)), path)
        scan, labels = read_scan(path), np.zeros(SHAPE, np.uint8)
        labels[1, :2] = 2
        described = provenance(None, [Category(id=n, name=n) for n in categories])
        write_mask(path.with_name(f"{name}_seg.nii.gz"), labels, scan, described)
    out = tmp_path / "Dataset001_a"
    assert main(["export", str(tmp_path / "study"), "--format", "nnunet", "--out", str(out)]) == 0
    told = "name their labels differently (core, oedema; core, core)" in capsys.readouterr().err
    assert told == bool(other)
    expected = {1: "label 2"} if other else dict(enumerate(NAMES, 1))
    assert dict(plan_folder(out).categories) == expected
