from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import nibabel as nib
import numpy as np
import pytest
from zarr_images import write_image

from napari_unet_seg.errors import ChangedError
from napari_unet_seg.io.common.scan import Scan
from napari_unet_seg.io.disk.files import atomic
from napari_unet_seg.io.disk.seen import check_seen, fingerprint, has_changed, saw
from napari_unet_seg.io.read import read_labels
from napari_unet_seg.io.write import write_mask

if TYPE_CHECKING:
    from pathlib import Path


def _write(path: Path, text: str) -> None:
    with atomic(path, keep=True) as temporary:
        temporary.write_text(text)


def test_a_file_is_replaced_unless_another_program_has_changed_it(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    _write(path, "one")
    _write(path, "two")
    path.write_text("theirs")
    with pytest.raises(ChangedError, match=r"a\.txt was not written, since another program") as e:
        _write(path, "three")
    assert e.value.path == path
    assert path.read_text() == "theirs"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.bak.txt", "a.txt"], "nothing is left"
    saw(path)
    _write(path, "three")
    assert path.read_text() == "three"


def test_a_file_that_was_never_seen_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("theirs")
    _write(tmp_path / "a.txt", "mine")
    assert (tmp_path / "a.txt").read_text() == "mine"
    assert (tmp_path / "a.bak.txt").read_text() == "theirs"


def test_only_content_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.txt"
    path.write_text("one")
    saw(path)
    os.utime(path, ns=(1, 1))
    assert not has_changed(path)
    monkeypatch.setattr("napari_unet_seg.io.disk.seen.file_digest", None)
    assert not has_changed(path), "with the same stamp no content is read"


def test_a_file_that_is_made_or_removed_by_another_program(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    saw(path)
    assert not has_changed(path)
    path.write_text("theirs")
    assert has_changed(path)
    saw(path)
    path.unlink()
    assert not has_changed(path), "nothing is lost if it is written again"


def test_a_link_is_the_file_that_it_leads_to(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("one")
    (tmp_path / "link.txt").symlink_to("a.txt")
    saw(tmp_path / "link.txt")
    (tmp_path / "a.txt").write_text("two")
    assert has_changed(tmp_path / "a.txt")


def test_a_folder_changes_with_its_files(tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "c").write_text("one")
    saw(tmp_path)
    check_seen(tmp_path)
    (tmp_path / "b" / "c").rename(tmp_path / "b" / "d")
    assert has_changed(tmp_path)
    assert fingerprint(tmp_path / "none") is None


@pytest.mark.parametrize("name", ["m.tif", "m.nii.gz", "m.zarr", "scan.zarr/labels/m"])
def test_every_format_of_masks_is_guarded(tmp_path: Path, name: str) -> None:
    write_image(tmp_path / "scan.zarr")
    path = tmp_path / name
    labels = np.zeros((3, 8, 9), np.uint8)
    like = Scan(labels, "ZYX", (1.0, 1.0, 1.0), "mm")
    write_mask(path, labels, like)
    write_mask(path, labels + 1, like)
    _change(path, like)
    with pytest.raises(ChangedError, match=r"m\S* was not written"):
        write_mask(path, labels + 2, like)
    assert int(np.max(read_labels(path).data)) == 7
    saw(path)
    write_mask(path, labels + 2, like)
    assert int(np.max(read_labels(path).data)) == 2


def _change(path: Path, like: Any) -> None:
    """Write sevens, as another program would."""
    other = path.with_name(f"other-{path.name}")
    write_mask(other, np.full(like.data.shape, 7, np.uint8), like)
    if other.is_dir():
        for file in (p for p in other.rglob("*") if p.is_file()):
            (path / file.relative_to(other)).write_bytes(file.read_bytes())
    elif path.suffix == ".gz":
        nib.save(nib.load(other), path)
    else:
        path.write_bytes(other.read_bytes())
