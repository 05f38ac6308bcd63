"""How many strokes, clicks and seconds an annotator needs, on slices and on volumes.

    python -m benchmarks.correction.annotation_effort DATA [--slices 60]

DATA holds `brisc-256`, `lgg-flair`, `nifti` and `head-labels`. `annotator.py` has the annotator
and what each thing costs: a click 1.5 s, a stroke 3 s, a box 3 s, to go to another slice 1 s.
Clicks are off by a normal deviate of two pixels, the positions of a brush by one of 0.7.

Slices: some with a tumour of the held-out fifth of BRISC, no twin of which the bundled model has
been trained on, drawn by a seed, are brought to a Dice of 0.95: from nothing by brush; from the
bundled model's mask by brush, by Point and brush, and with all tools of the window. On the same
slices it is measured how often a prompt makes the mask worse (`harm.py`).

Volumes: patients of `lgg-flair/test` as stacks, the patient of `nifti` in two sequences, and a
lesion in each of three held-out synthetic heads are brought to a Dice of 0.85: by brush slice by
slice, by interpolation between drawn slices, by Point and Carry, and by these from the bundled
model's mask (`volume_effort.py`). `--ways` and `--sets` measure some of them again, such as those
that a new prompt network changes; the record keeps the others.
"""

from __future__ import annotations

import json
import sys
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from benchmarks.common.brisc_data import brisc_samples, drawn
from benchmarks.common.brisc_slices import KINDS, loaded, predicted
from benchmarks.common.options import given_to, parser_of
from benchmarks.common.prompting import found
from benchmarks.common.records import record_path, write_record
from benchmarks.correction.annotator import SEED, SLICE, Work, by_brush, effort
from benchmarks.correction.harm import harm
from benchmarks.correction.lesion_volumes import lesion_volumes
from benchmarks.correction.pointing import by_point, by_tools
from benchmarks.correction.volume_effort import WAYS, volume_effort
from benchmarks.prompts.synthetic import data
from napari_unet_seg.models import BUNDLED

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Sequence

    from benchmarks.common.brisc_slices import Slice

SLICES = 60


def slice_work(here: Slice) -> dict[str, Work]:
    """What was done on a slice, by way."""
    mask, find = here.probable >= 0.5, partial(found, here.image)
    truth, brush = here.truth, by_brush(here.truth)
    return {
        "nothing, brush": effort(np.zeros_like(mask), truth, brush),
        "prediction, brush": effort(mask, truth, brush),
        "prediction, Point and brush": effort(mask, truth, by_point(find, truth)),
        "prediction, all tools": effort(mask, truth, by_tools(find, truth, here.probable)),
    }


def on_slices(slices: Sequence[Slice]) -> dict[str, Any]:
    """Means of all slices."""
    done = []
    for here in slices:
        done.append(slice_work(here))
        _say(f"slice {len(done)} of {len(slices)}")
    return {
        "slices": len(slices),
        "ways": {way: _means([each[way] for each in done]) for way in done[0]},
        "harm": harm(slices),
    }


def _means(done: Sequence[Work]) -> dict[str, Any]:
    names = sorted({tool for work in done for tool in work.used})
    return {
        "strokes": round(float(np.mean([len(work.used) for work in done])), 3),
        "seconds": round(float(np.mean([SLICE + work.seconds for work in done])), 2),
        "pixels": round(float(np.mean([work.pixels for work in done])), 1),
        "tools": {name: sum(work.used.count(name) for work in done) for name in names},
    }


def on_volumes(given: Namespace) -> None:
    """All volumes, in the ways that were asked for; the record is kept after each of them."""
    path = record_path("annotation_effort", "volumes")
    again = path.exists() and not given.smoke
    known = json.loads(path.read_text(encoding="utf-8"))["volumes"] if again else []
    rows = {(row["set"], row["number"]): row for row in known}
    for name, cases in lesion_volumes(given.folder).items():
        if name not in (given.sets or [name]):
            continue
        for number, case in enumerate(cases[: given.volumes]):
            before = rows.get((name, number), {"set": name, "number": number})
            rows[name, number] = before | volume_effort(case, given.ways)
            figures = {"volumes": list(rows.values())}
            write_record("annotation_effort", "volumes", figures, keep=not given.smoke)


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def main() -> None:
    parser = parser_of(__doc__, "DATA")
    parser.add_argument("--slices", type=int, default=SLICES)
    parser.add_argument("--parts", nargs="*", default=["slices", "volumes"])
    parser.add_argument("--ways", nargs="*", default=WAYS, choices=WAYS)
    parser.add_argument("--sets", nargs="*", help="of the volumes, by default all")
    parser.add_argument("--threads", type=int, default=0)
    parser.set_defaults(volumes=None)
    with given_to(parser, data, slices=2, volumes=1) as given:
        if given.threads:
            torch.set_num_threads(given.threads)
        keep = not given.smoke
        if "slices" in given.parts:
            samples = brisc_samples(given.folder / "brisc-256", healthy=False)
            chosen = sorted(drawn(samples, given.slices, SEED), key=lambda s: s.name)
            slices = [predicted(loaded(s, KINDS["as they are"]), BUNDLED) for s in chosen]
            write_record("annotation_effort", "slices", on_slices(slices), keep=keep)
        if "volumes" in given.parts:
            on_volumes(given)


if __name__ == "__main__":
    main()
