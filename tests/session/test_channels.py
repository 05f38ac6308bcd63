"""A session teaches a network of several sequences, with the others of its case."""

from __future__ import annotations

from typing import TYPE_CHECKING

import nibabel as nib
import numpy as np
import pytest

from napari_unet_seg import engine
from napari_unet_seg.config import FINE_TUNE, Category, NormaliseConfig
from napari_unet_seg.data.cache import read_sample
from napari_unet_seg.errors import DataError
from napari_unet_seg.io.read import read_scan
from napari_unet_seg.models.header import read_header
from napari_unet_seg.session.channels import scan_of_sequences
from napari_unet_seg.session.review_queue import ReviewState
from napari_unet_seg.session.rounds import run_round
from napari_unet_seg.session.samples import training_samples
from napari_unet_seg.session.session import Session
from napari_unet_seg.session.stored.record import Round
from napari_unet_seg.session.stored.sequences import OtherSequence

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from pathlib import Path
    from typing import Any

BOTH = ("T1c", "FLAIR")


@pytest.fixture
def session(tmp_path: Path) -> Session:
    """A session on FLAIR, whose case has T1c with half as many slices."""
    random = np.random.default_rng(0)
    for name, step in (("FLAIR", 1), ("T1c", 2)):
        data = random.integers(1, 900, (32, 30, 6 // step)).astype(np.int16)
        path = tmp_path / f"{name}.nii.gz"
        nib.save(nib.Nifti1Image(data, np.diag([-1.0, -1, step, 1])), path)
    scan = read_scan(tmp_path / "FLAIR.nii.gz")
    labels = (scan.data > 600).astype(np.uint8)
    other = OtherSequence("T1c", "T1c", read_scan(tmp_path / "T1c.nii.gz"))
    made = Session.create(
        tmp_path / "session",
        scan,
        (Category(id=1, name="c0"),),
        labels,
        sequence="FLAIR",
        others=(other,),
    )
    for index in range(6):
        made.set_states({index: ReviewState.ACCEPTED})
    made.save()
    return made


def test_the_other_sequences_are_channels_on_the_grid_of_the_scan(session: Session) -> None:
    assert scan_of_sequences(session, ()) is scan_of_sequences(session, ["T2"]) is session.scan
    scan = scan_of_sequences(session, ("T2", *BOTH))
    np.testing.assert_array_equal(scan.data[..., 2], session.scan.data)
    other = read_scan(session.folder.parent / "T1c.nii.gz")
    np.testing.assert_allclose(scan.data[::2, ..., 1], other.data, rtol=1e-5)
    assert not scan.data[..., 0].any()
    assert "T1c is put on the grid of FLAIR by interpolation." in scan.meta["notes"]
    with pytest.raises(DataError, match="none of the sequences that the model takes, T2 and PD"):
        scan_of_sequences(session, ("T2", "PD"))


def test_samples_have_the_windows_of_the_network(session: Session) -> None:
    how = NormaliseConfig(window="range", low=0, high=60)
    alone = training_samples(session, 2, (), how)
    assert alone.sequences == ("FLAIR",)
    together = training_samples(session, 2, BOTH, NormaliseConfig())
    assert together.sequences == BOTH
    whole = scan_of_sequences(session, BOTH).data
    window = together.samples[0].window
    assert window is not None
    for channel in range(2):
        inside = whole[..., channel][whole[..., channel] > 0].astype(float)
        assert window[channel] == pytest.approx(tuple(np.percentile(inside, (1, 99.5))))
    image = read_sample(alone.samples[0], 1, NormaliseConfig())[0]
    expected = session.scan.data[0] * (255 / (0.6 * np.iinfo(np.int16).max))
    np.testing.assert_allclose(image[..., 0], expected, atol=1)


def test_a_round_learns_from_all_sequences(
    session: Session, make_checkpoint: Callable[..., Path]
) -> None:
    base = make_checkpoint(tile=32, sequences=BOTH)

    def stream(name: str, *args: Any, **named: Any) -> Generator[Any, Any, None]:
        yield from getattr(engine, name.rpartition(":")[2])(*args, **named)

    config = FINE_TUNE.replace(epochs=1, precision="float32")
    *_, last = run_round(session, config, base, stream)
    assert isinstance(last, Round)
    tuned = read_header(session.folder / last.checkpoint)
    assert (tuned.sequences, tuned.model.in_channels) == (BOTH, 2)
    assert tuned.normalise.per_channel
