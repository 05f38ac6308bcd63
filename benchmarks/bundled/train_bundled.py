"""Train the bundled model and measure it on the held-out fifth.

    python -m benchmarks.bundled.train_bundled train FOLDER --run runs/first
    python -m benchmarks.bundled.train_bundled train FOLDER --run runs/second --init runs/first
    python -m benchmarks.bundled.train_bundled measure FOLDER --run runs/second

`train` needs one to two hours on two cores with native bfloat16; run again, it goes on where it was
interrupted. With `--init` it starts from another run's last weights, as warm restarts do
(Loshchilov and Hutter 2017, arXiv:1608.03983); that may be the run `best` of `brisc.py`. `measure`
takes the last epoch's weights and writes them (half precision) with their model card into the
package; with `--average` they are first averaged with those of an earlier run of the same chain.
`bundled` is the run that was bundled last.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from benchmarks.bundled.model_card import render
from benchmarks.common.brisc_data import brisc_samples
from benchmarks.common.brisc_figures import AS_EXPECTED, calibrated, scores_of
from benchmarks.common.options import given_to, parser_of
from benchmarks.common.records import write_record
from benchmarks.common.soup import averaged
from benchmarks.common.synthetic import SMALL_RUN, brisc
from napari_unet_seg.config import PRESETS, ModelConfig, TrainConfig
from napari_unet_seg.engine import train
from napari_unet_seg.events import BatchEnd, EpochEnd
from napari_unet_seg.models import BUNDLED, OWN
from napari_unet_seg.nn.checkpoint import save_checkpoint

if TYPE_CHECKING:
    from napari_unet_seg.data.samples import SampleSet
    from napari_unet_seg.models.header import CheckpointInfo
    from napari_unet_seg.nn.build import Net

CONFIG = TrainConfig(
    epochs=22,
    batch_size=16,
    learning_rate=1e-3,
    image_size=192,
    ema=0.998,
    preview_every=0,
    augment=PRESETS["best"].augment.replace(probability=0.25, turn=True, invert=True, strip=True),
    model=ModelConfig(width=16, depth=4),
)


HEALTHY = 3
"""How often an epoch sees each healthy slice: they are few, and false positives are the worse."""


def training_samples(folder: Path) -> SampleSet:
    samples = brisc_samples(folder)
    healthy = [s for s in samples.samples if s.split == "train" and not isinstance(s.mask, Path)]
    again = [
        replace(s, name=f"{s.name} ({number})") for number in range(2, HEALTHY + 1) for s in healthy
    ]
    return replace(samples, samples=(*samples.samples, *again))


def run_training(folder: Path, run: Path, config: TrainConfig, init: Path | None) -> None:
    last = run / "last.safetensors"
    resume = last if last.is_file() else None
    init = None if resume else init
    for event in train(config, training_samples(folder), run, init=init, resume=resume):
        match event:
            case BatchEnd(step=step) if step % 20:
                pass
            case BatchEnd() | EpochEnd():
                sys.stdout.write(f"{event}\n")
                sys.stdout.flush()


def measure(
    folder: Path, run: Path, other: Path | None, machine: str, model: Path, card: Path
) -> dict[str, Any]:
    """Measure a run's weights, and write them with their card."""
    info, net = averaged(run / "last.safetensors", other)
    info, figures = put(model, info, net, folder)
    parameters = sum(p.numel() for p in net.parameters())
    card.write_text(render(info, parameters, figures, HEALTHY, machine), encoding="utf-8")
    return {"name": "bundled", "width": info.model.width, "machine": machine} | figures


def put(
    model: Path, info: CheckpointInfo, net: Net, folder: Path
) -> tuple[CheckpointInfo, dict[str, Any]]:
    """Write weights in half precision, calibrated on the held-out slices; measure them there."""
    samples = brisc_samples(folder).samples
    held_out = [s for s in samples if s.split == "valid"]
    # slices, however often an epoch sees them
    count = {"train": len(samples) - len(held_out), "valid": len(held_out)}
    info = calibrated(info.replace(summary={**info.summary, **count}), AS_EXPECTED)
    save_checkpoint(model, net, info, dtype=torch.float16)
    calibration, figures = scores_of(model, held_out)
    metrics = {name: figures[name] for name in ("dice", "iou")}
    info = calibrated(info.replace(metrics=metrics), calibration)
    save_checkpoint(model, net, info, dtype=torch.float16)
    return info, figures


def _weights(run: str | None) -> Path | None:
    if run in (None, "bundled"):
        return BUNDLED if run else None
    return Path(run) / "last.safetensors"


def main() -> None:
    parser = parser_of(__doc__, "FOLDER", ["train", "measure"])
    parser.add_argument("--run", type=Path, default=Path("runs/bundled"))
    parser.add_argument("--init", help="run whose last weights to start from, or bundled")
    parser.add_argument("--average", help="run whose last weights to average with, or bundled")
    parser.add_argument("--epochs", type=int, default=CONFIG.epochs)
    parser.add_argument("--rate", type=float, default=CONFIG.learning_rate)
    parser.add_argument("--threads", type=int, default=0)
    parser.add_argument("--machine", default="two cores", help="what it was trained on")
    parser.set_defaults(changes={})
    with given_to(parser, brisc, changes=SMALL_RUN) as given:
        if given.threads:
            torch.set_num_threads(given.threads)
        run = given.scratch / "run" if given.smoke else given.run
        if given.action == "train" or given.smoke:
            config = CONFIG.replace(epochs=given.epochs, learning_rate=given.rate)
            config = config.replace(**given.changes)
            run_training(given.folder, run, config, _weights(given.init))
        if given.action == "measure":
            model, card = BUNDLED, OWN["bundled"].card
            if given.smoke:
                model, card = run / "model.safetensors", run / "card.md"
            average = _weights(given.average)
            figures = measure(given.folder, run, average, given.machine, model, card)
            write_record("brisc", "bundled", figures, keep=not given.smoke)


if __name__ == "__main__":
    main()
