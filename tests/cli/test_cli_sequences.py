"""Several sequences as channels, in the program: trained, resumed, fine-tuned and segmented."""

from __future__ import annotations

import json
import pickle
from typing import TYPE_CHECKING, Any

import nibabel as nib
import numpy as np

from napari_unet_seg.cli import main
from napari_unet_seg.cli._inputs import list_inputs
from napari_unet_seg.io.read import read_labels, read_scan
from napari_unet_seg.models.card import card_text
from napari_unet_seg.models.header import read_header
from napari_unet_seg.training.run import Run

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import pytest

BOTH = ("T1c", "FLAIR")
SMALL = ("image_size=32", "model.width=4", "model.depth=2", "batch_size=2", "precision=float32")
SETTINGS = [word for setting in SMALL for word in ("--set", setting)]


def write_case(folder: Path, *kinds: str, seed: int = 0, mask: bool = True) -> None:
    """Write a square in every sequence; FLAIR has half as many slices, in the same place."""
    rng = np.random.default_rng(seed)
    folder.mkdir(parents=True)
    truth = np.zeros((32, 32, 6), np.uint8)
    truth[8:20, 10:22, 1:5] = 1
    for kind in kinds:
        image = (rng.integers(50, 99, truth.shape) + 300.0 * truth).astype(np.int16)
        step = 2 if kind == "flair" else 1
        affine = np.diag([1.0, 1, step, 1])
        image = nib.Nifti1Image(image[:, :, ::step], affine)
        nib.save(image, folder / f"{folder.name}_{kind}.nii.gz")
    if mask:
        nib.save(nib.Nifti1Image(truth, np.eye(4)), folder / f"{folder.name}_seg.nii.gz")


def run(*arguments: object) -> int:
    return main([str(argument) for argument in arguments])


def predict(capsys: Any, *arguments: object, code: int = 0) -> tuple[dict[str, Any], str]:
    capsys.readouterr()
    precise = ("--set", "precision=float32", "--device", "cpu", "--json")
    assert run("predict", *arguments, *precise) == code
    told = capsys.readouterr()
    return json.loads(told.out), " ".join(told.err.split())


def test_the_names_go_from_the_data_to_the_mask(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for number, name in enumerate(("A", "B", "C")):
        write_case(tmp_path / "set" / name, "t1c", "flair", seed=number)
    given = [word for name in BOTH for word in ("--sequence", name)]
    made = tmp_path / "run"
    assert run("train", tmp_path / "set", "--out", made, "--epochs", 1, *given, *SETTINGS) == 0
    assert "FLAIR is put on the grid of T1c by interpolation." in capsys.readouterr().out

    info = read_header(Run(made).best)
    assert (info.sequences, info.model.in_channels, info.bears_missing) == (BOTH, 2, True)
    assert info.normalise.per_channel
    assert "| takes | T1c, FLAIR; any but one may be missing |" in card_text(Run(made).best)

    # The names are settings of the run.
    assert run("train", tmp_path / "set", "--out", made, "--resume", "--set", "epochs=2") == 0
    assert (read_header(Run(made).last).epoch, read_header(Run(made).last).sequences) == (2, BOTH)

    tuned = tmp_path / "tuned"
    write_case(tmp_path / "more" / "D", "flair", seed=4, mask=False)
    truth = read_labels(tmp_path / "set" / "A" / "A_seg.nii.gz").data
    mask = nib.Nifti1Image(truth.transpose(2, 1, 0)[:, :, ::2], np.diag([1.0, 1, 2, 1]))
    nib.save(mask, tmp_path / "more" / "D" / "D_seg.nii.gz")
    start = ("finetune", made, "--data", tmp_path / "more", "--out", tuned, "--epochs", 1)
    capsys.readouterr()
    assert run(*start) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "which is black there: T1c in 1" in said
    assert "samples of the previous data were replayed" in said
    assert read_header(Run(tuned).best).sequences == BOTH

    wrong = ("finetune", made, "--data", tmp_path / "set", "--out", tmp_path / "w")
    assert run(*wrong, "--sequence", "FLAIR") == 2
    said = " ".join(capsys.readouterr().err.split())
    assert "has FLAIR and the model takes T1c and FLAIR" in said


def test_each_case_fills_the_channels_by_name(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], make_checkpoint: Callable[..., Path]
) -> None:
    write_case(tmp_path / "set" / "A", "flair", "t1c", "t2")
    write_case(tmp_path / "set" / "B", "t1ce")
    write_case(tmp_path / "set" / "C", "t2")
    model, out = make_checkpoint(sequences=BOTH), tmp_path / "out"
    told, said = predict(
        capsys, tmp_path / "set", "--model", model, "--out", out, "--probabilities", code=2
    )
    assert [r["mask"] for r in told["results"]] == [str(out / f"{n}.nii.gz") for n in "AB"]
    sequences = [r["sequences"] for r in told["results"]]
    assert sequences[0] == {"T1c": "A_t1c.nii.gz", "FLAIR": "A_flair.nii.gz"}
    assert sequences[1] == {"T1c": "B_t1ce.nii.gz", "FLAIR": None}
    [failed] = told["failed"]
    assert failed["input"] == "C"
    assert "C has none of the sequences that the model takes, T1c and FLAIR; it has T2." in said
    assert "B_t1ce.nii.gz: FLAIR is missing, and black for the network" in said
    assert "A_t1c.nii.gz: FLAIR is put on the grid of T1c by interpolation." in said
    written = read_scan(out / "A.nii.gz")
    assert written.grid_shape == (6, 32, 32)
    np.testing.assert_array_equal(written.affine, np.eye(4))
    assert written.meta["description"]["sequences"] == sequences[0]
    # What FLAIR shows matters to the mask.
    alone, _ = predict(
        capsys, tmp_path / "set" / "A" / "A_t1c.nii.gz",
        "--model", model, "--out", tmp_path / "alone", "--probabilities",
    )  # fmt: skip
    maps = [read_scan(r["probabilities"]).data for r in (told["results"][0], alone["results"][0])]
    assert not np.array_equal(*maps)


def test_a_model_of_one_sequence_takes_it_from_each_case(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], make_checkpoint: Callable[..., Path]
) -> None:
    write_case(tmp_path / "set" / "A", "flair", "t1c")
    write_case(tmp_path / "set" / "B", "t2")
    model = make_checkpoint(sequences=("FLAIR",))
    inputs, failed = list_inputs([tmp_path / "set"], names=read_header(model).sequences)
    assert [item.path.name for item in inputs] == ["A_flair.nii.gz"]
    assert [name for name, _ in failed] == ["B"]
    # What the user names is taken all the same.
    for given in (
        (tmp_path / "set" / "B" / "B_t2.nii.gz",),
        (tmp_path / "set", "--sequence", "T2"),
    ):
        told, _ = predict(capsys, *given, "--model", model, "--out", tmp_path / "out")
        assert len(told["results"]) == 1
    assert run("predict", tmp_path / "set", "--out", tmp_path / "o", "--sequence", "T2", "--model",
               make_checkpoint(sequences=BOTH)) == 2  # fmt: skip
    assert "leave --sequence T2 out" in " ".join(capsys.readouterr().err.split())


def test_a_file_of_four_dimensions_is_channels_and_gets_a_mask_of_three(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], make_checkpoint: Callable[..., Path]
) -> None:
    four = np.random.default_rng(0).integers(0, 900, (32, 30, 4, 2)).astype(np.int16)
    nib.save(nib.Nifti1Image(four, np.diag([1.0, 1, 3, 1])), tmp_path / "b.nii.gz")
    given = ("--model", make_checkpoint(sequences=BOTH), "--out", tmp_path / "out")
    told, said = predict(capsys, tmp_path / "b.nii.gz", *given)
    assert "missing" not in said
    mask = nib.load(told["results"][0]["mask"])
    assert mask.shape == (32, 30, 4)
    np.testing.assert_array_equal(mask.affine, np.diag([1.0, 1, 3, 1]))


def test_inputs_of_several_sequences_reach_other_processes(tmp_path: Path) -> None:
    write_case(tmp_path / "set" / "A", "flair", "t1c")
    inputs, _ = list_inputs([tmp_path / "set"], names=BOTH)
    assert pickle.loads(pickle.dumps(inputs)) == inputs
    assert [name for name, _ in inputs[0].channels] == list(BOTH)
