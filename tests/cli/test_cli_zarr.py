"""The program on OME-Zarr."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

import killable
import numpy as np
import pytest
from zarr_images import write_image

from napari_unet_seg.cli import main
from napari_unet_seg.cli._folders import remove_abandoned
from napari_unet_seg.cli.commands.predict import segmenter
from napari_unet_seg.config import Category
from napari_unet_seg.io.read import read_labels, read_scan
from napari_unet_seg.session.session import Session

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from multiprocessing.connection import Connection
    from pathlib import Path

LESION = Category(id=1, name="lesion")
TINY = ("--set", "threads=1", "--set", "precision=float32", "--device", "cpu")


@pytest.fixture
def store(tmp_path: Path) -> Path:
    path = tmp_path / "scans" / "scan.ome.zarr"
    path.parent.mkdir()
    write_image(path, shape=(3, 32, 32))
    return path


def predict(*arguments: object) -> int:
    return main([str(a) for a in ("predict", *arguments, *TINY)])


def test_a_mask_becomes_a_store_of_its_own(
    make_checkpoint: Callable[..., Path], store: Path, tmp_path: Path
) -> None:
    model = make_checkpoint(classes=2)
    out = tmp_path / "out"
    assert predict(store.parent, "--model", model, "--out", out) == 0
    mask = read_labels(out / "scan.zarr")
    assert (mask.grid_shape, mask.spacing, mask.unit) == ((3, 32, 32), (3.0, 0.5, 0.25), "mm")
    assert mask.meta["description"]["source"] == store.name
    assert predict(store, "--model", model, "--out", tmp_path / "tif", "--format", "tif") == 0
    np.testing.assert_array_equal(read_labels(tmp_path / "tif" / "scan.tif").data, mask.data)
    assert main(["evaluate", "--pred", str(out), "--truth", str(tmp_path / "tif")]) == 0


@pytest.mark.parametrize("format_", ["zarr", "tif", "coco"])
def test_what_is_too_large_for_memory_goes_through_the_disk(
    make_checkpoint: Callable[..., Path],
    store: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    format_: str,
) -> None:
    model = make_checkpoint(classes=2)
    how = (store, "--model", model, "--format", format_, "--probabilities")
    assert predict(*how, "--out", tmp_path / "memory") == 0
    monkeypatch.setattr(segmenter, "_IN_MEMORY", 100)
    opened = []
    make = segmenter.scratch_folder
    monkeypatch.setattr(segmenter, "scratch_folder", lambda out: opened.append(out) or make(out))
    assert predict(*how, "--out", tmp_path / "disk") == 0
    assert opened == [tmp_path / "disk"]
    assert not list((tmp_path / "disk").glob(".prediction-*"))
    names = [p.name for p in (tmp_path / "memory").iterdir()]
    assert sorted(p.name for p in (tmp_path / "disk").iterdir()) == sorted(names)
    if format_ == "coco":
        documents = [
            json.loads((tmp_path / n / "annotations.json").read_text()) for n in ("memory", "disk")
        ]
        assert documents[0]["annotations"] == documents[1]["annotations"]
        return
    masks = [read_labels(tmp_path / n / f"scan.{format_}") for n in ("memory", "disk")]
    assert masks[0].data.any()
    maps = [read_scan(tmp_path / n / "probabilities" / "scan.tif") for n in ("memory", "disk")]
    np.testing.assert_array_equal(*(found.data for found in maps))
    assert (maps[1].axes, maps[1].data.dtype) == ("ZYXC", np.float32)
    np.testing.assert_array_equal(*(np.asarray(mask.data) for mask in masks))


@contextmanager
def paused(*arguments: object) -> Iterator[Connection]:
    """Another process that has begun a prediction in pieces."""
    words = [str(word) for word in ("predict", *arguments, *TINY)]
    with killable.started(killable.predict_in_pieces, words) as (_, pipe):
        assert pipe.recv() == "paused"
        yield pipe


def test_what_a_killed_run_left_is_removed_and_nothing_of_one_that_goes_on(
    make_checkpoint: Callable[..., Path], store: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    how = (store, "--model", make_checkpoint(), "--out", out, "--format", "tif")
    with paused(*how):
        (left,) = out.glob(".prediction-*")
    assert (left / "result" / "labels").is_dir()
    with paused(*how) as pipe:
        (alive,) = set(out.glob(".prediction-*")) - {left}  # and what was left is gone
        assert not left.exists()
        (alive / "result" / "more").touch()
        assert predict(*how) == 0
        assert list(out.glob(".prediction-*")) == [alive]
        assert (alive / "result" / "more").exists()
        (out / "scan.tif").unlink()
        with suppress(EOFError):
            while True:
                pipe.send("on")
                pipe.recv()
    assert [p.name for p in out.iterdir()] == ["scan.tif"]


def test_what_was_left_on_another_machine_stays(tmp_path: Path) -> None:
    folder = tmp_path / ".prediction-there"
    folder.mkdir()
    mark = folder / "open.json"
    for host, stays in (("elsewhere", True), (socket.gethostname(), False)):
        mark.write_text(json.dumps({"process": 1, "host": host}))
        remove_abandoned(tmp_path)
        assert folder.exists() is stays


LIMITED = """
import resource, sys
from napari_unet_seg.cli import main
from napari_unet_seg.cli.commands.predict import segmenter

segmenter._IN_MEMORY = 100
resource.setrlimit(resource.RLIMIT_FSIZE, (2000, 2000))
sys.exit(main(sys.argv[1:]))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows cannot limit the size of files")
def test_a_disk_that_takes_no_more_while_the_network_runs_ends_it_in_a_line(
    make_checkpoint: Callable[..., Path], tmp_path: Path
) -> None:
    (tmp_path / "scans").mkdir()
    for number in range(3):
        write_image(tmp_path / "scans" / f"{number}.ome.zarr", shape=(3, 64, 64))
    out = tmp_path / "out"
    how = ("--model", make_checkpoint(), "--out", out, "--probabilities")
    command = [sys.executable, "-c", LIMITED, "predict", tmp_path / "scans", *how, *TINY]
    ended = subprocess.run([str(word) for word in command], capture_output=True, text=True)
    assert ended.returncode == 2
    (line,) = ended.stderr.splitlines()
    assert str(out) in line and "the disk takes no file of this size" in line
    assert not out.exists()


@pytest.mark.parametrize("name", ["scan.zarr", "scan.ome.zarr"])
def test_beside_its_image_it_goes_among_the_labels(
    make_checkpoint: Callable[..., Path], tmp_path: Path, name: str
) -> None:
    store = tmp_path / name
    write_image(store, shape=(3, 32, 32))
    assert predict(store, "--model", make_checkpoint(), "--out", tmp_path) == 0
    assert [p.name for p in tmp_path.glob("scan*")] == [name]
    assert read_labels(store / "labels" / "mask").grid_shape == (3, 32, 32)
    assert read_scan(store).data.shape == (3, 32, 32)


def test_a_session_knows_its_ome_zarr_again(store: Path, tmp_path: Path) -> None:
    scan = read_scan(store)
    Session.create(tmp_path / "s", scan, (LESION,), np.ones(scan.grid_shape, np.uint8))
    again = Session.open(tmp_path / "s").scan
    np.testing.assert_array_equal(np.asarray(again.data), np.asarray(scan.data))


def test_a_broken_store_is_told_in_a_line(
    make_checkpoint: Callable[..., Path],
    store: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    attributes = json.loads((store / ".zattrs").read_text())
    del attributes["multiscales"]
    (store / ".zattrs").write_text(json.dumps(attributes))
    assert predict(store, "--model", make_checkpoint(), "--out", tmp_path / "out") == 2
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1 and str(store) in lines[0] and "OME-Zarr" in lines[0]
