from __future__ import annotations

import errno
import os
import sys
from pathlib import Path
from typing import Any

import pytest

from napari_unet_seg.config import TrainConfig
from napari_unet_seg.errors import DataError, SegmentationError, WriteError
from napari_unet_seg.io.coco.read import read_coco
from napari_unet_seg.io.disk import files
from napari_unet_seg.io.disk.files import (
    atomic,
    atomic_folder,
    backup_name,
    is_backup,
    keep_previous,
    reading,
    within,
)
from napari_unet_seg.io.hashing import sha256
from napari_unet_seg.io.read import read_labels, read_scan
from napari_unet_seg.models.header import read_header


def names(folder: Path) -> list[str]:
    return sorted(p.name for p in folder.iterdir())


def raising(number: int) -> Any:
    def fail(*_args: Any, **_kwargs: Any) -> None:
        raise OSError(number, os.strerror(number))

    return fail


def test_writes_the_whole_file_and_nothing_else(tmp_path: Path) -> None:
    with atomic(tmp_path / "mask.nii.gz") as temporary:
        assert temporary.parent == tmp_path
        assert temporary.name.endswith(".nii.gz")
        temporary.write_text("new")
    assert (tmp_path / "mask.nii.gz").read_text() == "new"
    assert names(tmp_path) == ["mask.nii.gz"]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, GeneratorExit])
def test_an_interrupted_write_leaves_the_old_file(
    tmp_path: Path, error: type[BaseException]
) -> None:
    target = tmp_path / "mask.tif"
    target.write_text("old")
    with pytest.raises(error), atomic(target) as temporary:
        temporary.write_text("half")
        raise error
    assert target.read_text() == "old"
    assert names(tmp_path) == ["mask.tif"]


@pytest.mark.parametrize(
    ("number", "mend"),
    [
        (errno.ENOSPC, "free some space"),
        (errno.EDQUOT, "free some space"),
        (errno.EACCES, "choose another folder"),
        (errno.EROFS, "choose another folder"),
        (errno.EIO, "choose another folder"),
    ],
)
def test_a_failing_disk_is_one_sentence_and_leaves_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, mend: str
) -> None:
    target = tmp_path / "mask.tif"
    target.write_text("old")
    monkeypatch.setattr(os, "fsync", raising(number))
    with pytest.raises(DataError, match=mend) as caught, atomic(target) as temporary:
        temporary.write_text("new")
    assert str(target) in str(caught.value)
    assert target.read_text() == "old"
    assert names(tmp_path) == ["mask.tif"]


def test_a_failing_replacement_leaves_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "mask.tif"
    target.write_text("old")
    monkeypatch.setattr(os, "replace", raising(errno.EACCES))
    with pytest.raises(DataError, match="permission"), atomic(target) as temporary:
        temporary.write_text("new")
    assert target.read_text() == "old"
    assert names(tmp_path) == ["mask.tif"]


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with (
        pytest.raises(DataError, match=r"nowhere.*folder does not exist"),
        atomic(tmp_path / "nowhere" / "mask.tif") as temporary,
    ):
        temporary.write_text("new")


def test_an_error_about_another_file_is_not_blamed_on_the_target(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), atomic(tmp_path / "mask.tif"):
        (tmp_path / "other").read_text()
    assert names(tmp_path) == []


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    link = tmp_path / "mask.tif"
    (tmp_path / "real" / "mask.tif").write_text("old")
    link.symlink_to(tmp_path / "real" / "mask.tif")
    with atomic(link) as temporary:
        temporary.write_text("new")
    assert link.is_symlink()
    assert (tmp_path / "real" / "mask.tif").read_text() == "new"


def test_the_previous_version_is_kept(tmp_path: Path) -> None:
    target = tmp_path / "mask.nii.gz"
    for text in ("first", "second", "third"):
        with atomic(target, keep=True) as temporary:
            temporary.write_text(text)
    assert target.read_text() == "third"
    assert (tmp_path / "mask.bak.nii.gz").read_text() == "second"
    assert names(tmp_path) == ["mask.bak.nii.gz", "mask.nii.gz"]


def test_a_failed_write_keeps_both_versions(tmp_path: Path) -> None:
    target = tmp_path / "mask.tif"
    for text in ("first", "second"):
        with atomic(target, keep=True) as temporary:
            temporary.write_text(text)
    with pytest.raises(ValueError, match="torn"), atomic(target, keep=True):
        raise ValueError("torn")
    assert target.read_text() == "second"
    assert backup_name(target).read_text() == "first"


def test_previous_versions_are_kept_where_there_are_no_hard_links(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "mask.tif"
    target.write_text("old")
    monkeypatch.setattr(os, "link", raising(errno.EPERM))
    assert keep_previous(target) == tmp_path / "mask.bak.tif"
    assert (tmp_path / "mask.bak.tif").read_text() == "old"


def test_keeping_what_is_not_there_does_nothing(tmp_path: Path) -> None:
    assert keep_previous(tmp_path / "mask.tif") is None
    assert names(tmp_path) == []


@pytest.mark.parametrize(
    ("name", "backup"),
    [
        ("a.tif", "a.bak.tif"),
        ("a.b.tif", "a.b.bak.tif"),
        ("a.nii.gz", "a.bak.nii.gz"),
        ("a.ome.tif", "a.bak.ome.tif"),
        ("a", "a.bak"),
    ],
)
def test_backup_names(name: str, backup: str) -> None:
    assert backup_name(Path("x") / name) == Path("x") / backup


def test_backups_are_told_from_masks() -> None:
    assert is_backup(Path("a.bak.nii.gz"))
    assert not is_backup(Path("a.nii.gz"))


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (FileNotFoundError(), "does not exist"),
        (PermissionError(), "permission"),
        (MemoryError(), "memory"),
        (KeyError("x\ny"), "cannot be read as a TIFF"),
        (RuntimeError(), "RuntimeError"),
    ],
)
def test_errors_of_parsers_become_one_sentence(error: Exception, sentence: str) -> None:
    with pytest.raises(DataError, match=sentence) as caught, reading("a.tif", "a TIFF"):
        raise error
    assert str(caught.value).startswith("a.tif ")
    assert "\n" not in str(caught.value)
    assert caught.value.__cause__ is error


def test_hash_of_a_file_and_of_a_folder(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"abc")
    expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert sha256(tmp_path / "a") == expected
    whole = sha256(tmp_path)
    (tmp_path / "a").rename(tmp_path / "b")
    assert sha256(tmp_path) != whole
    with pytest.raises(DataError, match="does not exist"):
        sha256(tmp_path / "a")


@pytest.mark.parametrize(
    ("link", "target", "path", "is_inside"),
    [
        ("root/a.tif", "outside/a.tif", "root/a.tif", False),
        ("root/a.tif", "outside/gone.tif", "root/a.tif", False),
        ("root/masks", "outside", "root/masks/a.tif", False),
        ("root/masks", "outside", "root/masks", False),
        ("root/a.tif", "root-2/a.tif", "root/a.tif", False),
        ("root/a.tif", "root/b.tif", "root/a.tif", True),
        ("other", "root", "root/a.tif", True),
        ("root/other", "outside", "root/masks/new.tif", True),
        ("root/other", "outside", "root/../outside/a.tif", False),
    ],
)
def test_a_path_within_a_folder_does_not_leave_it_by_a_link(
    tmp_path: Path, link: str, target: str, path: str, is_inside: bool
) -> None:
    for name in ("root", "root-2", "outside"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "a.tif").touch()
    (tmp_path / link).unlink(missing_ok=True)
    (tmp_path / link).symlink_to(tmp_path / target)
    if is_inside:
        assert within(tmp_path / "root", tmp_path / path) == tmp_path / path
    else:
        with pytest.raises(WriteError, match=r"leads by a link to .*; remove the link\.$"):
            within(tmp_path / "root", tmp_path / path)


def test_a_folder_that_is_reached_by_a_link_can_be_written(tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "disk")
    assert within(tmp_path / "link", tmp_path / "link" / "a.tif") == tmp_path / "link" / "a.tif"


@pytest.mark.parametrize("can_exchange", [True, False])
@pytest.mark.parametrize("keep", [True, False])
def test_a_folder_is_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, keep: bool, can_exchange: bool
) -> None:
    if not can_exchange:
        monkeypatch.setattr(files, "exchange", lambda one, other: False)
    for number in range(3):
        with atomic_folder(tmp_path / "a.zarr", keep=keep) as temporary:
            (temporary / f"{number}").touch()
    assert names(tmp_path / "a.zarr") == ["2"]
    assert names(tmp_path) == (["a.bak.zarr", "a.zarr"] if keep else ["a.zarr"])
    assert not keep or names(tmp_path / "a.bak.zarr") == ["1"]


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux is sure to exchange names")
def test_a_folder_is_never_missing_while_it_is_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a.zarr").mkdir()
    missing = []
    replace = os.replace

    def watched(one: Path, other: Path) -> None:
        replace(one, other)
        missing.append(not (tmp_path / "a.zarr").exists())

    monkeypatch.setattr(os, "replace", watched)
    with atomic_folder(tmp_path / "a.zarr", keep=True) as temporary:
        (temporary / "new").touch()
    assert missing and not any(missing)


READERS = {
    "a.tif": read_scan, "a.png": read_scan, "a.nii.gz": read_scan, "a.dcm": read_scan,
    "a.npy": read_scan, "a": read_scan, "mask.tif": read_labels, "a.json": read_coco,
    "a.safetensors": read_header, "a.yaml": TrainConfig.from_file, "any": sha256,
}  # fmt: skip


@pytest.mark.parametrize("name", READERS)
def test_a_pipe_or_a_device_is_refused_before_it_is_read(tmp_path: Path, name: str) -> None:
    (tmp_path / name).symlink_to(os.devnull)
    with pytest.raises(SegmentationError, match=rf"{name} is a pipe or a device; choose"):
        READERS[name](tmp_path / name)
