"""What a round of fine-tuning teaches of a category that the model did not have, on few slices.

    python -m benchmarks.correction.new_category [--epochs 40]

The tutorial's round: the bundled model segments the tumour on T1c of the first sample patient, the
oedema is drawn as it truly is, and slices are accepted one after another, from the slice that comes
on screen. Measured on the slices of that patient that were not accepted, and on the second patient.
"""

from __future__ import annotations

import sys
import tempfile
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.common.options import given_to, parser_of
from benchmarks.common.records import write_record
from napari_unet_seg.config import FINE_TUNE, Category, PredictConfig
from napari_unet_seg.correct.lesions import largest_lesion
from napari_unet_seg.engine import predict
from napari_unet_seg.io.read import read_scan
from napari_unet_seg.models import BUNDLED
from napari_unet_seg.process.engine_process import EngineProcess
from napari_unet_seg.session.review_queue import ReviewState
from napari_unet_seg.session.rounds import run_round
from napari_unet_seg.session.session import Session

if TYPE_CHECKING:
    from napari_unet_seg.io.common.scan import Scan

    Array = np.ndarray[Any, np.dtype[Any]]

SAMPLES = Path(__file__).parents[2] / "sample_data"
CATEGORIES = (Category(id=1, name="tumour"), Category(id=2, name="oedema"))


def patient(number: int) -> tuple[Scan, Array]:
    """Return T1c of a sample patient, and the true labels, from the model of the head."""
    sys.path.insert(0, str(SAMPLES))
    from make_phantoms import PATIENT, PATIENT_HEADS, volume

    _, tumour, oedema = volume(PATIENT_HEADS[number], PATIENT)
    truth = np.where(tumour, 1, np.where(oedema, 2, 0)).astype(np.uint8)
    name = f"phantom-{PATIENT_HEADS[number].seed}"
    scan = read_scan(SAMPLES / "patients" / name / f"{name}_T1c.nii.gz")
    return scan, truth  # a file is read upright, as the head was made


def drawn(scan: Scan, truth: Array, how: PredictConfig) -> Array:
    """Return the bundled model's tumour with the true oedema around it."""
    tumour = list(predict(how, BUNDLED, scan))[-1].labels == 1
    return np.where(tumour, 1, 2 * (truth == 2)).astype(np.uint8)


def run(given: Any, folder: Path) -> dict[str, Any]:
    how = PredictConfig(threads=given.threads)
    scan, truth = patient(0)
    labels = drawn(scan, truth, how)
    (first,) = largest_lesion(labels == 1, volume=True) or (0,)
    accepted = range(first, first + given.slices)
    session = Session.create(folder / "session", scan, CATEGORIES, labels, BUNDLED, sequence="T1c")
    session.set_states(dict.fromkeys(accepted, ReviewState.ACCEPTED))
    session.save()
    config = FINE_TUNE.replace(epochs=given.epochs, learning_rate=given.rate, threads=given.threads)
    with EngineProcess(threads=given.threads) as engine:
        (*_, done) = run_round(session, config, BUNDLED, engine.stream)
    model = session.folder / done.checkpoint
    others = np.setdiff1d(np.arange(len(truth)), list(accepted))
    second, second_truth = patient(1)
    score = partial(dice, model, how)
    return {
        "slices": given.slices,
        "epochs": given.epochs,
        "learning rate": given.rate,
        "held out": {"slices": done.held_out, "before": done.before, "after": done.after},
        "other slices": score(scan, truth, others),
        "second patient": score(second, second_truth, np.arange(len(second_truth))),
    }


def dice(
    model: Path, how: PredictConfig, scan: Scan, truth: Array, slices: Array
) -> dict[str, float]:
    """Return the Dice of each category on slices."""
    found, true = list(predict(how, model, scan))[-1].labels[slices], truth[slices]
    return {
        category.name: round(
            2
            * float(((found == value) & (true == value)).sum())
            / float((found == value).sum() + (true == value).sum()),
            3,
        )
        for value, category in enumerate(CATEGORIES, 1)
    }


def main() -> None:
    parser = parser_of(__doc__)
    parser.add_argument("--slices", type=int, default=6)
    parser.add_argument("--epochs", type=int, default=40)
    parser.add_argument("--rate", type=float, default=FINE_TUNE.learning_rate, help="learning rate")
    parser.add_argument("--threads", type=int, default=1)
    with given_to(parser, slices=3, epochs=1) as given, tempfile.TemporaryDirectory() as folder:
        record = run(given, Path(folder))
        name = f"rate {given.rate:g} epochs {given.epochs}"
        write_record("new_category", name, record, keep=not given.smoke)


if __name__ == "__main__":
    main()
