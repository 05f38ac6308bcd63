"""`refine`: masks of prompts by the program."""

from __future__ import annotations

import json
from contextlib import nullcontext
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import nibabel as nib
import numpy as np
import pytest
from ball import CENTRE, SHAPE, ball, volume
from streams import here

from napari_unet_seg.cli import main
from napari_unet_seg.cli.commands import refine as command
from napari_unet_seg.events import SliceRefined
from napari_unet_seg.io.read import read_labels

if TYPE_CHECKING:
    from pathlib import Path

BOX = [[39, 27, CENTRE[0]], [65, 53, CENTRE[0]]]


class Here:
    """The engine in this process."""

    def stream(self, function: str, *args: Any, **kwargs: Any) -> Any:
        return here(function, *args, **kwargs)


@pytest.fixture(autouse=True)
def in_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command, "engine", Here)


@pytest.fixture
def scan(tmp_path: Path) -> Path:
    """A NIfTI file whose array is shown as it is stored."""
    affine = np.diag([-1.0, -1.0, 2.0, 1.0])
    nib.save(nib.Nifti1Image(volume().transpose(2, 1, 0), affine), tmp_path / "scan.nii.gz")
    return tmp_path / "scan.nii.gz"


def asked(scan: Path, objects: Any, *options: str, out: str = "mask.nii.gz") -> list[str]:
    prompts = scan.with_name("prompts.json")
    prompts.write_text(json.dumps({"objects": objects}))
    files = ["refine", str(scan), "--prompts", str(prompts), "--out", str(scan.parent / out)]
    return [*files, "--device", "cpu", *options]


def test_boxes_become_a_mask_on_the_grid_of_the_scan(scan, capsys) -> None:
    objects = [{"category": "core", "boxes": [BOX]}]
    assert main(asked(scan, objects, "--carry")) == 0
    said = capsys.readouterr()
    assert said.out.startswith("1 object on ") and said.out.rstrip().endswith("mask.nii.gz.")
    image = nib.load(scan.with_name("mask.nii.gz"))
    np.testing.assert_array_equal(image.affine, nib.load(scan).affine)
    found = read_labels(scan.with_name("mask.nii.gz"))
    truth = ball()
    mask = found.data > 0
    assert 2 * (mask & truth).sum() > 0.6 * (mask.sum() + truth.sum())
    described = found.meta["description"]
    assert [c["name"] for c in described["categories"]] == ["core"]
    assert described["prompts"] == "prompts.json" and described["model"] == "prompts.safetensors"


def test_a_table_of_points_will_do_and_the_report_is_json(scan, capsys) -> None:
    x, y, z = CENTRE[::-1]
    table = scan.with_name("points.csv")
    table.write_text(f"x_mm,y_mm,z_mm,category\n{-x},{-y},{2 * z},lesion\n")
    out = scan.with_name("mask.tif")
    arguments = ["refine", str(scan), "--prompts", str(table), "--out", str(out), "--json"]
    assert main([*arguments, "--device", "cpu"]) == 0
    report = json.loads(capsys.readouterr().out)
    labels = read_labels(out).data
    assert labels.shape == SHAPE and labels[CENTRE] == 1
    assert report["pixels"] == {"lesion": int((labels > 0).sum())}
    assert report["objects"] == [{"category": "lesion", "slices": 1}]
    assert sum(value is not None for value in report["certainty"]) == 1


class Blind(Here):
    """A network that finds the first object alone."""

    def stream(self, function: str, *args: Any, **kwargs: Any) -> Any:
        for event in super().stream(function, *args, **kwargs):
            is_other = isinstance(event, SliceRefined) and event.number > 1
            yield replace(event, mask=event.mask & False) if is_other else event


def test_what_is_not_found_is_named_and_the_rest_is_written(scan, capsys, monkeypatch) -> None:
    monkeypatch.setattr(command, "engine", Blind)
    assert main(asked(scan, [{"boxes": [BOX]}, {"category": "air", "boxes": [BOX]}])) == 2
    said = capsys.readouterr()
    assert "prompts.json: object 2 (air) was not found where it is marked; mark it" in said.err
    assert said.out.startswith("1 object on 1 slice is in ")
    assert scan.with_name("mask.nii.gz").exists()


@pytest.mark.parametrize(
    ("objects", "options", "out", "message"),
    [
        ([{"points": [[500, 2, 3]]}], [], "m.tif", "prompts.json: object 1, point 1 lies outside"),
        ([{"boxes": [BOX]}], [], "m.png", "m.png has no suffix of a mask file"),
        ([{"boxes": [BOX]}], [], "scan.nii.gz", "would replace the scan"),
        ([{"boxes": [BOX]}], ["--model", "bundled"], "m.tif", "does not follow prompts"),
        ([{"boxes": [BOX]}], ["--deidentify"], "m.tif", "--deidentify is for DICOM SEG"),
        ([{"boxes": [BOX]}], ["--device", "abacus"], "m.tif", "device"),
    ],
)
def test_mistakes_are_one_line_and_nothing_is_written(
    scan, capsys, objects: Any, options: list[str], out: str, message: str
) -> None:
    before = {path.name: path.read_bytes() for path in scan.parent.iterdir()}
    assert main(asked(scan, objects, *options, out=out)) == 2
    error = capsys.readouterr().err
    assert message in error and error.count("\n") == 1
    after = {path.name: path.read_bytes() for path in scan.parent.iterdir()}
    assert after == before | {"prompts.json": after["prompts.json"]}


def test_a_file_of_another_program_is_not_replaced(scan, capsys) -> None:
    foreign = scan.with_name("mask.tif")
    foreign.write_bytes(b"of another program")
    assert main(asked(scan, [{"boxes": [BOX]}], out="mask.tif")) == 2
    assert "was not written by this program" in capsys.readouterr().err
    assert foreign.read_bytes() == b"of another program"


def test_stop_writes_nothing(scan, capsys, monkeypatch) -> None:
    class Stopped(command.Stop):
        def __init__(self) -> None:
            super().__init__()
            self.signal = 2

    monkeypatch.setattr(command, "stoppable", lambda: nullcontext(Stopped()))
    assert main(asked(scan, [{"boxes": [BOX]}], "--carry")) == 130
    assert "nothing was written" in capsys.readouterr().err
    assert not scan.with_name("mask.nii.gz").exists()


def test_it_looks_at_all_sequences_that_are_given(scan, capsys) -> None:
    other, wrong = scan.with_name("t1c.nii.gz"), scan.with_name("t1.nii.gz")
    data, affine = volume().transpose(2, 1, 0), nib.load(scan).affine
    noise = np.random.default_rng(0).integers(0, 256, data.shape, np.uint8)
    nib.save(nib.Nifti1Image(noise, affine), other)
    nib.save(nib.Nifti1Image(data[:-1], affine), wrong)
    alone = asked(scan, [{"boxes": [BOX]}], out="alone.tif")
    assert main(alone) == 0
    both = asked(scan, [{"boxes": [BOX]}], str(other), out="both.tif")
    assert main(both) == 0
    first, second = (read_labels(scan.with_name(f"{name}.tif")).data for name in ("alone", "both"))
    assert not np.array_equal(first, second)
    capsys.readouterr()
    assert main(asked(scan, [{"boxes": [BOX]}], str(wrong))) == 2
    assert f"{wrong.name} is not on the grid of" in capsys.readouterr().err
