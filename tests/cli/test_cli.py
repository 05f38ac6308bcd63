"""The program: the loop without a window, what it says, and how it takes bad input."""

from __future__ import annotations

import errno
import io
import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import nibabel
import numpy as np
import pytest
import tifffile
from PIL import Image

from napari_unet_seg import __version__
from napari_unet_seg.cli import main
from napari_unet_seg.config import Category, TrainConfig
from napari_unet_seg.io.coco.raster import rasterise
from napari_unet_seg.io.coco.read import read_coco
from napari_unet_seg.io.coco.write import labels_to_coco, save_coco
from napari_unet_seg.io.disk import seen
from napari_unet_seg.io.disk.temporary import temporary_path
from napari_unet_seg.io.images.tiff import read_description, write_labels
from napari_unet_seg.io.read import read_scan
from napari_unet_seg.models.header import read_header
from napari_unet_seg.session.review_queue import ReviewState
from napari_unet_seg.session.session import Session

COMMANDS = ("import", "train", "finetune", "predict", "evaluate", "export", "open", "doctor")
TINY = ("--set", "image_size=32", "--set", "model.width=4", "--set", "model.depth=1")
TINY += ("--set", "threads=1", "--set", "precision=float32", "--device", "cpu")
TINY_PREDICT = ("--set", "threads=1", "--set", "precision=float32", "--device", "cpu")


def slice_and_mask(seed: int) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    y, x = random.integers(2, 20, 2)
    mask = np.zeros((32, 40), np.uint8)
    mask[y : y + 9, x : x + 7] = 1
    return (random.normal(60, 10, mask.shape) + 120 * mask).clip(1, 255).astype(np.uint8), mask


@pytest.fixture
def coco(tmp_path) -> Path:
    """A COCO file beside its ten pictures."""
    folder = tmp_path / "coco"
    folder.mkdir()
    masks = []
    for seed in range(10):
        image, mask = slice_and_mask(seed)
        Image.fromarray(image).save(folder / f"slice_{seed}.png")
        masks.append((f"slice_{seed}.png", mask))
    document = labels_to_coco(masks, [Category(id=7, name="tumour")])
    save_coco(document, folder / "annotations.json")
    return folder / "annotations.json"


@pytest.fixture
def dataset(coco, tmp_path, capsys) -> Path:
    assert main(["import", str(coco), "--out", str(tmp_path / "dataset")]) == 0
    capsys.readouterr()
    return tmp_path / "dataset"


def edit(coco: Path, change) -> None:
    document = json.loads(coco.read_text())
    change(document)
    coco.write_text(json.dumps(document))


def fails(capsys, *arguments: object) -> str:
    """Run the program on bad input and return its one line."""
    assert main([str(a) for a in arguments]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    return line


# --- what it says of itself


@pytest.mark.parametrize("command", COMMANDS)
def test_help_shows_an_example(command, capsys):
    assert main([command, "--help"]) == 0
    assert f"Example: napari-unet-seg {command}" in capsys.readouterr().out


def test_help_lists_every_setting(capsys):
    main(["train", "--help"])
    text = capsys.readouterr().out
    assert "model.width: Channels of the first level" in text
    assert "augment.rotation" in text


def test_it_tells_its_version(capsys):
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"napari-unet-seg {__version__}\n"


def test_without_a_command_it_shows_the_help(capsys):
    assert main([]) == 2
    assert "finetune" in capsys.readouterr().out


def test_importing_it_loads_neither_window_nor_network():
    code = (
        "import sys, napari_unet_seg.cli._app, napari_unet_seg.evaluation.evaluate; "
        "print([m for m in ('napari', 'qtpy', 'torch') if m in sys.modules])"
    )
    output = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert output.stdout.strip() == "[]"


@pytest.mark.parametrize(
    "arguments",
    [["predict"], ["train", "x"], ["nonsense"], ["evaluate", "--pred", "x", "--unknown"]],
)
def test_wrong_usage_is_one_line(arguments, capsys):
    assert "--help" in fails(capsys, *arguments)


# --- import and export


def test_import_reports_as_json(coco, tmp_path, capsys):
    assert main(["import", str(coco), "--out", str(tmp_path / "d"), "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    (file,) = report["files"]
    assert (report["written"], file["found"], file["annotations"]) == (10, 10, {"tumour": 10})
    assert len(list((tmp_path / "d").glob("*/masks/*.tif"))) == 10


def test_import_lists_what_is_missing_and_does_the_rest(coco, tmp_path, capsys):
    (coco.parent / "slice_3.png").unlink()
    line = fails(capsys, "import", coco, "--out", tmp_path / "d")
    assert f"{coco}: slice_3.png" in line and "missing" in line and "--images" in line
    assert len(list((tmp_path / "d").glob("*/images/*.png"))) == 9


def test_import_lists_a_truncated_image_and_does_the_rest(coco, tmp_path, capsys):
    picture = coco.parent / "slice_5.png"
    picture.write_bytes(picture.read_bytes()[:200])
    assert "slice_5.png" in fails(capsys, "import", coco, "--out", tmp_path / "d")
    assert len(list((tmp_path / "d").glob("*/masks/*.tif"))) == 9


def test_import_lists_a_polygon_of_two_points(coco, tmp_path, capsys):
    def shorten(document):
        document["annotations"][2]["segmentation"] = [[1, 1, 5, 5]]

    edit(coco, shorten)
    line = fails(capsys, "import", coco, "--out", tmp_path / "d")
    assert "slice_2.png" in line
    assert line.startswith(str(coco)) and line.endswith("correct it there and import again.")


def test_import_takes_no_share_above_one(coco, tmp_path, capsys):
    line = fails(capsys, "import", coco, "--out", tmp_path / "d", "--valid-fraction", 3)
    assert "--valid-fraction" in line
    assert not (tmp_path / "d").exists()


def test_import_refuses_a_folder_for_a_file(coco, tmp_path, capsys):
    line = fails(capsys, "import", coco.parent, "--out", tmp_path / "d")
    assert f"{coco.parent} is a folder" in line


@pytest.mark.parametrize("text", ["{}", "not JSON", '{"images": []}'])
def test_import_refuses_what_is_not_coco(text, tmp_path, capsys):
    path = tmp_path / "other.json"
    path.write_text(text)
    assert "other.json" in fails(capsys, "import", path, "--out", tmp_path / "d")
    assert not (tmp_path / "d").exists()


def test_import_refuses_a_file_without_annotations(coco, tmp_path, capsys):
    edit(coco, lambda document: document["annotations"].clear())
    assert str(coco) in fails(capsys, "import", coco, "--out", tmp_path / "d")
    assert not (tmp_path / "d").exists()


def test_exported_data_set_reads_back_the_same(coco, dataset, tmp_path, capsys):
    out = tmp_path / "dataset" / "again.json"
    assert main(["export", str(dataset), "--out", str(out), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["annotations"] == 10
    before, after = read_coco(coco), read_coco(out)
    assert after.categories == before.categories
    masks = {Path(i.file_name).stem: rasterise(after, i.id) for i in after.images}
    for image in before.images:
        np.testing.assert_array_equal(
            masks[Path(image.file_name).stem], rasterise(before, image.id)
        )
    assert all(image.path is not None for image in after.images)


def broken_masks(folder: Path) -> Path:
    """A folder of a mask and a TIFF without pages."""
    folder.mkdir()
    write_labels(folder / "good.tif", slice_and_mask(0)[1], axes="YX")
    (folder / "none.tif").write_bytes(b"II*\0" + bytes(4))
    return folder


def test_export_lists_a_broken_mask_and_does_the_rest(tmp_path, capsys):
    masks, out = broken_masks(tmp_path / "masks"), tmp_path / "out.json"
    assert "none.tif" in fails(capsys, "export", masks, "--out", out)
    assert [i["file_name"] for i in json.loads(out.read_text())["images"]] == ["good.tif"]


def test_a_broken_file_is_told_in_one_line_without_what_libraries_log(tmp_path):
    masks = broken_masks(tmp_path / "masks")
    program = [sys.executable, "-m", "napari_unet_seg.cli", "export", str(masks)]
    done = subprocess.run(
        [*program, "--out", str(tmp_path / "out.json")], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert "none.tif" in line


def test_export_numbers_the_slices_of_a_volume(tmp_path, capsys):
    (tmp_path / "masks").mkdir()
    volume = np.stack([slice_and_mask(0)[1], slice_and_mask(1)[1] * 3])
    write_labels(tmp_path / "masks" / "scan.tif", volume, axes="ZYX")
    assert main(["export", str(tmp_path / "masks"), "--out", str(tmp_path / "c.json")]) == 0
    document = json.loads((tmp_path / "c.json").read_text())
    assert [i["file_name"] for i in document["images"]] == ["scan_0000.tif", "scan_0001.tif"]
    assert [c["name"] for c in document["categories"]] == ["label 1", "label 2", "label 3"]


def test_a_backup_is_kept_of_a_mask_of_other_labels_alone(tmp_path, monkeypatch):
    scan, out = tmp_path / "scan.tif", tmp_path / "out"
    write_labels(scan, slice_and_mask(0)[0], axes="YX")
    command = ["predict", str(scan), "--out", str(out), *TINY_PREDICT]
    assert main(command) == 0
    predicted = tifffile.imread(out / "scan.tif")
    temporary_path(out / "scan.tif").touch()
    assert main(command) == 0  # as after a batch that was killed
    assert [p.name for p in out.iterdir()] == ["scan.tif"]
    corrected = np.ones_like(predicted)
    described = read_description(out / "scan.tif")
    write_labels(out / "scan.tif", corrected, axes="YX", description=described)
    monkeypatch.setattr(seen, "_seen", {})  # as in another process
    for _ in range(2):
        assert main(command) == 0
        np.testing.assert_array_equal(tifffile.imread(out / "scan.tif"), predicted)
        np.testing.assert_array_equal(tifffile.imread(out / "scan.bak.tif"), corrected)


# --- train and finetune


@pytest.fixture(scope="module")
def trained(tmp_path_factory) -> tuple[Path, Path]:
    """A data set and a run of two epochs on it."""
    folder = tmp_path_factory.mktemp("trained")
    for side, seeds in (("train", range(6)), ("valid", range(6, 9))):
        for part in ("images", "masks"):
            (folder / "dataset" / side / part).mkdir(parents=True)
        for seed in seeds:
            image, mask = slice_and_mask(seed)
            Image.fromarray(image).save(folder / "dataset" / side / "images" / f"{seed}.png")
            write_labels(folder / "dataset" / side / "masks" / f"{seed}.tif", mask, axes="YX")
    run = folder / "run"
    arguments = ["train", str(folder / "dataset"), "--out", str(run), "--epochs", "2", *TINY]
    assert main(arguments) == 0
    return folder / "dataset", run


def test_a_run_holds_its_settings_and_models(trained):
    _, run = trained
    assert "width: 4" in (run / "config.yaml").read_text()
    assert read_header(run / "best.safetensors").image_size == 32
    assert len((run / "history.csv").read_text().splitlines()) == 3


def test_resume_goes_on_with_the_runs_own_settings(trained, tmp_path, capsys):
    dataset, run = trained
    shutil.copytree(run, tmp_path / "run")
    arguments = ["train", dataset, "--out", tmp_path / "run", "--resume", "--epochs", "3", "--json"]
    assert main([str(a) for a in arguments]) == 0
    events = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [e["epoch"] for e in events if e["event"] == "EpochEnd"] == [3]
    assert events[-1]["event"] == "TrainFinished"


@pytest.fixture
def unfinished(trained, tmp_path) -> tuple[str, ...]:
    """Arguments that train once more into a run with one epoch left."""
    run = tmp_path / "run"
    shutil.copytree(trained[1], run)
    TrainConfig.from_file(run / "config.yaml").replace(epochs=3).to_file(run / "config.yaml")
    return "train", str(trained[0]), "--out", str(run)


def test_a_run_that_has_not_ended_is_not_begun_again_but_offered(unfinished, capsys):
    problem = fails(capsys, *unfinished, "--epochs", "1")
    assert "has stopped after epoch 2 of 3; continue it with --resume" in problem


@pytest.mark.parametrize(("answer", "epochs"), [("", 3), ("n", 2)])
def test_at_a_terminal_it_is_asked_whether_to_go_on(unfinished, monkeypatch, answer, epochs):
    terminal = io.StringIO(f"{answer}\n")
    monkeypatch.setattr(terminal, "isatty", lambda: True)
    monkeypatch.setattr("sys.stdin", terminal)
    assert main(list(unfinished)) == (0 if epochs == 3 else 2)
    assert read_header(Path(unfinished[-1]) / "last.safetensors").epoch == epochs


def test_finetune_tells_the_dice_before_and_after(trained, tmp_path, capsys):
    dataset, run = trained
    out = tmp_path / "tuned"
    arguments = [
        "finetune",
        run,
        "--data",
        dataset,
        "--out",
        out,
        "--epochs",
        "1",
        "--device",
        "cpu",
    ]
    assert main([str(a) for a in arguments]) == 0
    told = capsys.readouterr().out
    assert "3 held-out samples" in told
    assert "The recipe is gentle (small steps), since" in told
    assert read_header(out / "best.safetensors").parent


def test_finetune_tells_that_the_model_stays_as_it_is(trained, tmp_path, capsys):
    dataset, run = trained
    still = ("--epochs", "2", "--set", "learning_rate=1e-12", "--set", "recipe=gentle")
    arguments = ["finetune", run, "--data", dataset, "--out", tmp_path / "tuned", *still]
    assert main([str(a) for a in [*arguments, "--device", "cpu"]]) == 0
    told = " ".join(capsys.readouterr().out.split())
    assert (
        "Done after epoch 2; the model stays as it is: no epoch was clearly better on 3 held-out "
        "samples (Dice "
    ) in told
    assert read_header(tmp_path / "tuned" / "best.safetensors").epoch == 0


def test_a_network_that_follows_prompts_is_trained_and_fine_tuned(trained, tmp_path, capsys):
    dataset, out, tuned = str(trained[0]), tmp_path / "follows", tmp_path / "tuned"
    arguments = ["train", dataset, "--out", str(out), "--epochs", "1", *TINY]
    assert main([*arguments, "--set", "model.prompts=true"]) == 0
    assert (
        main(["finetune", str(out), "--data", dataset, "--out", str(tuned), "--epochs", "1"]) == 0
    )
    assert "3 held-out samples" in capsys.readouterr().out
    assert (
        read_header(tuned / "best.safetensors").model == read_header(out / "best.safetensors").model
    )
    assert read_header(out / "best.safetensors").model.prompts


def test_finetune_learns_from_the_accepted_slices_of_a_session(trained, tmp_path, capsys):
    images, masks = zip(*(slice_and_mask(seed) for seed in range(6)), strict=True)
    tifffile.imwrite(tmp_path / "scan.tif", np.stack(images), photometric="minisblack")
    folder, mask = tmp_path / "session", np.stack(masks)
    session = Session.create(
        folder, read_scan(tmp_path / "scan.tif"), [Category(id=1, name="tumour")], mask
    )
    for index in range(5):
        session.set_states({index: ReviewState.ACCEPTED})
    session.save()
    arguments = ["finetune", trained[1], "--data", folder, "--out", tmp_path / "tuned"]
    assert main([str(a) for a in [*arguments, "--epochs", "1", "--json"]]) == 0
    events = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    started = next(e for e in events if e["event"] == "TrainStarted")
    # The data set is where it was, so that one of its slices is trained on again.
    assert started["train"] + started["valid"] == 5 + 1
    assert [e["event"] for e in events].count("Evaluated") == 4
    done = events[-1]
    assert (done["train"], done["replayed"]) == (4, 1)
    assert (done["new"]["samples"], done["old"]["samples"]) == (1, 3)


def test_a_run_is_not_overwritten(trained, capsys):
    dataset, run = trained
    assert str(run) in fails(capsys, "train", dataset, "--out", run)


def test_a_best_model_alone_is_not_overwritten(trained, tmp_path, capsys):
    dataset, run = trained
    half = tmp_path / "half"
    half.mkdir()
    (half / "best.safetensors").write_bytes((run / "best.safetensors").read_bytes())
    assert str(half) in fails(capsys, "train", dataset, "--out", half, "--epochs", 1, *TINY)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--set", "model.widht=8"], "did you mean model.width"),
        (["--set", "epochs"], "--set epochs=VALUE"),
        (["--set", "epochs=many"], "epochs"),
        (["--epochs", "0"], "epochs"),
        (["--device", "toaster"], "device"),
        (["--preset", "huge"], "fast-cpu"),
        (["--config", "nowhere.yaml"], "nowhere.yaml cannot be read (No such file or directory);"),
    ],
)
def test_bad_settings_are_refused(arguments, words, dataset, tmp_path, capsys):
    assert words in fails(capsys, "train", dataset, "--out", tmp_path / "run", *arguments)
    assert not (tmp_path / "run").exists()


def test_a_broken_config_file_is_named_with_the_mend(dataset, tmp_path, capsys):
    file = tmp_path / "mine.yaml"
    file.write_text("{{{")
    line = fails(capsys, "train", dataset, "--out", tmp_path / "run", "--config", file)
    assert "mine.yaml" in line and "choose another file" in line


def test_an_unknown_key_of_a_config_file_is_named(dataset, tmp_path, capsys):
    file = tmp_path / "mine.yaml"
    file.write_text("epochs: 3\nlearning_speed: 1\n")
    line = fails(capsys, "train", dataset, "--out", tmp_path / "run", "--config", file)
    assert "mine.yaml" in line and "learning_speed" in line and "remove it" in line


def test_an_empty_data_set_is_refused(tmp_path, capsys):
    assert str(tmp_path) in fails(capsys, "train", tmp_path, "--out", tmp_path / "run")


def test_a_data_set_without_a_positive_pixel_is_refused(trained, tmp_path, capsys):
    for part in ("images", "masks"):
        (tmp_path / "d" / "train" / part).mkdir(parents=True)
    Image.fromarray(slice_and_mask(0)[0]).save(tmp_path / "d" / "train" / "images" / "a.png")
    empty = np.zeros((32, 40), np.uint8)
    write_labels(tmp_path / "d" / "train" / "masks" / "a.tif", empty, axes="YX")
    line = fails(capsys, "train", tmp_path / "d", "--out", tmp_path / "run", *TINY)
    assert str(tmp_path / "d") in line
    assert not (tmp_path / "run" / "best.safetensors").exists()


def test_a_mask_of_another_size_is_refused(trained, tmp_path, capsys):
    import shutil

    dataset, _ = trained
    shutil.copytree(dataset, tmp_path / "d")
    mask = next((tmp_path / "d" / "train" / "masks").glob("*.tif"))
    write_labels(mask, np.ones((30, 40), np.uint8), axes="YX")
    line = fails(capsys, "train", tmp_path / "d", "--out", tmp_path / "run", *TINY)
    assert mask.stem in line and "30" in line and "32" in line


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGINT to one process on Windows")
def test_ctrl_c_keeps_the_best_model(trained, tmp_path):
    dataset, _ = trained
    arguments = [
        "train",
        str(dataset),
        "--out",
        str(tmp_path / "run"),
        "--epochs",
        "9999",
        "--json",
    ]
    process = subprocess.Popen(
        [sys.executable, "-m", "napari_unet_seg.cli", *arguments, *TINY],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    events = []
    for line in process.stdout:
        events.append(json.loads(line))
        if events[-1]["event"] == "EpochEnd" and not process.poll() and len(events) < 50:
            process.send_signal(signal.SIGINT)
            break
    rest, errors = process.communicate(timeout=120)
    assert process.returncode == 130, errors
    last = json.loads(rest.splitlines()[-1])
    assert (last["event"], last["stopped"]) == ("TrainFinished", True)
    assert read_header(tmp_path / "run" / "best.safetensors").epoch >= 1


# --- predict


def test_masks_have_the_scans_grid_and_say_where_they_come_from(trained, tmp_path, capsys):
    _, run = trained
    affine = np.diag([-0.5, 0.5, 2.0, 1.0])
    volume = np.stack([slice_and_mask(s)[0] for s in range(3)], axis=-1)
    nibabel.save(nibabel.Nifti1Image(volume, affine), tmp_path / "scan.nii.gz")
    Image.fromarray(slice_and_mask(4)[0]).save(tmp_path / "slice.png")
    inputs = [tmp_path / "scan.nii.gz", tmp_path / "slice.png"]
    arguments = ["predict", *inputs, "--model", run, "--out", tmp_path / "masks", *TINY_PREDICT]
    assert main([str(a) for a in [*arguments, "--uncertainty", "--probabilities", "--json"]]) == 0
    report = json.loads(capsys.readouterr().out)
    assert [Path(r["mask"]).name for r in report["results"]] == ["scan.nii.gz", "slice.tif"]
    mask = nibabel.load(tmp_path / "masks" / "scan.nii.gz")
    assert mask.shape == volume.shape
    np.testing.assert_array_equal(mask.affine, affine)
    stored = read_description(tmp_path / "masks" / "slice.tif")
    assert (stored["source"], stored["model"]) == ("slice.png", Path(report["model"]["path"]).name)
    assert str(tmp_path) not in json.dumps(stored)
    assert stored["model_sha256"] == report["model"]["sha256"]
    for name in ("probabilities", "uncertainty"):
        values = tifffile.imread(tmp_path / "masks" / name / "slice.tif")
        assert (values.dtype, values.shape) == (np.float32, (32, 40))


def test_small_parts_of_a_volume_are_left_out_unless_they_are_wanted(trained, tmp_path, capsys):
    _, run = trained
    volume = np.stack([slice_and_mask(s)[0] for s in range(3)], axis=-1)
    nibabel.save(nibabel.Nifti1Image(volume, np.eye(4)), tmp_path / "scan.nii.gz")
    arguments = ["predict", str(tmp_path / "scan.nii.gz"), "--model", str(run), *TINY_PREDICT]
    arguments += ["--out", str(tmp_path / "masks"), "--set", "small=0.5"]
    assert main([*arguments, "--json"]) == 0
    (few,) = json.loads(capsys.readouterr().out)["results"]
    assert main(arguments) == 0
    told = capsys.readouterr().out
    assert main([*arguments, "--json", "--set", "remove_small=false"]) == 0
    (all_,) = json.loads(capsys.readouterr().out)["results"]
    assert few["left_out"]["parts"] > 0 == all_["left_out"]["parts"]
    gone = sum(all_["pixels"].values()) - sum(few["pixels"].values())
    assert few["left_out"]["voxels"] == gone
    assert f"left out ({gone} voxels)." in told


def test_predicted_coco_holds_all_inputs(trained, tmp_path, capsys):
    dataset, run = trained
    images = dataset / "valid" / "images"
    out = tmp_path / "out"
    arguments = ["predict", images, "--model", run, "--out", out, "--format", "coco"]
    assert main([str(a) for a in [*arguments, *TINY_PREDICT]]) == 0
    assert [p.name for p in out.iterdir()] == ["annotations.json"]
    found = read_coco(out / "annotations.json", images)
    assert [i.file_name for i in found.images] == ["6.png", "7.png", "8.png"]
    truth = dataset / "valid" / "masks"
    arguments = ["evaluate", "--pred", out / "annotations.json", "--truth", truth, "--json", "-"]
    capsys.readouterr()
    assert main([str(a) for a in arguments]) == 0
    assert json.loads(capsys.readouterr().out)["summaries"][0]["samples"] == 3


def test_a_bad_file_is_listed_and_the_rest_is_done(make_checkpoint, tmp_path, capsys):
    folder = tmp_path / "scans"
    folder.mkdir()
    for seed in range(2):
        Image.fromarray(slice_and_mask(seed)[0]).save(folder / f"{seed}.png")
    (folder / "broken.png").write_bytes((folder / "0.png").read_bytes()[:100])
    out = tmp_path / "masks"
    line = fails(
        capsys, "predict", folder, "--model", make_checkpoint(), "--out", out, *TINY_PREDICT
    )
    assert "broken.png" in line
    assert sorted(p.name for p in out.iterdir()) == ["0.tif", "1.tif"]


def test_where_nothing_can_be_segmented_no_folder_is_left(make_checkpoint, tmp_path, capsys):
    (tmp_path / "broken.npy").write_bytes(b"no array")
    arguments = ["predict", tmp_path / "broken.npy", "--model", make_checkpoint()]
    out = tmp_path / "masks"
    assert main([str(a) for a in (*arguments, "--out", out)]) == 2
    printed = capsys.readouterr()
    assert printed.out == "0 of 1 scan is segmented.\n"
    assert "broken.npy" in printed.err and "pickle" not in printed.err
    assert not out.exists()
    out.mkdir()
    fails(capsys, *arguments, "--out", out)
    assert out.is_dir()


def test_dicom_files_beside_other_scans_are_told_to_be_left_out(make_checkpoint, tmp_path, capsys):
    folder, out = tmp_path / "scans", tmp_path / "masks"
    folder.mkdir()
    Image.fromarray(slice_and_mask(0)[0]).save(folder / "a.png")
    (folder / "b.dcm").write_bytes(bytes(200))
    model = make_checkpoint()
    line = fails(capsys, "predict", folder, "--model", model, "--out", out, *TINY_PREDICT)
    assert line.startswith(str(folder)) and "DICOM" in line
    assert [p.name for p in out.iterdir()] == ["a.tif"]


def test_inputs_of_one_name_keep_apart(make_checkpoint, tmp_path):
    files = [tmp_path / "a" / "slice.png", tmp_path / "b" / "slice.png"]
    for seed, file in enumerate(files):
        file.parent.mkdir()
        Image.fromarray(slice_and_mask(seed)[0]).save(file)
    arguments = ["predict", *files, "--model", make_checkpoint(), "--out", tmp_path / "m"]
    assert main([str(a) for a in [*arguments, *TINY_PREDICT]]) == 0
    assert sorted(p.name for p in (tmp_path / "m").iterdir()) == ["a_slice.tif", "b_slice.tif"]


def test_a_mask_of_another_program_is_never_replaced(make_checkpoint, tmp_path, capsys):
    scan, out = tmp_path / "a.tif", tmp_path / "out"
    out.mkdir()
    tifffile.imwrite(scan, np.zeros((32, 32), np.uint8))
    tifffile.imwrite(out / "a.tif", np.ones((32, 32), np.uint8))
    command = ["predict", str(scan), "--model", str(make_checkpoint()), "--out", str(out)]
    assert main(command) == 2
    assert "a.tif exists and was not written by this program" in capsys.readouterr().err
    assert tifffile.imread(out / "a.tif").min() == 1
    (out / "a.tif").unlink()
    assert [main(command) for _ in range(2)] == [0, 0], "its own masks are"


def test_a_scan_is_never_replaced_by_its_mask(make_checkpoint, tmp_path, capsys):
    scan = tmp_path / "scans" / "scan.tif"
    scan.parent.mkdir()
    tifffile.imwrite(scan, slice_and_mask(0)[0])
    before = scan.read_bytes()
    model = make_checkpoint()
    line = fails(capsys, "predict", scan, "--model", model, "--out", scan.parent, *TINY_PREDICT)
    assert "--out" in line
    assert scan.read_bytes() == before


def test_a_foreign_checkpoint_is_refused(tmp_path, capsys):
    Image.fromarray(slice_and_mask(0)[0]).save(tmp_path / "a.png")
    model = tmp_path / "model.pt"
    model.write_bytes(b"PK\x03\x04 no model of ours" * 10)
    line = fails(capsys, "predict", tmp_path / "a.png", "--model", model, "--out", tmp_path / "m")
    assert "model.pt" in line
    assert not (tmp_path / "m").exists()


def test_missing_input_and_missing_model_are_named(tmp_path, capsys):
    line = fails(capsys, "predict", tmp_path / "no.png", "--out", tmp_path / "m")
    assert "no.png" in line
    line = fails(capsys, "predict", tmp_path, "--model", tmp_path / "run", "--out", tmp_path / "m")
    assert str(tmp_path / "run") in line


def test_an_output_folder_that_is_a_file_is_refused(make_checkpoint, tmp_path, capsys):
    Image.fromarray(slice_and_mask(0)[0]).save(tmp_path / "a.png")
    (tmp_path / "out").write_text("")
    model = make_checkpoint()
    line = fails(capsys, "predict", tmp_path / "a.png", "--model", model, "--out", tmp_path / "out")
    assert str(tmp_path / "out") in line


def test_a_folder_without_permission_is_refused(make_checkpoint, tmp_path, capsys, monkeypatch):
    Image.fromarray(slice_and_mask(0)[0]).save(tmp_path / "a.png")
    model, closed = make_checkpoint(), tmp_path / "closed" / "masks"

    # Tests may run as root, whom no permission stops.
    def refuse(path: str, *_: object) -> None:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), path)

    monkeypatch.setattr(os, "mkdir", refuse)
    line = fails(capsys, "predict", tmp_path / "a.png", "--model", model, "--out", closed)
    assert str(closed) in line and "permission" in line


@pytest.mark.parametrize("kind", ["tif", "coco"])
def test_a_full_disk_ends_it_and_leaves_nothing(
    kind, make_checkpoint, tmp_path, capsys, monkeypatch
):
    folder = tmp_path / "scans"
    folder.mkdir()
    for seed in range(3):
        Image.fromarray(slice_and_mask(seed)[0]).save(folder / f"{seed}.png")

    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    model, out = make_checkpoint(), tmp_path / "masks"
    monkeypatch.setattr(os, "fsync", full)
    arguments = ["--model", model, "--out", out, "--format", kind, *TINY_PREDICT]
    line = fails(capsys, "predict", folder, *arguments)
    assert "the disk is full" in line
    assert not out.exists()


# --- evaluate


def test_evaluate_prints_and_writes_the_figures(trained, tmp_path, capsys):
    part = trained[0] / "valid"
    arguments = ["evaluate", "--pred", part / "masks", "--truth", part, "--group", r"(\d)"]
    assert main([str(a) for a in [*arguments, "--json", tmp_path / "f.json"]]) == 0
    assert "1.000" in capsys.readouterr().out
    document = json.loads((tmp_path / "f.json").read_text())
    assert [s["group"] for s in document["summaries"]] == ["", "6", "7", "8"]
    assert document["samples"][0]["dice"] == 1.0


def test_evaluate_refuses_masks_of_another_size(trained, tmp_path, capsys):
    write_labels(tmp_path / "6.tif", np.ones((30, 40), np.uint8), axes="YX")
    truth = trained[0] / "valid" / "masks"
    line = next(
        text
        for text in _lines(capsys, "evaluate", "--pred", tmp_path, "--truth", truth)
        if "napari-unet-seg" in text
    )
    assert "30 × 40" in line and "32 × 40" in line


def _lines(capsys, *arguments: object) -> list[str]:
    assert main([str(a) for a in arguments]) == 2
    return capsys.readouterr().err.splitlines()


# --- open


def test_open_refuses_a_missing_file_before_the_window_opens(tmp_path, capsys):
    assert "no.nii" in fails(capsys, "open", tmp_path / "no.nii")


@pytest.mark.gui
def test_open_docks_the_panel_and_opens_scan_and_sample(tmp_path):
    volume = np.stack([slice_and_mask(s)[0] for s in range(3)], axis=-1)
    nibabel.save(nibabel.Nifti1Image(volume, np.eye(4)), tmp_path / "scan.nii.gz")
    code = """
import sys, napari
from napari_unet_seg.cli import main

def look():
    viewer = napari.current_viewer()
    print(sorted(layer.name for layer in viewer.layers), list(viewer.window.dock_widgets))
    mask = viewer.layers["mask.tif"]
    print(type(mask).__name__, mask.scale.tolist(), mask.features["category"].tolist())
    viewer.close()

napari.run = look  # instead of waiting for a person
sys.exit(main(["open", "--sample", *sys.argv[1:]]))
"""
    known = {"categories": [{"id": 4, "name": "lesion"}]}
    place = {"axes": "ZYX", "spacing": (2.5, 0.5, 0.25), "unit": "mm", "description": known}
    write_labels(tmp_path / "mask.tif", np.ones((3, 4, 5), np.uint8), **place)
    files = [str(tmp_path / name) for name in ("scan.nii.gz", "mask.tif")]
    command = [sys.executable, "-c", code, *files]
    done = subprocess.run(command, capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stderr
    assert "'scan" in done.stdout and "phantom" in done.stdout
    assert "U-Net Seg" in done.stdout
    assert "Labels [2.5, 0.5, 0.25] ['background', 'lesion']" in done.stdout


# --- on real scans


@pytest.mark.slow
def test_the_loop_on_real_slices(real_data, tmp_path, capsys):
    source = real_data / "brisc-256"
    names = [p.stem for p in sorted((source / "images").glob("*.jpg"))[:400:40]]
    for part, suffix in (("images", ".jpg"), ("masks", ".png")):
        (tmp_path / part).mkdir()
        for name in names:
            data = (source / part / f"{name}{suffix}").read_bytes()
            (tmp_path / part / f"{name}{suffix}").write_bytes(data)

    def do(*arguments: object) -> str:
        assert main([str(a) for a in arguments]) == 0
        return capsys.readouterr().out

    coco, dataset, run = tmp_path / "coco.json", tmp_path / "dataset", tmp_path / "run"
    do("export", tmp_path / "masks", "--out", coco)
    do("import", coco, "--out", dataset)
    do("train", dataset, "--out", run, "--epochs", "1", *TINY, "--set", "image_size=64")
    do("predict", tmp_path / "images", "--model", run, "--out", tmp_path / "pred", *TINY_PREDICT)
    figures = json.loads(
        do("evaluate", "--pred", tmp_path / "pred", "--truth", tmp_path / "masks", "--json", "-")
    )
    assert figures["missing"] == [] and figures["summaries"][0]["samples"] == len(names)
    do("finetune", run, "--data", dataset, "--out", tmp_path / "tuned", "--epochs", "1")
    assert read_header(tmp_path / "tuned" / "best.safetensors").parent
