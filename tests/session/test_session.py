from __future__ import annotations

import json
import shutil
import sys
from dataclasses import replace
from subprocess import run
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image

from napari_unet_seg.config import IGNORE_INDEX, Category
from napari_unet_seg.errors import DataError
from napari_unet_seg.io.common.scan import Scan
from napari_unet_seg.io.images.photographs import lazy_stack
from napari_unet_seg.io.images.tiff import read_tiff, write_array
from napari_unet_seg.session.held_out import Split, assign_splits, block_width
from napari_unet_seg.session.review_queue import ReviewState
from napari_unet_seg.session.samples import training_samples
from napari_unet_seg.session.session import Session
from napari_unet_seg.session.slice_labels import slice_changes
from napari_unet_seg.session.stored.record import LayersRecord, Round

if TYPE_CHECKING:
    from pathlib import Path

TUMOUR = (Category(id=7, name="tumour"),)


@pytest.fixture
def volume(tmp_path: Path) -> Scan:
    path = tmp_path / "head.tif"
    voxels = np.random.default_rng(0).integers(0, 200, (6, 20, 24), np.uint8)
    write_array(path, voxels, axes="ZYX", spacing=(3.0, 0.5, 0.5), unit="mm")
    return read_tiff(path)


@pytest.fixture
def prediction(volume: Scan) -> np.ndarray:
    labels = np.zeros(volume.grid_shape, np.uint8)
    labels[:, 5:10, 5:10] = 1
    return labels


@pytest.fixture
def session(tmp_path: Path, volume: Scan, prediction: np.ndarray) -> Session:
    return Session.create(tmp_path / "session", volume, TUMOUR, prediction)


def test_slices_are_named_after_the_file_or_the_image_without_one(
    session: Session, volume: Scan, prediction: np.ndarray, tmp_path: Path
) -> None:
    assert session.name_of(2) == "head.tif#2"
    copied = replace(volume, path=None)
    Session.create(
        tmp_path / "s", copied, TUMOUR, prediction, layers=LayersRecord(image="head · FLAIR")
    )
    Session.create(tmp_path / "t", copied, TUMOUR, prediction)
    assert Session.open(tmp_path / "s").name_of(2) == "head · FLAIR#2"
    assert Session.open(tmp_path / "t").name_of(2) == "scan.tif#2"


def test_reopening_brings_everything_back(session: Session, prediction: np.ndarray) -> None:
    painted = prediction.copy()
    painted[2, 0:3, 0:3] = 1
    session.set_states({2: ReviewState.ACCEPTED})
    session.set_states({3: ReviewState.SKIPPED})
    session.save_mask(painted)
    again = Session.open(session.folder)
    np.testing.assert_array_equal(again.load_mask(), painted)
    np.testing.assert_array_equal(again.prediction, prediction)
    np.testing.assert_array_equal(again.scan.data, session.scan.data)
    assert again.states == session.states
    assert again.accepted == (2,)
    assert again.categories == TUMOUR
    assert (again.scan.axes, again.scan.spacing, again.scan.unit) == ("ZYX", (3, 0.5, 0.5), "mm")


def test_only_slices_that_changed_are_written(session: Session, prediction: np.ndarray) -> None:
    labels = prediction.astype(np.int32)
    assert session.save_mask(labels) == ()
    labels[4, 0, 0] = 1
    assert session.save_mask(labels) == (4,)
    assert session.save_mask(labels) == ()
    assert [p.name for p in (session.folder / "masks").iterdir()] == ["00004.tif"]
    again = Session.open(session.folder)
    again.load_mask()
    assert again.save_mask(labels) == ()


def test_the_version_before_is_kept(session: Session, prediction: np.ndarray) -> None:
    prediction[1, 0, 0] = 1
    session.save_mask(prediction)
    earlier = prediction[1].copy()
    prediction[1, 0, 1] = 1
    session.save_mask(prediction)
    kept = read_tiff(session.folder / "masks" / "00001.bak.tif")
    np.testing.assert_array_equal(kept.data, earlier)
    assert kept.spacing == (0.5, 0.5)


def test_only_the_slices_asked_for_are_looked_at(session: Session, prediction: np.ndarray) -> None:
    prediction[:, 0, 0] = 1
    assert session.save_mask(prediction, [1, 3]) == (1, 3)


def test_undone_corrections_are_stored_too(session: Session, prediction: np.ndarray) -> None:
    painted = prediction.copy()
    painted[0] = 1
    session.save_mask(painted)
    session.save_mask(prediction)
    np.testing.assert_array_equal(Session.open(session.folder).load_mask(), prediction)


def test_accepted_slices_are_marked_as_they_are_stored(
    session: Session, prediction: np.ndarray
) -> None:
    for index, state in enumerate(ReviewState):
        session.set_states({index: state})
    painted = prediction.copy()
    painted[:, 0, 0] = 1
    later = prediction.copy()
    later[2, 0, 0] = 1
    accepted = (ReviewState.ACCEPTED, ReviewState.CORRECTED)
    session.save_mask(prediction)
    assert session.states[1:3] == accepted, "what is not written is not looked at"
    session.save_mask(painted)
    assert session.states[1:3] == (ReviewState.CORRECTED,) * 2
    session.masks.replace_prediction(2, later[2])
    session.save_mask(later, [1])
    session.save_mask(prediction, [2])
    session.save_mask(later, [2])
    again = Session.open(session.folder)
    assert again.states[1:3] == (ReviewState.ACCEPTED,) * 2
    others = [state for state in ReviewState if state not in accepted]
    assert [again.states[i] for i in (0, 3, 4)] == others


def test_slices_that_were_written_before_an_error_are_marked(
    session: Session, prediction: np.ndarray
) -> None:
    for index in range(6):
        session.set_states({index: ReviewState.ACCEPTED})
    prediction[:, 0, 0] = 1
    in_the_way = session.folder / "masks" / "00003.tif"
    in_the_way.mkdir()
    with pytest.raises(DataError, match=r"00003\.tif"):
        session.save_mask(prediction)
    assert session.states.count(ReviewState.CORRECTED) == 3
    in_the_way.rmdir()
    assert session.save_mask(prediction) == (3, 4, 5)
    assert set(Session.open(session.folder).states) == {ReviewState.CORRECTED}


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ([0, 0, 0, 0], [0, 0, 0, 0], (0, 0, None)),
        ([1, 1, 0, 0], [1, 1, 0, 0], (0, 0, 1.0)),
        ([1, 1, 0, 0], [0, 1, 1, 1], (2, 1, 0.4)),
        ([1, 1, 0, 0], [2, 1, 0, 0], (1, 1, 0.5)),
        ([1, 0, 0, 0], [IGNORE_INDEX, 0, 0, 1], (1, 0, 0.0)),
    ],
    ids=["empty", "same", "moved", "relabelled", "not reviewed"],
)
def test_changes(
    tmp_path: Path, before: list[int], after: list[int], expected: tuple[int, int, float | None]
) -> None:
    scan = Scan(np.zeros((2, 2), np.uint8), "YX")
    categories = (*TUMOUR, Category(id=8, name="oedema"))
    first = np.array(before, np.uint8).reshape(2, 2)
    session = Session.create(tmp_path / "s", scan, categories, first)
    found = slice_changes(session.masks.read_prediction(0), np.array(after).reshape(2, 2))
    dice = None if np.isnan(found.dice) else round(found.dice, 6)
    assert (found.added, found.removed, dice) == expected


def test_states_and_figures_are_kept(tmp_path: Path, volume: Scan, prediction: np.ndarray) -> None:
    figures = (0.5, float("nan"), None, 0.25, 1.0, 0.0)
    session = Session.create(tmp_path / "s", volume, TUMOUR, prediction, predicted_dice=figures)
    for index, state in enumerate(ReviewState):
        session.set_states({index: state})
    session.set_predicted_dice(2, 0.75)
    session.set_predicted_dice(4, float("nan"))
    session.save()
    again = Session.open(tmp_path / "s")
    assert again.states == (*ReviewState, ReviewState.TODO)
    assert again.predicted_dice == (0.5, None, 0.75, 0.25, None, 0.0)
    assert again.accepted == (1, 2)


def test_sessions_of_before_open(session: Session) -> None:
    path = session.folder / "session.json"
    values = json.loads(path.read_text())
    del values["predicted_dice"]
    values["states"] = ["to do", "accepted", "skipped", "to do", "accepted", "to do"]
    path.write_text(json.dumps(values))
    again = Session.open(session.folder)
    assert [str(state) for state in again.states] == values["states"]
    assert again.accepted == (1, 4)
    assert again.predicted_dice == (None,) * 6
    again.set_predicted_dice(3, 0.5)
    assert again.predicted_dice == (None, None, None, 0.5, None, None)


def test_a_figure_for_every_slice_or_none(
    tmp_path: Path, session: Session, volume: Scan, prediction: np.ndarray
) -> None:
    with pytest.raises(DataError, match="2 values of predicted Dice and 6 slices"):
        Session.create(tmp_path / "s", volume, TUMOUR, prediction, predicted_dice=(0.5, 0.6))
    path = session.folder / "session.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "predicted_dice": [0.5]}))
    with pytest.raises(DataError, match=r"damaged \(predicted_dice has 1 scores for 6 slices"):
        Session.open(session.folder)


def test_corrected_slices_are_trained_on_and_held_out_like_accepted_ones(session: Session) -> None:
    states = (ReviewState.ACCEPTED, ReviewState.CORRECTED) * 3
    for index, state in enumerate(states):
        session.set_states({index: state})
    assert session.accepted == (0, 1, 2, 3, 4, 5)
    names = [s.name for s in training_samples(session).samples]
    assert names == [f"head.tif#{i}" for i in range(6)]
    assert "valid" in session.splits.values()
    for index in range(6):
        session.set_states({index: ReviewState.FLAGGED})
    assert session.accepted == ()


@pytest.mark.parametrize(
    ("shape", "axes", "slices"),
    [((20, 24), "YX", 1), ((1, 20, 24), "ZYX", 1), ((2, 3, 20, 24), "TZYX", 6)],
)
def test_scans_without_a_file_are_copied(
    tmp_path: Path, shape: tuple[int, ...], axes: str, slices: int
) -> None:
    voxels = np.random.default_rng(1).random((*shape, 3), np.float32)
    scan = Scan(voxels, axes + "C", (2.0,) * len(shape), "mm")
    labels = np.zeros(shape, np.uint8)
    session = Session.create(tmp_path / "s", scan, TUMOUR, labels)
    assert len(session.states) == slices
    shutil.move(session.folder, tmp_path / "moved")
    again = Session.open(tmp_path / "moved")
    np.testing.assert_array_equal(again.scan.data, voxels)
    assert (again.scan.axes, again.scan.spacing) == (scan.axes, scan.spacing)
    labels[..., 3, 4] = 1
    assert len(again.save_mask(labels)) == slices
    np.testing.assert_array_equal(Session.open(again.folder).load_mask(), labels)


@pytest.fixture
def images(tmp_path: Path) -> Scan:
    rng = np.random.default_rng(2)
    paths = [tmp_path / "images" / f"{i}.png" for i in range(10)]
    paths[0].parent.mkdir()
    for path in paths:
        Image.fromarray(rng.integers(1, 255, (20, 24), np.uint8)).save(path)
    data = lazy_stack(paths, (20, 24), np.uint8)
    return Scan(data, "NYX", names=tuple(p.name for p in paths), meta={"paths": tuple(paths)})


@pytest.mark.parametrize(
    ("values", "dtype", "stored"),
    [
        ([-3, 2**31 - 1], "int64", "int32"),
        ([0, 2**32 - 1], "int64", "uint32"),
        ([0, 2**32 - 1], "uint64", "uint32"),
        ([0.1, np.nan], "float16", "float32"),
        ([0.1, -np.inf], "longdouble", "float64"),
        ([-7, 7], "int8", "int8"),
        ([0, 1.5], ">f8", "float64"),
    ],
)
def test_scans_of_types_that_tiffs_lack_are_copied_number_by_number(
    tmp_path: Path, values: list[float], dtype: str, stored: str
) -> None:
    pixels = np.tile(np.array(values, float).astype(dtype), (4, 3))
    labels = np.zeros(pixels.shape, np.uint8)
    Session.create(tmp_path / "s", Scan(pixels, "YX"), TUMOUR, labels)
    scan = Session.open(tmp_path / "s").scan
    assert scan.data.dtype == stored
    np.testing.assert_array_equal(scan.data, pixels)


@pytest.mark.parametrize(
    ("values", "dtype"),
    [([-1, 2**32 - 1], "int64"), ([0, 2**40], "uint64"), ([1, 2], "complex64")],
)
def test_a_scan_that_cannot_be_stored_is_named(
    tmp_path: Path, values: list[int], dtype: str
) -> None:
    pixels = np.array(values, dtype)[None]
    labels = np.zeros(pixels.shape, np.uint8)
    with pytest.raises(DataError, match=f"The image head holds {dtype} numbers .*; convert it to"):
        Session.create(
            tmp_path / "s", Scan(pixels, "YX"), TUMOUR, labels, layers=LayersRecord(image="head")
        )
    assert not (tmp_path / "s").exists()


def test_stacks_of_images_are_not_copied(tmp_path: Path, images: Scan) -> None:
    session = Session.create(tmp_path / "s", images, TUMOUR, np.zeros((10, 20, 24), np.uint8))
    assert sorted(p.name for p in session.folder.iterdir()) == [
        "masks",
        "predictions",
        "session.json",
    ]
    again = Session.open(session.folder)
    np.testing.assert_array_equal(again.scan.data.compute(), images.data.compute())
    assert again.name_of(3) == "3.png"
    assert again.scan.axes == "NYX"


def test_a_changed_scan_is_refused_with_both_grids(session: Session, volume: Scan) -> None:
    assert volume.path is not None
    write_array(volume.path, np.zeros((5, 20, 24), np.uint16), axes="ZYX")
    with pytest.raises(DataError, match=r"head\.tif.*ZYX 6×20×24 \(uint8\).*ZYX 5×20×24 \(uint16"):
        Session.open(session.folder)


def test_a_changed_image_of_a_stack_is_refused(tmp_path: Path, images: Scan) -> None:
    session = Session.create(tmp_path / "s", images, TUMOUR, np.zeros((10, 20, 24), np.uint8))
    Image.fromarray(np.zeros((20, 24), np.uint8)).save(images.meta["paths"][4])
    with pytest.raises(DataError, match="changed since the session s started"):
        Session.open(session.folder)
    images.meta["paths"][4].unlink()
    with pytest.raises(DataError, match=r"4\.png.*is missing; restore it"):
        Session.open(session.folder)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("{", "is damaged .*replace it by session.bak.json"),
        ("[]", "is damaged"),
        ("{}", "is damaged"),
        ('{"format": 99}', "newer version; update"),
        ("\x00", "is damaged"),
    ],
)
def test_a_broken_session_file_names_the_mend(session: Session, content: str, reason: str) -> None:
    (session.folder / "session.json").write_text(content)
    with pytest.raises(DataError, match=reason) as caught:
        Session.open(session.folder)
    assert "\n" not in str(caught.value)


def test_the_mend_of_a_broken_session_file_works(session: Session) -> None:
    for index in (0, 1):
        session.set_states({index: ReviewState.ACCEPTED})
        session.save()
    path = session.folder / "session.json"
    path.write_text("{")
    path.with_name("session.bak.json").replace(path)
    assert Session.open(session.folder).accepted == (0,)


def stamp(session: Session) -> tuple[int, int]:
    """Tell one file that was written from another."""
    status = (session.folder / "session.json").stat()
    return status.st_ino, status.st_mtime_ns


@pytest.mark.parametrize("hold", [False, True])
def test_what_is_stored_already_is_not_written_again(
    session: Session, prediction: np.ndarray, hold: bool
) -> None:
    again = Session.open(session.folder, hold=hold)
    before = stamp(again)
    again.set_states({0: ReviewState.TODO})
    again.set_layers(mask="")
    again.save()
    assert again.save_mask(prediction) == ()
    assert stamp(again) == before
    again.set_states({0: ReviewState.ACCEPTED})
    assert not again.is_stored
    again.save()
    assert again.is_stored
    assert stamp(again) != before
    again.close()


def test_the_time_of_the_record_is_that_of_the_last_mask(
    session: Session, prediction: np.ndarray
) -> None:
    before = stamp(session)
    prediction[0, 0, 0] = 1
    assert session.save_mask(prediction) == (0,)
    assert stamp(session) != before


def test_a_record_that_is_gone_is_written_again(session: Session) -> None:
    (session.folder / "session.json").unlink()
    session.save()
    assert Session.open(session.folder).states == session.states


def test_what_could_not_be_stored_is_stored_by_the_next_save(session: Session) -> None:
    path = session.folder / "session.json"
    session.set_states({2: ReviewState.ACCEPTED})
    path.rename(session.folder / "elsewhere.json")
    path.mkdir()
    with pytest.raises(DataError, match=r"session\.json cannot be written"):
        session.save()
    path.rmdir()
    (session.folder / "elsewhere.json").rename(path)
    assert not session.is_stored
    session.save()
    assert Session.open(session.folder).accepted == (2,)


def test_a_folder_that_is_no_session_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"holds no session\.json"):
        Session.open(tmp_path)


def test_a_missing_prediction_is_refused(session: Session) -> None:
    (session.folder / "predictions" / "prediction.tif").unlink()
    with pytest.raises(DataError, match=r"prediction\.tif is missing"):
        Session.open(session.folder)


@pytest.mark.parametrize(
    ("labels", "reason"),
    [
        (np.zeros((6, 20, 23), np.uint8), "6×20×23.*6×20×24"),
        (np.full((6, 20, 24), 2, np.uint8), "reach 2, but there are only 1 categories"),
        (np.zeros((6, 20, 24)), "float64"),
    ],
    ids=["grid", "unknown label", "floats"],
)
def test_a_prediction_that_does_not_fit_leaves_nothing_behind(
    tmp_path: Path, volume: Scan, labels: np.ndarray, reason: str
) -> None:
    with pytest.raises(DataError, match=reason):
        Session.create(tmp_path / "s", volume, TUMOUR, labels)
    assert [p.name for p in tmp_path.iterdir()] == ["head.tif"]


def test_a_mask_of_another_grid_is_refused(session: Session) -> None:
    with pytest.raises(DataError, match=r"5×20×24.*6×20×24"):
        session.save_mask(np.zeros((5, 20, 24), np.uint8))


def test_a_folder_in_use_is_refused(session: Session, volume: Scan, prediction: np.ndarray) -> None:
    with pytest.raises(DataError, match="holds a session already"):
        Session.create(session.folder, volume, TUMOUR, prediction)
    with pytest.raises(DataError, match="in use for other files"):
        Session.create(session.folder / "predictions", volume, TUMOUR, prediction)


def test_a_place_that_cannot_be_written_is_named(
    tmp_path: Path, volume: Scan, prediction: np.ndarray
) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(DataError, match="folder is a file; choose another folder"):
        Session.create(tmp_path / "file" / "s", volume, TUMOUR, prediction)


def accept(session: Session, *slices: int) -> None:
    for index in slices:
        session.set_states({index: ReviewState.ACCEPTED})


def test_training_samples_are_the_accepted_slices_as_stored(
    session: Session, prediction: np.ndarray
) -> None:
    prediction[1, 0, 0] = 1
    session.save_mask(prediction)
    accept(session, 0, 1, 4)
    samples = training_samples(session)
    assert samples.categories == TUMOUR
    assert [s.name for s in samples.samples] == ["head.tif#0", "head.tif#1", "head.tif#4"]
    for sample, index in zip(samples.samples, (0, 1, 4), strict=True):
        np.testing.assert_array_equal(sample.mask, prediction[index])
        np.testing.assert_array_equal(sample.image, session.scan.data[index])
    sides = [s.split for s in samples.samples]
    assert sides.count("valid") == 1
    assert sides == [session.splits[i] for i in (0, 1, 4)]


def test_nothing_accepted_is_refused(session: Session) -> None:
    with pytest.raises(DataError, match="No slice of the session session is accepted"):
        training_samples(session)


def test_no_later_round_trains_on_what_was_held_out(tmp_path: Path, images: Scan) -> None:
    session = Session.create(tmp_path / "s", images, TUMOUR, np.zeros((10, 20, 24), np.uint8))
    held_out: set[int] = set()
    trained: set[int] = set()
    for index in (3, 7, 1, 0, 9, 8, 2, 4, 5, 6):
        accept(session, index)
        samples = training_samples(session).samples
        held_out |= {int(s.name[0]) for s in samples if s.split == "valid"}
        trained |= {int(s.name[0]) for s in samples if s.split == "train"}
        session = Session.open(session.folder)
    assert not held_out & trained
    assert len(held_out) == 2


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("independent", [True, False])
def test_about_a_fifth_is_held_out(independent: bool, seed: int) -> None:
    sides = assign_splits(range(120), {}, count=120, independent=independent, seed=seed)
    held = [i for i, side in sides.items() if side == "valid"]
    assert 20 <= len(held) <= 34


@pytest.mark.parametrize("seed", range(5))
def test_images_of_a_patient_stay_together(seed: int) -> None:
    patients = [f"patient {i // 7}" for i in range(70)]
    sides: dict[int, Split] = {}
    for count in (20, 70):  # the second round adds images of a patient who has a side
        sides = assign_splits(
            range(count), sides, count=70, independent=True, seed=seed, patients=patients
        )
        of = {patients[i]: side for i, side in sides.items()}
        assert all(of[patients[i]] == side for i, side in sides.items())
        assert set(of.values()) == {"train", "valid"}


def test_neighbours_in_a_volume_stay_together() -> None:
    sides = assign_splits(range(120), {}, count=120, independent=False, seed=0)
    width = block_width(120)
    for start in range(0, 120, width):
        assert len({sides[i] for i in range(start, start + width)}) == 1
    seams = sum(sides[i] != sides[i + 1] for i in range(119))
    assert seams <= 6


@pytest.mark.parametrize("count", [2, 3, 4, 9])
@pytest.mark.parametrize("independent", [True, False])
def test_two_accepted_slices_hold_one_out(count: int, independent: bool) -> None:
    sides = assign_splits(range(40, 40 + count), {}, count=155, independent=independent, seed=0)
    assert set(sides.values()) == {"train", "valid"}


@pytest.mark.parametrize("count", [2, 3, 9])
@pytest.mark.parametrize("independent", [True, False])
def test_the_only_slice_with_a_mask_is_trained_on(count: int, independent: bool) -> None:
    for labelled in range(count):
        sides = assign_splits(
            range(count),
            {},
            count=155,
            independent=independent,
            seed=0,
            is_labelled=labelled.__eq__,
        )
        assert sides[labelled] == "train"
        assert set(sides.values()) == {"train", "valid"}


@pytest.mark.parametrize("empty", range(4))
def test_a_slice_with_a_mask_is_held_out_where_two_have_one(empty: int) -> None:
    known = {empty: "valid"}
    for count in (5, 9):
        sides = assign_splits(
            range(count), known, count=155, independent=True, seed=0, is_labelled=lambda i: i > 3
        )
        held_out = [i for i, side in sides.items() if side == "valid" and i > 3]
        assert len(held_out) == (0 if count == 5 else 1)


def test_a_slice_that_is_held_out_stays_so_where_it_has_the_only_mask() -> None:
    sides = assign_splits(
        range(3), {0: "valid"}, count=3, independent=True, seed=0, is_labelled=(0).__eq__
    )
    assert sides[0] == "valid"


def test_rounds_are_numbered_and_restored(session: Session) -> None:
    first, second = session.new_round(), session.new_round()
    assert (first.name, second.name) == ("01", "02")
    done = Round(
        number=2,
        checkpoint="rounds/02/best.safetensors",
        base="bundled",
        before=0.5,
        after=None,
        train=4,
        held_out=1,
        epochs=3,
    )
    session.finish_round(done)
    assert Session.open(session.folder).rounds == (done,)


def test_slices_that_joined_a_block_keep_its_side() -> None:
    first = assign_splits(range(0, 120, 10), {}, count=120, independent=False, seed=3)
    later = assign_splits(range(120), first, count=120, independent=False, seed=3)
    assert {i: later[i] for i in first} == first
    assert all(later[i] == first[i // 10 * 10] for i in range(120))


def test_a_scan_shown_with_other_axes_than_its_file_is_copied(
    tmp_path: Path, volume: Scan, prediction: np.ndarray
) -> None:
    turned = replace(volume, data=volume.data.transpose(1, 0, 2))
    session = Session.create(tmp_path / "s", turned, TUMOUR, prediction.transpose(1, 0, 2))
    np.testing.assert_array_equal(Session.open(session.folder).scan.data, turned.data)


def test_neither_qt_nor_torch_is_imported() -> None:
    code = (
        "import sys, napari_unet_seg.training.fine_tune;"
        "print(*{'torch', 'napari', 'qtpy'} & set(sys.modules))"
    )
    result = run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (result.returncode, result.stdout.strip()) == (0, ""), result.stderr
