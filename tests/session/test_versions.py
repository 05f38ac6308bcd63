"""Sessions as other versions of the package wrote them; `examples` holds some that did."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from napari_unet_seg.config import Category
from napari_unet_seg.errors import DataError
from napari_unet_seg.io.images.tiff import read_tiff
from napari_unet_seg.session.review_queue import ReviewState
from napari_unet_seg.session.session import Session
from napari_unet_seg.session.stored.case_files import Placement
from napari_unet_seg.session.stored.record import (
    CocoOrigin,
    LayersRecord,
    ModelHistory,
    Origin,
    Round,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari_unet_seg.session.stored.record import SessionRecord

EXAMPLES = Path(__file__).with_name("examples")
BASE = "/data/models/base.safetensors"
TUNED = "rounds/01/best.safetensors"
TODO, ACCEPTED, CORRECTED = ReviewState.TODO, ReviewState.ACCEPTED, ReviewState.CORRECTED
SKIPPED, FLAGGED = ReviewState.SKIPPED, ReviewState.FLAGGED
UNMOVED: dict[str, Any] = {
    "translate": (0.0, 0.0, 0.0),
    "rotate": ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)),
    "shear": (0.0, 0.0, 0.0),
    "affine": tuple(map(tuple, np.eye(4).tolist())),
}
FIGURES: dict[str, Any] = {"before": 0.5, "after": 0.625, "train": 1, "held_out": 1, "epochs": 5}
KINDS = (Category(id=0, name="lesion"), Category(id=7, name="oedema", supercategory="tissue"))

KEPT: dict[str, dict[str, Any]] = {
    "format-1-first": {
        "categories": (Category(id=1, name="label 1"),),
        "checkpoint": "",
        "states": (ACCEPTED, SKIPPED, ACCEPTED),
        "predicted_dice": (),
        "sides": {0: "train", 2: "valid"},
        "rounds": (Round(number=1, checkpoint=TUNED, base=BASE, **FIGURES),),
        "origin": Origin(),
        "layers": LayersRecord(
            image="head",
            mask="my mask",
            placement=Placement(
                **{**UNMOVED, "translate": (1.0, 2.0, 3.0)},
                scale=(3.0, 0.5, 0.5),
                units=("millimeter",) * 3,
            ),
        ),
        "models": ModelHistory(),
    },
    "format-1-channel": {
        "categories": KINDS,
        "checkpoint": BASE,
        "states": (ACCEPTED, FLAGGED, CORRECTED),
        "predicted_dice": (0.75, None, 0.5),
        "sides": {0: "train", 2: "valid"},
        "rounds": (
            Round(
                number=1,
                checkpoint=TUNED,
                base=BASE,
                **FIGURES,
                replayed=4,
                old_before=0.8,
                old_after=0.79,
                old_held_out=10,
                model=BASE,
                sessions=("/data/sessions/other",),
            ),
        ),
        "origin": Origin(scan="/data/patient-3/head.tif", channel=0),
        "layers": LayersRecord(
            image="head · channel 1",
            mask="my mask",
            placement=Placement(**UNMOVED, scale=(3.0, 0.5, 0.5), units=("millimeter",) * 3),
            locked=(2,),
        ),
        "models": ModelHistory(used=(BASE, TUNED), noted=1790000000.5, predicted_by=TUNED),
    },
    "format-1-coco": {
        "categories": KINDS,
        "checkpoint": "",
        "states": (TODO, CORRECTED, TODO),
        "predicted_dice": (None, None, None),
        "sides": {},
        "rounds": (),
        "origin": Origin(
            coco=CocoOrigin(
                path="/data/photographs/_annotations.coco.json", image_ids=(3, 0, 12), boxes=True
            )
        ),
        "layers": LayersRecord(
            image="photographs",
            mask="photographs mask",
            placement=Placement(**UNMOVED, scale=(1.0, 1.0, 1.0), units=("pixel",) * 3),
        ),
        "models": ModelHistory(),
    },
}


@pytest.fixture
def example(tmp_path: Path) -> Callable[[str], Path]:
    return lambda name: Path(shutil.copytree(EXAMPLES / name, tmp_path / name))


def written(folder: Path) -> dict[str, Any]:
    values: dict[str, Any] = json.loads((folder / "session.json").read_text())
    return values


def parts(record: SessionRecord, names: dict[str, Any]) -> dict[str, Any]:
    return {name: getattr(record, name) for name in names}


def test_every_example_is_known() -> None:
    assert {folder.name for folder in EXAMPLES.iterdir()} == KEPT.keys()


@pytest.mark.parametrize("name", KEPT)
def test_what_an_earlier_version_stored_is_kept(example: Callable[[str], Path], name: str) -> None:
    folder = example(name)
    before, session = written(folder), Session.open(folder)
    assert parts(session.record, KEPT[name]) == KEPT[name]
    session.save()
    assert written(folder) == before, "what is only read is not written"
    session.save(always=True)
    after = written(folder)
    assert after.pop("format") == "2.6"
    assert before.pop("format") == 1
    assert before.pop("extra")
    assert {key: after[key] for key in ("created", "seed", "states")} == {
        key: before[key] for key in ("created", "seed", "states")
    }
    assert parts(Session.open(folder).record, KEPT[name]) == KEPT[name]


@pytest.mark.parametrize("name", KEPT)
def test_the_masks_of_an_earlier_version_are_read(
    example: Callable[[str], Path], name: str
) -> None:
    session = Session.open(example(name))
    mask, prediction = session.load_mask(), np.asarray(session.prediction)
    assert (mask.shape, session.scan.data.shape) == ((3, 16, 16), (3, 16, 16))
    (file,) = (session.folder / "masks").iterdir()
    index = int(file.stem)
    np.testing.assert_array_equal(mask[index], read_tiff(file).data)
    assert [i for i in range(3) if not np.array_equal(mask[i], prediction[i])] == [index]
    assert session.save_mask(mask) == ()


def newer(folder: Path, version: Any) -> dict[str, Any]:
    """Let a session be of another version, which knows more; return what it holds then."""
    Session.open(folder).save(always=True)
    values = written(folder)
    values |= {"format": version, "reviewer": "R"}
    values["rounds"][0]["hours"] = 1.5
    values["categories"][0]["hue"] = 20
    values["layers"]["placement"]["world"] = {"of": ["patient"]}
    values["layers"]["opacity"], values["models"]["note"] = 0.5, "kept"
    (folder / "session.json").write_text(json.dumps(values))
    return values


def test_unknown_keys_of_a_newer_minor_version_are_written_back(
    example: Callable[[str], Path],
) -> None:
    folder = example("format-1-channel")
    values = newer(folder, "2.7")
    session = Session.open(folder)
    session.set_states({1: ReviewState.ACCEPTED})
    session.set_layers(mask="other")
    session.set_models(used=("a",))
    session.set_categories(session.categories)
    session.save()
    values["layers"]["mask"], values["models"]["used"] = "other", ["a"]
    values["first_categories"] = values["categories"]
    assert written(folder) == {**values, "states": ["accepted", "accepted", "corrected"]}


def test_unknown_keys_do_not_reach_another_session(
    example: Callable[[str], Path], tmp_path: Path
) -> None:
    folder = example("format-1-channel")
    newer(folder, "2.7")
    session = Session.open(folder)
    other = Session.create(
        tmp_path / "other",
        session.scan,
        session.categories,
        session.load_mask(),
        layers=session.layers,
    )
    assert Session.open(other.folder).categories == KINDS


@pytest.mark.parametrize(
    ("version", "reason"),
    [
        (2, r"damaged \(categories\.0\.hue: there is no such setting"),
        ("2.0", "damaged"),
        (3, r"session\.json was written by a newer version; update napari-unet-seg"),
        ("3.1", r"session\.json was written by a newer version; update napari-unet-seg"),
    ],
)
def test_unknown_keys_of_other_versions_are_refused(
    example: Callable[[str], Path], version: Any, reason: str
) -> None:
    folder = example("format-1-channel")
    newer(folder, version)
    with pytest.raises(DataError, match=reason):
        Session.open(folder)
