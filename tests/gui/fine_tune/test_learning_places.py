"""What learning counts and uses as scans, folders and sessions change; rounds are not run here."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from fake_rounds import fake_rounds
from plans import accept_plan
from stored_rounds import store_round

from napari_unet_seg._napari.fine_tune import predicting as predicting_module
from napari_unet_seg._napari.fine_tune.messages import round_summary
from napari_unet_seg._napari.review.widget import ReviewWidget
from napari_unet_seg._napari.scans.states import ScanStates
from napari_unet_seg._napari.segment import chosen_model
from napari_unet_seg._napari.widgets import jobs
from napari_unet_seg.config import Category
from napari_unet_seg.events import SlicePredicted
from napari_unet_seg.io.common.scan import Scan
from napari_unet_seg.io.images.tiff import write_array
from napari_unet_seg.io.read import read_scan
from napari_unet_seg.models import BUNDLED
from napari_unet_seg.models.description import model_name
from napari_unet_seg.session.review_queue import ReviewState
from napari_unet_seg.session.session import Session
from napari_unet_seg.session.stored.record import LayersRecord, Origin

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from pytestqt.qtbot import QtBot

KIND = (Category(id=1, name="c0"),)
OTHER_KIND = (Category(id=1, name="other"),)
COUNT, EVERY = 12, 4
STACK = (5, 40, 48)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "scans"
    folder.mkdir()
    noise = np.random.default_rng(0)
    for index in range(COUNT):
        image = noise.integers(1, 200, STACK[1:], np.uint8)
        write_array(folder / f"image-{index:02d}.tif", image, axes="YX")
    return folder


@pytest.fixture
def stacks(tmp_path: Path) -> Path:
    folder = tmp_path / "stacks"
    folder.mkdir()
    noise = np.random.default_rng(0)
    for index in range(4):
        stack = noise.integers(1, 200, STACK, np.uint8)
        write_array(folder / f"stack-{index}.tif", stack, axes="ZYX")
    return folder


@pytest.fixture
def widget(dock: Callable[[type], Any], tmp_path: Path) -> ReviewWidget:
    widget: ReviewWidget = dock(ReviewWidget)
    widget.bar.folder.setValue(tmp_path / "sessions" / "any")
    widget.fine_tune.learn_bar.every.setValue(EVERY)
    widget.fine_tune.learn_bar.switch.setChecked(True)
    return widget


@pytest.fixture
def started(widget: ReviewWidget, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many slices there were as rounds were to start; none does."""
    started: list[int] = []

    def start(_: int | None = None) -> None:
        started.append(widget.fine_tune.scope.accepted)

    monkeypatch.setattr(widget.fine_tune, "start", start)
    return started


def a_session(
    tmp_path: Path,
    path: Path,
    model: Path | None = None,
    kind: tuple[Category, ...] = KIND,
    learnt: int = 0,
) -> Session:
    """Make the session of a scan, of which some slices are accepted and were learnt from."""
    scan = read_scan(path)
    labels = np.zeros(scan.grid_shape, np.uint8)
    labels[..., 4:9, 4:9] = 1
    origin = Origin(scan=str(path))
    layers = LayersRecord(image=path.stem, mask=f"{path.stem} mask")
    folder = tmp_path / "sessions" / path.stem
    session = Session.create(folder, scan, kind, labels, model, origin=origin, layers=layers)
    for index in range(learnt):
        session.set_states({index: ReviewState.ACCEPTED})
        session.set_split(index, "train")
    session.save()
    return session


def a_stack(folder: Path, model: Path | None = None, accepted: int = 0) -> Session:
    """Make a session that is of no scan of a folder."""
    scan, labels = Scan(np.ones((30, 40, 48), np.uint8), "ZYX"), np.zeros((30, 40, 48), np.uint8)
    session = Session.create(
        folder, scan, KIND, labels, model, layers=LayersRecord(image="s", mask="m")
    )
    for index in range(accepted):
        session.set_states({index: ReviewState.ACCEPTED})
        session.set_split(index, "train")
    session.save()
    return session


def opened(qtbot: QtBot, widget: ReviewWidget, act: Callable[[], Any]) -> None:
    with qtbot.waitSignal(widget.desk.session_changed, check_params_cb=lambda s: s is not None):
        act()
    qtbot.waitUntil(lambda: not widget.desk.busy)


def open_folder(qtbot: QtBot, widget: ReviewWidget, folder: Path) -> None:
    def open_it() -> None:
        widget.scans.open_folder(folder)
        accept_plan(qtbot)

    opened(qtbot, widget, open_it)


def go(qtbot: QtBot, widget: ReviewWidget, at: int) -> None:
    opened(qtbot, widget, lambda: widget.scans.go_to(at))


def accept(widget: ReviewWidget) -> None:
    widget.review.buttons["accept"].click()


@pytest.mark.parametrize("visit", [False, True], ids=["folder alone", "a session outside"])
def test_slices_of_a_session_outside_do_not_count(
    qtbot: QtBot,
    widget: ReviewWidget,
    started: list[int],
    folder: Path,
    tmp_path: Path,
    visit: bool,
) -> None:
    for path in sorted(folder.iterdir()):
        a_session(tmp_path, path)
    stack = a_stack(tmp_path / "elsewhere" / "stack", accepted=20)
    open_folder(qtbot, widget, folder)
    if visit:
        opened(qtbot, widget, lambda: widget.desk.open(stack.folder))
        assert widget.fine_tune.start_button.text() == "Fine-tune on 20 accepted slices"
    for index in range(EVERY):
        assert not started
        go(qtbot, widget, index)
        assert widget.session.folder.parent == tmp_path / "sessions"
        accept(widget)
    assert started == [EVERY]


@pytest.mark.parametrize("visit", [False, True], ids=["from the first", "after the others"])
def test_slices_of_other_categories_do_not_count(
    qtbot: QtBot,
    widget: ReviewWidget,
    started: list[int],
    folder: Path,
    tmp_path: Path,
    visit: bool,
) -> None:
    for index, path in enumerate(sorted(folder.iterdir())):
        a_session(tmp_path, path, kind=KIND if index < 5 else OTHER_KIND, learnt=int(index < 5))
    open_folder(qtbot, widget, folder)
    if visit:
        go(qtbot, widget, 0)
        assert widget.fine_tune.scope.accepted == 5
    for index in range(5, 5 + EVERY):
        go(qtbot, widget, index)
        accept(widget)
    assert started == [EVERY]


def test_only_slices_since_the_last_round_start_another(
    qtbot: QtBot, widget: ReviewWidget, started: list[int], folder: Path, tmp_path: Path
) -> None:
    for index, path in enumerate(sorted(folder.iterdir())):
        a_session(tmp_path, path, learnt=int(index < 5))
    open_folder(qtbot, widget, folder)
    for index in range(5, 5 + EVERY):
        assert not started
        go(qtbot, widget, index)
        accept(widget)
    assert started == [5 + EVERY]


def test_once_the_folder_is_left_the_open_session_counts_alone(
    qtbot: QtBot, widget: ReviewWidget, started: list[int], stacks: Path, tmp_path: Path
) -> None:
    *others, last = sorted(stacks.iterdir())
    for path in others:
        a_session(tmp_path, path, learnt=3)
    a_session(tmp_path, last)
    open_folder(qtbot, widget, stacks)
    go(qtbot, widget, 3)
    button = widget.fine_tune.start_button
    assert button.text() == "Fine-tune on 9 accepted slices"
    widget.scans.bar.close_button.click()
    assert button.text() == "Fine-tune on accepted slices"
    for _ in range(EVERY):
        accept(widget)
    assert started == [EVERY]


def test_the_count_follows_the_scan_that_was_left(
    qtbot: QtBot,
    widget: ReviewWidget,
    started: list[int],
    folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for path in sorted(folder.iterdir()):
        a_session(tmp_path, path)
    open_folder(qtbot, widget, folder)
    monkeypatch.setattr(ScanStates, "refresh", lambda *_: None)  # as on a slow disk
    accept(widget)
    go(qtbot, widget, 1)
    assert widget.fine_tune.start_button.text() == "Fine-tune on 1 accepted slice"
    assert not started


@pytest.fixture
def models(
    widget: ReviewWidget, make_checkpoint: Callable[..., Path], folder: Path, tmp_path: Path
) -> tuple[Path, Path]:
    """A model, and that of a round in the first session of the folder; the switch is off."""
    root = make_checkpoint()
    first, *others = sorted(folder.iterdir())
    host = a_session(tmp_path, first, root, learnt=1)
    tuned = store_round(host, root)
    for index, path in enumerate(others):
        a_session(tmp_path, path, tuned if index else root)
    chosen_model.choose_model(tuned)
    widget.fine_tune.learn_bar.switch.setChecked(False)
    return root, tuned


def test_the_way_back_goes_on_from_scan_to_scan(
    qtbot: QtBot, widget: ReviewWidget, models: tuple[Path, Path], folder: Path
) -> None:
    back = widget.fine_tune.learn_bar.back_button
    open_folder(qtbot, widget, folder)
    go(qtbot, widget, 2)
    assert not back.isEnabled(), "where the model came from is not known yet"
    go(qtbot, widget, 0)
    assert back.isEnabled()
    widget.review.buttons["flag"].click()
    go(qtbot, widget, 3)
    assert back.isEnabled()
    back.click()
    assert chosen_model.current_model() == models[0]
    for index in (0, 4):
        go(qtbot, widget, index)
        assert not back.isEnabled(), "that leads to a model that was turned down"


def test_what_rounds_brought_is_seen_at_all_scans_of_their_folder(
    qtbot: QtBot, widget: ReviewWidget, models: tuple[Path, Path], folder: Path, tmp_path: Path
) -> None:
    result, host = widget.fine_tune.result, tmp_path / "sessions" / "image-00"
    (finished,) = Session.open(host).rounds
    open_folder(qtbot, widget, folder)
    for at in (2, 0):
        go(qtbot, widget, at)
        qtbot.waitUntil(lambda: result.text() == round_summary(finished))
    widget.desk.close()
    assert not result.text()


def test_after_a_restart_segment_goes_on_with_the_model_of_the_session(
    qtbot: QtBot,
    widget: ReviewWidget,
    make_checkpoint: Callable[..., Path],
    tmp_path: Path,
    notifications: list[str],
) -> None:
    root = make_checkpoint()
    session = a_stack(tmp_path / "stack", root, accepted=30)
    tuned = store_round(session, root)
    chosen_model.use_model(make_checkpoint())  # remembered from the last time
    opened(qtbot, widget, lambda: widget.desk.open(session.folder))
    assert chosen_model.current_model() == tuned
    assert f"Segment uses {model_name(tuned)}, which was fine-tuned last here." in notifications
    assert widget.fine_tune.learn_bar.back_button.isEnabled()


def test_each_session_has_its_own_model_until_one_is_chosen(
    qtbot: QtBot, widget: ReviewWidget, make_checkpoint: Callable[..., Path], tmp_path: Path
) -> None:
    root, back = make_checkpoint(), widget.fine_tune.learn_bar.back_button
    sessions = [a_stack(tmp_path / name, root, accepted=30) for name in "abc"]
    tuned = [store_round(session, root) for session in sessions]
    for session, model in zip(sessions[:2], tuned, strict=False):
        opened(qtbot, widget, lambda folder=session.folder: widget.desk.open(folder))
        assert chosen_model.current_model() == model
        assert back.isEnabled()
    chosen_model.choose_model(BUNDLED)
    assert not back.isEnabled(), "the model in use is none of those"
    opened(qtbot, widget, lambda: widget.desk.open(sessions[2].folder))
    assert chosen_model.current_model() == BUNDLED
    assert not back.isEnabled()


@pytest.mark.parametrize("back", [False, True])
def test_after_a_restart_a_folder_goes_on_with_the_model_that_was_noted_last(
    qtbot: QtBot,
    widget: ReviewWidget,
    make_checkpoint: Callable[..., Path],
    stacks: Path,
    tmp_path: Path,
    *,
    back: bool,
) -> None:
    root = make_checkpoint()
    widget.fine_tune.learn_bar.switch.setChecked(False)
    sessions = [a_session(tmp_path, path, root, learnt=5) for path in sorted(stacks.iterdir())]
    models = [root, *(store_round(sessions[i], root) for i in (1, 2))]
    for index, at in ((1, 10.0), (2, 20.0)):
        noted = [str(path) for path in models[: index + 1]]
        sessions[index].set_models(used=tuple(noted), noted=at)
        sessions[index].save()
    if back:
        sessions[3].set_models(used=tuple(map(str, models[:2])), noted=30.0)
        sessions[3].save()
    open_folder(qtbot, widget, stacks)
    assert widget.session.folder == sessions[0].folder
    assert chosen_model.current_model() == models[1 if back else 2]


@pytest.fixture
def predicting(monkeypatch: pytest.MonkeyPatch) -> list[list[int]]:
    """The slices that were to be predicted again; the first one is, and the others go on."""
    asked: list[list[int]] = []
    forever = threading.Event()

    def work(_model: Path, _scan: Scan, slices: list[int]) -> Iterator[SlicePredicted]:
        asked.append(list(slices))
        labels = np.zeros(STACK[1:], np.uint8)
        while True:
            yield SlicePredicted(slices[0], labels, 0.5, 1, len(slices))
            forever.wait(0.01)

    monkeypatch.setattr(predicting_module, "_predict_slices", work)
    return asked


@pytest.fixture
def tuned(
    widget: ReviewWidget, make_checkpoint: Callable[..., Path], stacks: Path, tmp_path: Path
) -> Path:
    """The model of a round in the first stack, in use; the others were predicted before it."""
    root = make_checkpoint()
    first, *others = sorted(stacks.iterdir())
    tuned = store_round(a_session(tmp_path, first, root, learnt=5), root)
    for path in others:
        a_session(tmp_path, path, root)
    chosen_model.choose_model(tuned)
    return tuned


@pytest.mark.usefixtures("tuned")
def test_a_prediction_that_was_left_is_taken_up_again(
    qtbot: QtBot, widget: ReviewWidget, predicting: list[list[int]], stacks: Path
) -> None:
    open_folder(qtbot, widget, stacks)
    assert not predicting, "that its model is an old one is not known yet"
    go(qtbot, widget, 0)
    for index in (2, 3, 2):
        go(qtbot, widget, index)
    assert predicting == [[0, 1, 2, 3, 4]] * 3
    (job,) = (job for job in jobs.active_jobs() if job.state is jobs.JobState.RUNNING)
    assert job.name == "Predicting again"


def test_a_model_that_is_gone_keeps_no_session_from_opening(
    qtbot: QtBot, widget: ReviewWidget, predicting: list[list[int]], tuned: Path, stacks: Path
) -> None:
    open_folder(qtbot, widget, stacks)
    go(qtbot, widget, 0)
    tuned.unlink()
    go(qtbot, widget, 2)
    assert not predicting
    assert widget.bar.close_button.isVisibleTo(widget)
    assert str(tuned) in widget.fine_tune.learn_bar.status.text()


@pytest.fixture
def slow_round(monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """Set it, and the round that was started ends."""
    go_on = threading.Event()

    def outcome(_: Path) -> dict[str, Any]:
        go_on.wait(60)
        return {}

    fake_rounds(monkeypatch, outcome)
    yield go_on
    go_on.set()


def test_a_round_that_ends_while_its_session_is_opened_again_is_kept(
    qtbot: QtBot,
    widget: ReviewWidget,
    slow_round: threading.Event,
    make_checkpoint: Callable[..., Path],
    folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    session = a_session(tmp_path, min(folder.iterdir()), make_checkpoint(), learnt=1)
    opened(qtbot, widget, lambda: widget.desk.open(session.folder))
    model = chosen_model.current_model()
    widget.fine_tune.start()
    widget.desk.close()
    load = Session.load_mask

    def slow(self: Session) -> Any:
        slow_round.set()
        ended.wait(60)
        return load(self)

    ended = threading.Event()
    job = widget.fine_tune.panel.job
    assert job is not None
    job.ended.connect(ended.set)
    monkeypatch.setattr(Session, "load_mask", slow)
    opened(qtbot, widget, lambda: widget.desk.open(session.folder))
    widget.desk.close()
    assert len(Session.open(session.folder).rounds) == 1
    assert chosen_model.current_model() == model, "closing its session stopped the round"
    Session.open(session.folder, hold=True).close()


@pytest.mark.parametrize("leave", [False, True], ids=["folder open", "folder left"])
def test_a_round_of_a_folder_is_not_used_outside(
    qtbot: QtBot,
    widget: ReviewWidget,
    slow_round: threading.Event,
    make_checkpoint: Callable[..., Path],
    folder: Path,
    tmp_path: Path,
    leave: bool,
) -> None:
    root = make_checkpoint()
    sessions = [a_session(tmp_path, path, root, learnt=1) for path in sorted(folder.iterdir())]
    stack = a_stack(tmp_path / "elsewhere" / "stack", root)
    open_folder(qtbot, widget, folder)
    model = chosen_model.current_model()
    widget.fine_tune.start()
    if leave:
        widget.scans.bar.close_button.click()
    widget.desk.close()
    opened(qtbot, widget, lambda: widget.desk.open(stack.folder))
    slow_round.set()
    qtbot.waitUntil(lambda: not widget.fine_tune.panel.running)
    assert len(Session.open(sessions[0].folder).rounds) == 1
    assert chosen_model.current_model() == model
    assert not widget.fine_tune.learn_bar.back_button.isEnabled()


def test_closing_another_window_leaves_the_jobs_of_this_one(
    qtbot: QtBot, widget: ReviewWidget, make_napari_viewer: Callable[..., Any]
) -> None:
    def work() -> Iterator[int]:
        while (yield 1) is None:
            pass

    other = make_napari_viewer()
    job = jobs.run(work(), on_event=widget.review.status.setNum)
    other.close()
    assert job.state is jobs.JobState.RUNNING
    job.stop()
    qtbot.waitUntil(lambda: job.state is jobs.JobState.ENDED)


@pytest.fixture
def unmeasured_round(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rounds are stopped before they are measured."""
    fake_rounds(monkeypatch, lambda _: {"before": None, "after": None, "stopped": True})


@pytest.mark.usefixtures("unmeasured_round")
def test_a_round_that_was_stopped_unmeasured_is_used_only_by_who_started_it(
    qtbot: QtBot, widget: ReviewWidget, make_checkpoint: Callable[..., Path], tmp_path: Path
) -> None:
    session = a_stack(tmp_path / "stack", make_checkpoint())
    opened(qtbot, widget, lambda: widget.desk.open(session.folder))
    tuning, bar, model = widget.fine_tune, widget.fine_tune.learn_bar, chosen_model.current_model()
    with qtbot.waitSignal(tuning.finished) as done:
        for _ in range(EVERY):
            accept(widget)
    assert done.args[1] is False
    assert bar.status.text() == "Round 1 was stopped before it was measured; the model stays."
    assert chosen_model.current_model() == model
    qtbot.waitUntil(lambda: not tuning.panel.running)
    with qtbot.waitSignal(tuning.finished) as done:
        tuning.start()
    assert done.args[1] is True
    assert chosen_model.current_model() == session.folder / done.args[0].checkpoint
    assert bar.back_button.isEnabled()
    qtbot.waitUntil(lambda: not tuning.panel.running)


@pytest.fixture
def vain_round(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rounds find no epoch that is better than the model."""
    vain = {"before": 0.6, "after": 0.6, "held_out": 2, "unchanged": True}
    fake_rounds(monkeypatch, lambda _: vain)


@pytest.mark.usefixtures("vain_round")
def test_a_round_that_changed_nothing_predicts_nothing_and_is_not_used(
    qtbot: QtBot,
    widget: ReviewWidget,
    make_checkpoint: Callable[..., Path],
    tmp_path: Path,
    notifications: list[str],
) -> None:
    session = a_stack(tmp_path / "stack", make_checkpoint())
    opened(qtbot, widget, lambda: widget.desk.open(session.folder))
    tuning, bar, model = widget.fine_tune, widget.fine_tune.learn_bar, chosen_model.current_model()
    said = "the model stays as it is: no epoch was clearly better on 2 held-out slices."
    predicted: list[int] = []
    widget.learning.predicting.predicted.connect(predicted.append)
    with qtbot.waitSignal(tuning.finished) as done:
        for _ in range(EVERY):
            accept(widget)
    qtbot.waitUntil(lambda: not tuning.panel.running)
    assert bar.status.text() == f"Round 1: {said}"
    with qtbot.waitSignal(tuning.finished) as asked:
        tuning.start()
    qtbot.waitUntil(lambda: not tuning.panel.running)
    assert (done.args[1], asked.args[1], tuning.question) == (False, False, None)
    assert tuning.result.text().splitlines()[-1].endswith(said)
    assert notifications[-1].endswith(said)
    assert chosen_model.current_model() == model
    assert not predicted and not session.models.used and not bar.back_button.isEnabled()


def test_a_round_that_was_stopped_unmeasured_is_not_taken_up_later(
    qtbot: QtBot, widget: ReviewWidget, make_checkpoint: Callable[..., Path], tmp_path: Path
) -> None:
    session = a_stack(tmp_path / "stack", base := make_checkpoint())
    store_round(session, base, before=None, after=None, stopped=True)
    opened(qtbot, widget, lambda: widget.desk.open(session.folder))
    assert not widget.fine_tune.learn_bar.back_button.isEnabled(), "it was never used"


def test_slices_that_are_taken_back_do_not_keep_others_from_counting(
    qtbot: QtBot, widget: ReviewWidget, slow_round: threading.Event, tmp_path: Path
) -> None:
    session = a_stack(tmp_path / "stack")
    opened(qtbot, widget, lambda: widget.desk.open(session.folder))
    panel = widget.fine_tune.panel
    for _ in range(EVERY):
        accept(widget)
    assert panel.running
    slow_round.set()
    qtbot.waitUntil(lambda: not panel.running)
    for index in range(EVERY):
        widget.session.set_states({index: ReviewState.TODO})
    for index in range(EVERY, 2 * EVERY):
        assert not panel.running
        widget.desk.current.shown.go_to(index)
        accept(widget)
    assert panel.running


def test_a_session_is_let_go_where_a_round_cannot_start(
    qtbot: QtBot, widget: ReviewWidget, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = a_stack(tmp_path / "stack", accepted=1)
    opened(qtbot, widget, lambda: widget.desk.open(session.folder))

    def start(*_: Any) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(widget.fine_tune.panel, "start", start)
    with pytest.raises(RuntimeError, match="new thread"):
        widget.fine_tune.start()
    widget.desk.close()
    again = Session.open(session.folder, hold=True)
    assert again.lock.held
    again.close()
