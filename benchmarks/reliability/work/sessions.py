"""Kills in a session: masks that are saved, slices that are accepted, rounds of fine-tuning."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.reliability import inputs
from benchmarks.reliability.work.work import Found, Work, hidden_files
from napari_unet_seg.io.hashing import sha256
from napari_unet_seg.io.images.tiff import read_tiff
from napari_unet_seg.session.review_queue import ReviewState

if TYPE_CHECKING:
    from pathlib import Path

    from napari_unet_seg.session.session import Session

_VERSIONS = 12


def _opened(folder: Path) -> Session:
    from napari_unet_seg.session.session import Session

    return Session.open(folder / "session", hold=True)


def _prepare(folder: Path, tell: Any) -> None:
    folder.mkdir()
    inputs.session(folder / "session", empty=True)


def _save(folder: Path, tell: Any) -> None:
    session = _opened(folder)
    mask = session.load_mask()
    for version in range(1, _VERSIONS):
        for plane in mask:
            inputs.set_version(plane, version)
        session.save_mask(mask)
        tell(version)


def _check_saved(folder: Path, told: list[Any], tell: Any) -> None:
    found = Found()
    session = _opened(folder)
    mask, last = session.load_mask(), max(told, default=0)
    for index, plane in enumerate(mask):
        version = inputs.version_of(plane)
        found.expect(version in (last, last + 1), f"slice {index}: {version}, saved was {last}")
        found.expect(not plane[1:].any(), f"slice {index} is no slice that was saved")
    _check_files(folder, found)
    _save_once_more(folder, session, mask, found)
    tell(found)


def _save_once_more(folder: Path, session: Session, mask: np.ndarray, found: Found) -> None:
    mask[:, 5, 5] = 2
    session.save_mask(mask)
    session.close()
    again = _opened(folder)
    found.expect(np.array_equal(again.load_mask(), mask), "the next save is not what was saved")
    again.close()
    found.litter = hidden_files(folder) - len(list(folder.glob("session/.*.lock")))
    found.expect(not (folder / "session" / "open.json").exists(), "closed, it counts as open")


def _check_files(folder: Path, found: Found) -> None:
    """Every file of the session can be read, previous versions too."""
    for path in (folder / "session").rglob("[!.]*"):
        if path.suffix == ".tif":
            found.expect(np.asarray(read_tiff(path).data).shape, f"{path.name} is empty")
        elif path.suffix == ".json" and path.name != "open.json":
            found.expect(json.loads(path.read_text()), f"{path.name} is empty")


def _accept(folder: Path, tell: Any) -> None:
    session = _opened(folder)
    mask = session.load_mask()
    for version in range(1, _VERSIONS):
        index = version % len(mask)
        inputs.set_version(mask[index], version)
        session.set_states({index: ReviewState.ACCEPTED})
        session.save_mask(mask, [index])
        session.save()
        tell(version)


def _check_accepted(folder: Path, told: list[Any], tell: Any) -> None:
    found = Found()
    session = _opened(folder)
    mask, last = session.load_mask(), max(told, default=0)
    accepted = set(session.accepted)
    for index, plane in enumerate(mask):
        version = inputs.version_of(plane)
        stored = max((v for v in range(last + 1) if v % len(mask) == index), default=0)
        found.expect(version in (stored, last + 1), f"slice {index}: {version}, not {stored}")
        found.expect(not stored or index in accepted, f"slice {index} is no longer accepted")
    for index in accepted:
        corrected = session.states[index] is ReviewState.CORRECTED
        is_last = index == (last + 1) % len(mask)
        found.expect(corrected or is_last, f"slice {index} counts as not corrected")
    _check_files(folder, found)
    _save_once_more(folder, session, mask, found)
    tell(found)


def _prepare_rounds(folder: Path, tell: Any) -> None:
    folder.mkdir()
    session = inputs.session(folder / "session", inputs.model(folder / "base.safetensors"))
    mask = inputs.labels()
    mask[:, 3, 3] = 1
    for index in range(len(mask)):
        session.set_states({index: ReviewState.ACCEPTED})
    session.save_mask(mask)
    session.save(always=True)


def _round(folder: Path, session: Session) -> int:
    from napari_unet_seg.session.rounds import run_round

    base = folder / "base.safetensors"
    *_, last = run_round(session, inputs.tune_config(), base, inputs.direct)
    return int(last.number)


def _rounds(folder: Path, tell: Any) -> None:
    session = _opened(folder)
    for _ in range(2):
        tell(_round(folder, session))


def _check_rounds(folder: Path, told: list[Any], tell: Any) -> None:
    from napari_unet_seg.nn.checkpoint import load_net

    found = Found()
    session = _opened(folder)
    mask = inputs.labels()
    mask[:, 3, 3] = 1
    found.expect(np.array_equal(session.load_mask(), mask), "the masks have changed")
    found.expect(session.accepted == tuple(range(len(mask))), "slices are no longer accepted")
    found.expect({r.number for r in session.rounds} >= set(told), "a round is missing")
    for done in session.rounds:
        load_net(session.folder / done.checkpoint)
    base = sha256(folder / "base.safetensors")
    found.expect(base == session.record.checkpoint_sha256, "the first model has changed")
    number = _round(folder, session)
    known = {f"{r.number:02d}" for r in session.rounds}
    found.expect(f"{number:02d}" in known, "the next round is not stored")
    session.close()
    _opened(folder).close()
    there = {path.name for path in (folder / "session" / "rounds").iterdir()}
    found.litter = len(there - known) + hidden_files(folder)
    tell(found)


WORKS = (
    Work("session: masks saved", 200, _prepare, _save, _check_saved),
    Work("session: slices accepted", 150, _prepare, _accept, _check_accepted),
    Work("session: rounds of fine-tuning", 80, _prepare_rounds, _rounds, _check_rounds),
)
