from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import tifffile
from streams import here

from napari_unet_seg import engine
from napari_unet_seg.config import Category, ModelConfig, PredictConfig, TrainConfig
from napari_unet_seg.data.dataset import open_dataset
from napari_unet_seg.data.samples import Sample, SampleSet
from napari_unet_seg.errors import DataError, NothingToLearnError
from napari_unet_seg.events import Command, Evaluated, ItemDone, TrainFinished, TrainStarted
from napari_unet_seg.io.common.scan import Scan
from napari_unet_seg.models.header import read_header
from napari_unet_seg.session.held_out import unused_slices
from napari_unet_seg.session.model_lineage import lineage
from napari_unet_seg.session.review_queue import ReviewState
from napari_unet_seg.session.rounds import hold_out, run_round
from napari_unet_seg.session.samples import training_samples
from napari_unet_seg.session.session import Session
from napari_unet_seg.session.stored.record import Round, read_record
from napari_unet_seg.training.fine_tune import fine_tune, union
from napari_unet_seg.training.run import Run

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

TUMOUR = (Category(id=7, name="tumour"),)
CONFIG = TrainConfig(
    epochs=2, batch_size=2, image_size=32, learning_rate=1e-2, model=ModelConfig(width=4, depth=2)
)


def phantoms(count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Noise with a bright square, and the square."""
    rng = np.random.default_rng(seed)
    images = rng.integers(20, 90, (count, 32, 32), np.uint8)
    labels = np.zeros((count, 32, 32), np.uint8)
    for index, (y, x) in enumerate(rng.integers(2, 18, (count, 2))):
        labels[index, y : y + 12, x : x + 12] = 1
    return np.where(labels, images + np.uint8(120), images), labels


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    images, labels = phantoms(2, 0)
    samples = tuple(
        Sample(str(i), *pair, str(i)) for i, pair in enumerate(zip(images, labels, strict=True))
    )
    run = tmp_path_factory.mktemp("base")
    events = here(
        "napari_unet_seg.engine:train",
        CONFIG.replace(epochs=1, learning_rate=1e-4),
        SampleSet(samples, TUMOUR, "phantoms"),
        run,
    )
    return [*events][-1].best


@pytest.fixture
def session(tmp_path: Path) -> Session:
    images, labels = phantoms(8, 1)
    names = tuple(f"{i}.png" for i in range(8))
    session = Session.create(
        tmp_path / "s", Scan(images, "NYX", names=names), TUMOUR, np.zeros_like(labels)
    )
    session.save_mask(labels)
    for index in range(6):
        session.set_states({index: ReviewState.ACCEPTED})
    return session


def test_a_round_measures_trains_and_measures(session: Session, base: Path) -> None:
    config = CONFIG.replace(epochs=12)
    events = [*run_round(session, config, base, here)]
    done = events[-1]
    assert isinstance(done, Round)
    kinds = [type(e) for e in events]
    order = [kinds.index(TrainStarted), kinds.index(TrainFinished), kinds.index(Evaluated)]
    assert order == sorted(order)
    assert (done.number, done.train, done.held_out, done.epochs) == (1, 5, 1, 12)
    assert done.after is not None
    assert done.before is not None
    assert done.after > max(0.5, done.before)
    assert read_header(session.folder / done.checkpoint).parent
    assert Session.open(session.folder).rounds == (done,)


def test_stop_keeps_the_best_and_still_measures_it(session: Session, base: Path) -> None:
    events: Iterator[Any] = run_round(session, CONFIG.replace(epochs=50), base, here)
    seen = []
    command = None
    while True:
        try:
            seen.append(events.send(command))  # type: ignore[attr-defined]
        except StopIteration:
            break
        command = Command.STOP if seen[-1].__class__.__name__ == "BatchEnd" else None
    assert isinstance(seen[-1], Round)
    assert (seen[-1].stopped, seen[-1].epochs) == (True, 1)
    assert (session.folder / seen[-1].checkpoint).is_file()


def test_stop_before_the_first_step_leaves_no_round(session: Session, base: Path) -> None:
    many = CONFIG.replace(preview_every=0)
    for index in range(6, 8):
        session.set_states({index: ReviewState.ACCEPTED})
    events = run_round(session, many, base, here)
    assert isinstance(next(events), TrainStarted)
    events.close()
    assert not session.rounds


def test_a_base_of_other_categories_is_not_measured(tmp_path: Path, base: Path) -> None:
    images, labels = phantoms(4, 1)
    categories = (Category(id=1, name="oedema"), Category(id=2, name="core"))
    session = Session.create(tmp_path / "s", Scan(images, "NYX"), categories, labels * 2)
    for index in range(4):
        session.set_states({index: ReviewState.ACCEPTED})
    done = [*run_round(session, CONFIG, base, here)][-1]
    assert done.before is None
    info = read_header(session.folder / done.checkpoint)
    assert info.categories == categories


def test_a_category_that_is_added_leaves_the_known_one_as_good(tmp_path: Path, base: Path) -> None:
    images, labels = phantoms(4, 1)
    categories = (*TUMOUR, Category(id=8, name="cyst"))
    samples = tuple(
        Sample(str(i), *pair, str(i)) for i, pair in enumerate(zip(images, labels, strict=True))
    )
    still = CONFIG.replace(epochs=1, learning_rate=1e-9, keep_statistics=True)
    events = here(
        "napari_unet_seg.engine:train",
        still,
        SampleSet(samples, categories, "phantoms"),
        tmp_path,
        init=base,
    )
    grown = [*events][-1].best
    predict = PredictConfig(device="cpu", precision="float32")
    before, after = (
        [*engine.predict(predict, model, Scan(images, "NYX"))][-1].labels for model in (base, grown)
    )
    assert set(np.unique(after)) <= {0, 1}
    assert np.mean(before != after) < 0.02


def test_a_model_that_a_session_of_fewer_categories_tuned_grows(
    session: Session, tmp_path: Path, base: Path
) -> None:
    *_, first = run_round(session, CONFIG, base, here)
    tuned = session.folder / first.checkpoint
    images, labels = phantoms(4, 1)
    categories = (*TUMOUR, Category(id=8, name="cyst"))
    later = [
        Session.create(tmp_path / name, Scan(images, "NYX"), categories, labels, tuned)
        for name in ("three", "four")
    ]
    for other in later:
        for index in range(4):
            other.set_states({index: ReviewState.ACCEPTED})
        other.save()
    skipped, *_, done = run_round(later[0], CONFIG, tuned, here)
    assert skipped.problem.startswith("its categories are tumour, and those of the open session ")
    assert (done.base, done.model) == (str(tuned), str(tuned)), "what it has learned stays"
    grown = later[0].folder / done.checkpoint
    assert read_header(grown).categories == categories
    assert lineage(later[1], grown) == (tuned, [later[0].folder, session.folder])


def test_one_accepted_slice_is_trained_on(tmp_path: Path, base: Path) -> None:
    images, labels = phantoms(1, 1)
    session = Session.create(tmp_path / "s", Scan(images[0], "YX"), TUMOUR, labels[0])
    session.set_states({0: ReviewState.ACCEPTED})
    done = [*run_round(session, CONFIG, base, here)][-1]
    assert (done.train, done.held_out, done.before, done.after) == (1, 0, None, None)


def test_held_out_slices_alone_cannot_be_trained_on(session: Session, base: Path) -> None:
    training_samples(session)
    (held_out,) = (i for i, split in session.splits.items() if split == "valid")
    for index in session.accepted:
        if index != held_out:
            session.set_states({index: ReviewState.SKIPPED})
    with pytest.raises(NothingToLearnError, match="has a mask yet"):
        next(run_round(session, CONFIG, base, here))


def test_empty_slices_alone_cannot_be_trained_on_and_use_up_no_number(
    session: Session, base: Path
) -> None:
    _, labels = phantoms(8, 1)
    session.save_mask(np.zeros_like(labels))
    with pytest.raises(NothingToLearnError, match="has a mask yet"):
        next(run_round(session, CONFIG, base, here))
    assert not (session.folder / "rounds").exists()
    session.save_mask(labels)
    *_, done = run_round(session, CONFIG, base, here)
    assert done.number == 1


@pytest.mark.parametrize("labelled", range(6))
def test_the_only_slice_with_a_mask_is_not_held_out(session: Session, labelled: int) -> None:
    _, labels = phantoms(8, 1)
    labels[np.arange(8) != labelled] = 0
    session.save_mask(labels)
    session.store_splits()
    assert session.splits[labelled] == "train"
    assert "valid" in session.splits.values()


@pytest.mark.parametrize("labelled", range(4))
def test_the_only_scan_with_a_mask_is_not_held_out(
    tmp_path: Path, base: Path, labelled: int
) -> None:
    sessions = single_images(tmp_path, 4)
    for index, session in enumerate(sessions):
        if index != labelled:
            session.save_mask(np.zeros(session.masks.shape, np.uint8))
    *others, last = sessions
    *_, done = run_round(last, CONFIG, base, here, [s.folder for s in others])
    assert Session.open(sessions[labelled].folder).splits == {0: "train"}
    assert (done.train, done.held_out) == (3, 1)


def test_the_only_mask_is_trained_on_beside_a_scan_of_empty_slices(
    tmp_path: Path, base: Path
) -> None:
    images, labels = phantoms(8, 1)
    empty = Session.create(tmp_path / "a", Scan(images, "ZYX"), TUMOUR, np.zeros_like(labels))
    for index in range(8):
        empty.set_states({index: ReviewState.ACCEPTED})
    empty.save()
    first, last = single_images(tmp_path, 2)
    first.save_mask(np.zeros(first.masks.shape, np.uint8))
    *_, done = run_round(last, CONFIG, base, here, [empty.folder, first.folder])
    assert Session.open(last.folder).splits == {0: "train"}
    assert done.held_out


def write_dataset_folder(folder: Path, train: int, valid: int, seed: int = 3) -> Path:
    images, labels = phantoms(train + valid, seed)
    for index, (image, label) in enumerate(zip(images, labels, strict=True)):
        side = folder / ("train" if index < train else "valid")
        for part, array in (("images", image), ("masks", label)):
            (side / part).mkdir(parents=True, exist_ok=True)
            tifffile.imwrite(side / part / f"{index}.tif", array)
    return folder


@pytest.fixture
def schooled(tmp_path: Path) -> Path:
    """A model and the data set that it was trained on."""
    folder = write_dataset_folder(tmp_path / "data", 12, 3)
    *_, done = here(
        "napari_unet_seg.engine:train", CONFIG, open_dataset(folder), tmp_path / "schooled"
    )
    return done.best  # type: ignore[no-any-return]


def test_a_share_of_the_earlier_data_is_replayed_and_the_rest_measured(
    session: Session, schooled: Path
) -> None:
    *_, tuned, done = run_round(session, CONFIG.replace(replay=0.5), schooled, here)
    assert (tuned.train, tuned.replayed, tuned.old.samples) == (5, 5, 3)
    trained = Run(session.folder / "rounds" / "01").split()
    assert sum(name.endswith("(earlier)") for name in trained["train"]) == 5
    assert not any(name.endswith("(earlier)") for name in trained["valid"])
    assert (done.replayed, done.old_held_out) == (5, 3)
    assert done.old_before == tuned.old.before is not None
    assert done.old_after == tuned.old.after is not None


def test_replay_keeps_what_was_known(session: Session, schooled: Path, tmp_path: Path) -> None:
    # The new masks say the opposite of the old ones: the net cannot but forget, or remember.
    session.save_mask(1 - phantoms(8, 1)[1])
    kept = {}
    for share in (0.0, 0.8):
        config = CONFIG.replace(epochs=15, replay=share)
        samples = training_samples(session)
        run = tmp_path / f"run{share}"
        *_, done = fine_tune(config, schooled, samples, run, here)
        kept[share] = done.old.after
    assert kept[0.8] > kept[0.0]


def test_data_that_are_gone_are_not_replayed(session: Session, base: Path) -> None:
    *_, done = run_round(session, CONFIG, base, here)
    assert (done.replayed, done.old_held_out, done.old_before) == (0, 0, None)


def test_data_of_other_categories_are_refused(session: Session, base: Path, tmp_path: Path) -> None:
    folder = write_dataset_folder(tmp_path / "other", 2, 1)
    mask = folder / "train" / "masks" / "0.tif"
    labels = tifffile.imread(mask)
    labels[:2, :2] = 2
    tifffile.imwrite(mask, labels)
    samples = training_samples(session)
    with pytest.raises(DataError, match=r"other has the categories .* and the model .* has tumour"):
        [*fine_tune(CONFIG, base, samples, tmp_path / "run", here, previous_data=folder)]


def test_a_near_copy_of_a_held_out_slice_is_not_replayed(
    session: Session, base: Path, tmp_path: Path
) -> None:
    samples = training_samples(session)
    (held_out,) = (s for s in samples.samples if s.split == "valid")
    mirrored = replace(held_out, name="mirrored", image=held_out.image[:, ::-1])  # type: ignore[index]
    other = replace(samples.samples[0], name="other", split="train")
    [
        *here(
            "napari_unet_seg.engine:train",
            CONFIG.replace(preview_every=0),
            samples,
            tmp_path / "run",
            init=base,
            replay=(mirrored, other),
        )
    ]
    names = Run(tmp_path / "run").split()
    assert "other" in names["train"]
    assert "mirrored" not in [*names["train"], *names["valid"]]


def test_a_second_round_starts_from_the_first_model_again(session: Session, base: Path) -> None:
    *_, first = run_round(session, CONFIG, base, here)
    *_, second = run_round(session, CONFIG, session.folder / first.checkpoint, here)
    assert second.base == first.base == str(base)


def test_a_session_on_a_tuned_model_takes_the_corrections_of_both(
    session: Session, base: Path, tmp_path: Path
) -> None:
    *_, first = run_round(session, CONFIG, base, here)
    images, labels = phantoms(5, 9)
    later = Session.create(tmp_path / "later", Scan(images, "NYX"), TUMOUR, labels)
    later.save_mask(labels)
    for index in range(5):
        later.set_states({index: ReviewState.ACCEPTED})
    later.save()
    session.save()
    *_, second = run_round(later, CONFIG, session.folder / first.checkpoint, here)
    assert second.base == str(base)
    assert (second.train, second.held_out) == (4 + first.train, 1 + first.held_out)


def single_images(folder: Path, count: int) -> list[Session]:
    """Sessions on one image each, all accepted."""
    sessions = []
    for index, (image, labels) in enumerate(zip(*phantoms(count, 3), strict=True)):
        name = f"image-{index:02d}"
        session = Session.create(folder / name, Scan(image, "YX", names=(name,)), TUMOUR, labels)
        session.set_states({0: ReviewState.ACCEPTED})
        session.save()
        sessions.append(session)
    return sessions


def volumes(folder: Path, names: Sequence[str]) -> list[Session]:
    """Sessions on a volume each, of which six slices are accepted."""
    sessions = []
    for index, name in enumerate(names):
        images, labels = phantoms(6, index)
        session = Session.create(folder / name, Scan(images, "ZYX"), TUMOUR, labels)
        session.set_states(dict.fromkeys(range(6), ReviewState.ACCEPTED))
        session.save()
        sessions.append(session)
    return sessions


@pytest.mark.parametrize(
    ("names", "whole"),
    [
        ([f"sub-0{n}_ses-{visit}" for n in range(1, 6) for visit in "12"], True),
        ([f"sub-0{n}" for n in range(1, 5)], False),
    ],
)
def test_of_five_patients_or_more_whole_ones_are_held_out(
    tmp_path: Path, names: Sequence[str], whole: bool
) -> None:
    sessions = volumes(tmp_path, names)
    hold_out(sessions)
    sides = {name: set(s.splits.values()) for name, s in zip(names, sessions, strict=True)}
    if not whole:
        assert set(map(len, sides.values())) == {0}, "each session divides its own slices"
        return
    assert [len(side) for side in sides.values()] == [1] * len(names)
    held_out = {name[:6] for name, side in sides.items() if side == {"valid"}}
    assert len(held_out) == 1
    assert sum(name[:6] in held_out for name in names) == 2


def test_a_round_on_single_images_holds_a_fifth_of_them_out(tmp_path: Path, base: Path) -> None:
    *others, last = single_images(tmp_path, 10)
    folders = [s.folder for s in others]
    *_, first = run_round(last, CONFIG, base, here, folders)
    assert (first.train, first.held_out) == (8, 2)
    assert first.before is not None
    assert sorted(first.sessions) == sorted(map(str, folders))
    sides = [Session.open(s.folder).splits for s in (*others, last)]
    assert [list(side) for side in sides] == [[0]] * 10
    assert Session.open(last.folder).rounds == (first,)

    folders += [s.folder for s in single_images(tmp_path / "more", 5)]
    written = [path.stat().st_mtime_ns for path in records(folders[:9])]
    *_, second = run_round(last, CONFIG, base, here, folders)
    assert (second.train, second.held_out) == (12, 3)
    assert [Session.open(s.folder).splits for s in (*others, last)] == sides
    assert [path.stat().st_mtime_ns for path in records(folders[:9])] == written


def records(folders: list[Path]) -> list[Path]:
    return [folder / "session.json" for folder in folders]


def test_few_slices_of_many_scans_are_held_out_by_scan(tmp_path: Path, base: Path) -> None:
    sessions = []
    for index in range(10):
        images, labels = phantoms(3, index)
        session = Session.create(
            tmp_path / f"scan-{index}", Scan(images, "ZYX"), TUMOUR, labels, base
        )
        for place in range(3):
            session.set_states({place: ReviewState.ACCEPTED})
        session.save()
        sessions.append(session)
    *others, last = sessions
    *_, done = run_round(last, CONFIG, base, here, [s.folder for s in others])
    assert (done.train, done.held_out) == (24, 6)
    assert {len(set(Session.open(s.folder).splits.values())) for s in sessions} == {1}


def test_slices_that_only_rounds_of_point_used_are_unused_in_every_session(
    session: Session, tmp_path: Path, base: Path, make_checkpoint: Callable[..., Path]
) -> None:
    (other,) = single_images(tmp_path, 1)
    folders, network = (session.folder, other.folder), make_checkpoint(prompts=True)
    still = CONFIG.replace(epochs=1, preview_every=0)

    def unused(model: Path) -> list[set[int]]:
        list(run_round(session, still, model, here, [other.folder]))
        return [unused_slices(read_record(folder)) for folder in folders]

    assert unused(network) == [set(range(6)), {0}]
    assert [len(read_record(folder).sides) for folder in folders] == [6, 1]
    session.set_states({0: ReviewState.TODO})
    assert unused(base) == [set(), set()]
    session.set_states({0: ReviewState.ACCEPTED})
    assert unused_slices(session.record) == {0}, "it was not accepted in the round of Segment"


def test_what_a_round_learnt_from_belongs_to_its_model(tmp_path: Path, base: Path) -> None:
    first, second, third, later = single_images(tmp_path, 4)
    *_, done = run_round(second, CONFIG, base, here, [first.folder])
    *_, again = run_round(third, CONFIG, second.folder / done.checkpoint, here, [first.folder])
    assert (done.number, again.number) == (1, 2), "rounds of many sessions are told apart"
    assert not again.sessions, "those that the model before learnt from are known by it"
    tuned = third.folder / again.checkpoint
    assert lineage(later, tuned) == (base, [third.folder, second.folder, first.folder])
    first.set_states({0: ReviewState.FLAGGED})
    first.save()
    *events, last = run_round(later, CONFIG, tuned, here)
    assert last.base == str(base)
    assert last.train + last.held_out == 3, "one is not accepted any more"
    assert [e.name for e in events if isinstance(e, ItemDone)][:3] == [
        "image-02",
        "image-01",
        "image-00",
    ]


def test_sessions_that_cannot_be_read_or_written_are_left_out(tmp_path: Path, base: Path) -> None:
    *others, last = single_images(tmp_path, 6)
    gone, damaged, elsewhere = others[:3]
    (gone.folder / "session.json").unlink()
    (damaged.folder / "predictions" / "prediction.tif").write_bytes(b"II*")
    elsewhere.hold()
    *events, done = run_round(last, CONFIG, base, here, [s.folder for s in others])
    problems = {e.name: e.problem for e in events if isinstance(e, ItemDone) and e.problem}
    assert sorted(problems) == ["image-00", "image-01", "image-02"]
    assert "holds no session.json" in problems["image-00"]
    assert "prediction.tif" in problems["image-01"]
    assert "is open in another window" in problems["image-02"]
    assert done.train + done.held_out == 3
    elsewhere.close()
    assert not Session.open(elsewhere.folder).splits


def test_a_small_volume_that_was_cut_in_two_keeps_its_blocks(tmp_path: Path, base: Path) -> None:
    (other,) = single_images(tmp_path, 1)
    images, labels = phantoms(48, 2)
    volume = Session.create(tmp_path / "volume", Scan(images, "ZYX"), TUMOUR, labels)
    for index, side in ((0, "train"), (20, "valid")):
        volume.set_split(index, side)
    for index in (0, 20, 21):
        volume.set_states({index: ReviewState.ACCEPTED})
    volume.save()
    *_, done = run_round(volume, CONFIG, base, here, [other.folder])
    assert volume.splits == {0: "train", 20: "valid", 21: "valid"}
    assert done.held_out >= 2


def test_without_any_session_that_can_be_read_there_is_no_round(tmp_path: Path, base: Path) -> None:
    other, last = single_images(tmp_path, 2)
    last.set_states({0: ReviewState.TODO})
    (other.folder / "predictions" / "prediction.tif").write_bytes(b"II*")
    with pytest.raises(DataError):
        list(run_round(last, CONFIG, base, here, [other.folder]))
    assert not (last.folder / "rounds").exists()


def test_stop_while_sessions_are_read_leaves_no_round(tmp_path: Path, base: Path) -> None:
    *others, last = single_images(tmp_path, 4)
    events = run_round(last, CONFIG, base, here, [s.folder for s in others])
    assert next(events) == ItemDone(1, 3, "image-00")
    with pytest.raises(StopIteration):
        events.send(Command.STOP)
    assert not last.rounds
    assert not (last.folder / "rounds").exists()


def test_where_the_first_session_is_gone_the_tuned_model_is_the_base(
    session: Session, base: Path
) -> None:
    *_, first = run_round(session, CONFIG, base, here)
    (session.folder / "session.json").rename(session.folder / "elsewhere.json")
    tuned = session.folder / first.checkpoint
    other = Session.create(
        session.folder.parent / "other", session.scan, TUMOUR, np.zeros((8, 32, 32), np.uint8)
    )
    assert lineage(other, tuned) == (tuned, [])


def test_sets_of_one_name_are_joined_under_two() -> None:
    image = np.zeros((32, 32), np.uint8)
    first, second = (
        SampleSet((Sample("1", image, image, "1"), Sample(name, image, image, "2")), TUMOUR, name)
        for name in ("a", "b")
    )
    assert [s.name for s in union([first, second]).samples] == ["1 (a)", "a", "1 (b)", "b"]
    twice = [s.name for s in union([first, first]).samples]
    assert twice == ["1 (a)", "a (a)", "1 (a) 2", "a (a) 2"]
    other = SampleSet(second.samples, (Category(id=1, name="oedema"),), "c")
    with pytest.raises(DataError, match="c has the categories oedema and a has tumour"):
        union([first, other])
