"""`train` and `finetune`: training of a model, and fine-tuning with a comparison."""

import sys
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from napari_unet_seg.cli._engine import engine, stoppable
from napari_unet_seg.cli._plans import PlanOnly, needed, print_plans
from napari_unet_seg.cli._settings import preset as preset_config
from napari_unet_seg.cli._settings import settings
from napari_unet_seg.cli._training import follow_training
from napari_unet_seg.config import FINE_TUNE, PRESETS, NormaliseConfig, TrainConfig
from napari_unet_seg.data.samples import SampleSet
from napari_unet_seg.errors import DataError
from napari_unet_seg.models import checkpoint_path
from napari_unet_seg.models.header import CheckpointInfo, read_header
from napari_unet_seg.training.fine_tune import fine_tune, union
from napari_unet_seg.training.launcher import process_count, process_rank
from napari_unet_seg.training.run import Run

Config_ = Annotated[
    Path | None, typer.Option("--config", metavar="FILE", help="Settings as YAML or JSON.")
]
Set_ = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="Change a setting; may be given repeatedly."),
]
Epochs = Annotated[int | None, typer.Option(help=TrainConfig.model_fields["epochs"].description)]
Device = Annotated[
    str | None,
    typer.Option(metavar="auto|cpu|cuda|mps", help=TrainConfig.model_fields["device"].description),
]
Sequences_ = Annotated[
    list[str] | None,
    typer.Option(
        "--sequence",
        metavar="NAME",
        help="Sequence to learn from, for example FLAIR; given repeatedly, each is a channel.",
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Every event as a line of JSON.")]
Yes = Annotated[
    bool,
    typer.Option(
        "--yes",
        help="Train on masks that look as if they were not meant: a category under a thousandth of "
        "every slice, or a hundred categories without names.",
    ),
]


def train(
    dataset: Annotated[Path, typer.Argument(metavar="DATASET", help="Folder of a data set.")],
    out: Annotated[Path | None, typer.Option(metavar="RUN", help="Folder for the run.")] = None,
    config: Config_ = None,
    preset: Annotated[
        str | None,
        typer.Option(metavar="NAME", help=f"Preset of the settings: {', '.join(PRESETS)}."),
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Continue the run, with its own settings.")
    ] = False,
    epochs: Epochs = None,
    device: Device = None,
    set_: Set_ = None,
    sequences: Sequences_ = None,
    plan: PlanOnly = False,
    yes: Yes = False,
    json: Json = False,
) -> int:
    """Train a U-Net. Ctrl+C stops after the current step and keeps the best model.

    DATASET is what `import` wrote, or a folder of scans with masks: images and masks, patients in
    folders (slices or volumes), BraTS, nnU-Net, Decathlon, BIDS. What its files are taken for is
    shown with --plan. Several sequences together: --sequence T1c --sequence FLAIR; the model then
    bears scans that lack one.

    Example: napari-unet-seg train dataset --out run --preset fast-cpu --epochs 40
    """
    if plan:
        return print_plans([dataset])
    out = needed(out, "the run")
    resume = resume or _is_continued(out, ask=not json)
    base = _resumed(out) if resume else preset_config(preset or next(iter(PRESETS)))
    named = {"epochs": epochs, "device": device, "sequences": sequences}
    chosen = settings(base, config, set_ or (), named)
    wanted = chosen.model.dimensions, chosen.sequences, chosen.normalise
    samples = _read_samples(dataset, *wanted, confirmed=yes)
    if not resume:
        _check_free(out)
    with stoppable() as stop:
        # A run without a checkpoint was stopped in its first epoch, which is repeated.
        run = Run(out)
        events = engine().stream(
            "napari_unet_seg.engine:train",
            chosen,
            samples,
            out,
            resume=run.last if resume and run.can_resume else None,
        )
        return follow_training(events, stop, json=json)


def finetune(
    model: Annotated[
        str, typer.Argument(metavar="RUN|bundled|any-sequence", help="Model to start from.")
    ],
    data: Annotated[
        list[Path],
        typer.Option(
            metavar="DATASET|SESSION", help="Folder of a data set or a session; may be repeated."
        ),
    ],
    out: Annotated[Path, typer.Option(metavar="RUN", help="Folder for the new run.")],
    earlier: Annotated[
        Path | None,
        typer.Option(
            metavar="DATASET",
            help="Data set that the model was trained on, if it has moved.",
        ),
    ] = None,
    config: Config_ = None,
    epochs: Epochs = None,
    device: Device = None,
    set_: Set_ = None,
    sequences: Sequences_ = None,
    yes: Yes = False,
    json: Json = False,
) -> int:
    """Fine-tune a model on other data, or on the accepted slices of sessions.

    On slices of a known kind the recipe is gentle: 10 epochs with a learning rate of 0.0001. On a
    contrast or objects that the model does not know, told by its Dice on the new slices, it is
    thorough: larger steps and more augmentation; --set recipe=gentle or thorough decides it.
    A share (--set replay) of the data that the model was trained on is replayed, if they can still
    be read. The model stays as it is, and a line says so, if no epoch is clearly better on the
    held-out samples. Prints the Dice before and after on held-out samples: the gain on the new
    data, and the loss on the previous data.

    Example: napari-unet-seg finetune bundled --data session --data session2 --out tuned
    """
    named = {"epochs": epochs, "device": device, "sequences": sequences}
    chosen = settings(FINE_TUNE, config, set_ or (), named)
    start = checkpoint_path(model)
    samples = _samples_for(read_header(start), data, chosen.sequences, confirmed=yes)
    _check_free(out)
    events = fine_tune(chosen, start, samples, out, engine().stream, previous_data=earlier)
    with stoppable() as stop:
        return follow_training(events, stop, json=json)


def _resumed(run: Path) -> TrainConfig:
    if not (run / "config.yaml").is_file():
        raise DataError(f"{run} holds no run; train it without --resume.")
    return TrainConfig.from_file(run / "config.yaml")


def _is_continued(run: Path, *, ask: bool) -> bool:
    """Ask whether to resume a run that has not ended; where nobody answers, name the option."""
    stopped = "" if process_rank() else Run(run).unfinished()
    if not stopped:
        return False
    where = f"The run {run} has stopped after {stopped}"
    if ask and process_count() == 1 and sys.stdin.isatty():
        return typer.confirm(f"{where}. Continue it?", default=True, err=True)
    raise DataError(f"{where}; continue it with --resume, or choose another --out.")


def _check_free(run: Path) -> None:
    if process_rank():
        return  # the process of rank 0 checks, before it writes files that others could find
    if Run(run).holds_model:
        raise DataError(f"The run {run} already holds a model; choose another --out.")


def _samples_for(
    info: CheckpointInfo, folders: list[Path], chosen: tuple[str, ...], *, confirmed: bool
) -> SampleSet:
    """Read the samples to fine-tune a model on, with its sequences unless others are named."""
    wanted = info.model.dimensions, chosen or info.sequences, info.normalise
    return union(
        [
            _read_samples(folder, *wanted, confirmed=confirmed, may_lack=not chosen)
            for folder in folders
        ]
    )


def _read_samples(
    folder: Path,
    dimensions: int,
    sequences: tuple[str, ...],
    normalise: NormaliseConfig,
    *,
    confirmed: bool,
    may_lack: bool = False,
) -> SampleSet:
    if (folder / "session.json").is_file():
        from napari_unet_seg.session.samples import training_samples
        from napari_unet_seg.session.session import Session

        return training_samples(Session.open(folder), dimensions)
    from napari_unet_seg.data.dataset import open_dataset

    # The checkpoint stores the path, so that fine-tuning can find the data.
    samples = open_dataset(folder.absolute(), dimensions, sequences, may_lack=may_lack)
    return replace(samples, confirmed=confirmed)
