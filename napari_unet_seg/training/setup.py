"""Set-up of a training run: data in memory, splits, and the net."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from napari_unet_seg.data.batches import labels_in
from napari_unet_seg.data.cache import build_cache, channel_note
from napari_unet_seg.data.doubts import doubts, joined
from napari_unet_seg.data.splits import assign_splits
from napari_unet_seg.data.twins import thumbnails, twin_groups, twin_note
from napari_unet_seg.data.volumes import GridPatches, RandomPatches, read_volumes
from napari_unet_seg.errors import DataError, UnconfirmedError
from napari_unet_seg.inference.predicted_dice import Calibration
from napari_unet_seg.io.hashing import sha256
from napari_unet_seg.io.masks.report import MaskReport
from napari_unet_seg.nn.build import build_net
from napari_unet_seg.nn.checkpoint import load_tensors, load_weights, with_prompts
from napari_unet_seg.nn.encoders import EncoderUNet
from napari_unet_seg.nn.grown_head import grow_heads
from napari_unet_seg.training.channels import named_by, with_channels
from napari_unet_seg.training.loop import TrainingLoop
from napari_unet_seg.training.recipe import has_classes_of, recipe_for
from napari_unet_seg.training.run import Run

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence
    from pathlib import Path

    from napari_unet_seg.config import Category, TrainConfig
    from napari_unet_seg.data.batches import SplitItems
    from napari_unet_seg.data.samples import Sample, SampleSet
    from napari_unet_seg.events import ItemDone, TrainEvent
    from napari_unet_seg.models.header import CheckpointInfo
    from napari_unet_seg.nn.build import Net

    _TrainingData = tuple[dict[str, list[Sample]], dict[str, SplitItems], list[str], MaskReport]
    """Samples and items of each split, notes for the user, and the report of the masks."""

_SPLITS = ("train", "valid")


def prepare(
    config: TrainConfig,
    samples: SampleSet,
    run: Path,
    *,
    init: Path | None,
    resume: Path | None,
    replay: Sequence[Sample],
) -> Generator[TrainEvent, Any, TrainingLoop]:
    """Read the data and build the net.

    Parameters, events and errors are those of `engine.train`.

    Returns
    -------
    TrainingLoop
        Ready for its first epoch.
    """
    if config.threads:
        torch.set_num_threads(config.threads)
    torch.manual_seed(config.seed)
    torch.use_deterministic_algorithms(config.deterministic)
    source = resume or init
    loaded = load_tensors(source) if source else None
    info = loaded[0] if loaded else None
    config = _complete_config(config, samples, info)
    samples = named_by(samples, config, info)
    used = [s for s in samples.samples if s.split != "test"]
    read = _read_volumes if config.model.dimensions == 3 else _read_slices
    classes = len(samples.categories)
    resumed = run if resume else None
    splits, items, notes, report = yield from read(config, classes, used, resumed, replay)
    if not splits["train"]:
        raise DataError(
            f"The data set {samples.source} leaves no samples to train on; lower valid_fraction "
            "or add images."
        )
    notes = [*samples.notes, *channel_note(used, config.model.in_channels), *notes]
    shares = items["train"].shares
    labels = labels_in(shares)
    if not labels:
        raise DataError(
            f"No training mask of {samples.source} has a labelled pixel; annotate at least one "
            "slice first."
        )
    absent = [c.name for value, c in enumerate(samples.categories, 1) if value not in labels]
    if absent:
        notes = [*notes, f"No training mask holds {joined(absent, 'or')}: the net cannot learn it."]
    notes = [*notes, *report.notes()]
    doubtful = doubts(samples.categories, np.maximum(shares, items["valid"].shares))
    if doubtful and not samples.confirmed and not resume:
        raise UnconfirmedError(" ".join([f"{samples.source}: {doubtful}", *report.notes()]))
    net = build_net(config.model)
    if loaded and source:
        _load_weights(net, *loaded, source, samples.categories)
    elif config.encoder_weights and isinstance(net, EncoderUNet):
        net.load_encoder(config.encoder_weights)
    recipe = ""
    if info and init:
        replayed = {s.name for s in replay}
        new = sum(s.name not in replayed for s in splits["train"])
        config, recipe = recipe_for(config, net, info, items["train"], new)
    parent = sha256(init) if init else ""
    Run(run).check_links()
    loop = TrainingLoop(config, samples, Run(run), splits, items, net, parent, notes, recipe)
    if loaded and has_classes_of(net, loaded[0]):
        loop.calibration = Calibration(loaded[0].calibration, loaded[0].calibration_prior)
    if loaded and resume:
        loop.resume(*loaded)
    elif loop.processes.rank == 0:
        loop.run.start(
            config, {name: [s.name for s in members] for name, members in splits.items()}
        )
    return loop


def _complete_config(
    config: TrainConfig, samples: SampleSet, info: CheckpointInfo | None
) -> TrainConfig:
    """Set the model's classes from the data, and its architecture from the checkpoint if any."""
    classes = len(samples.categories)
    if not samples.samples or not classes:
        raise DataError(
            f"The data set {samples.source} holds no samples or no categories; import one with "
            "annotated images."
        )
    prompts = config.model.prompts or (info is not None and info.model.prompts)
    if prompts:  # which of the categories is meant, the prompts tell
        classes = 1
    config = with_channels(config, samples)
    softmax = config.loss == "dice_ce" or (config.loss == "auto" and classes > 1)
    shape = {
        "classes": classes,
        "head": "softmax" if softmax and not prompts else "sigmoid",
        "prompts": prompts,
    }
    if info is None:
        return config.replace(model=config.model.replace(**shape))
    return config.replace(
        model=info.model.replace(**shape),
        normalise=info.normalise,
        image_size=info.image_size,
        patch_slices=info.patch_slices if info.model.dimensions == 3 else config.patch_slices,
    )


def _read_slices(
    config: TrainConfig,
    classes: int,
    samples: list[Sample],
    resumed: Path | None,
    replay: Sequence[Sample],
) -> Generator[ItemDone, Any, _TrainingData]:
    """Read slices, and keep near-duplicates in one split."""
    channels = config.model.in_channels
    cache = yield from build_cache(
        [*samples, *replay], config.image_size, channels, classes, config.normalise
    )
    twins = twin_groups(thumbnails(cache.images)).tolist() if config.twins and samples else None
    split, notes = _split(config, samples, replay, resumed, twins)
    split += _assign_replay(split, replay, twins)
    items: dict[str, SplitItems] = {
        name: cache.part(np.array([s.split == name for s in split])) for name in _SPLITS
    }
    return _by_split(split), items, notes, cache.report


def _read_volumes(
    config: TrainConfig,
    classes: int,
    samples: list[Sample],
    resumed: Path | None,
    replay: Sequence[Sample],
) -> Generator[ItemDone, Any, _TrainingData]:
    """Read volumes, which training and validation take patches from."""
    volumes = yield from read_volumes([*samples, *replay], config, classes)
    split, notes = _split(config, samples, replay, resumed, None)
    split += _assign_replay(split, replay, None)
    parts = {
        name: [v for v, s in zip(volumes, split, strict=True) if s.split == name]
        for name in _SPLITS
    }
    size = (config.patch_slices, config.image_size, config.image_size)
    items: dict[str, SplitItems] = {
        "train": RandomPatches(parts["train"], size),
        "valid": GridPatches(parts["valid"], size),
    }
    report = sum((volume.report for volume in volumes), MaskReport())
    return _by_split(split), items, notes, report


def _assign_replay(
    split: tuple[Sample, ...], replay: Sequence[Sample], twins: list[int] | None
) -> tuple[Sample, ...]:
    """Assign replayed samples to the training split; near-copies of held-out samples to none."""
    if twins is None:
        return tuple(dataclasses.replace(s, split="train") for s in replay)
    held_out = {t for t, s in zip(twins, split, strict=False) if s.split == "valid"}
    return tuple(
        dataclasses.replace(s, split="test" if twin in held_out else "train")
        for s, twin in zip(replay, twins[len(split) :], strict=True)
    )


def _by_split(split: tuple[Sample, ...]) -> dict[str, list[Sample]]:
    return {name: [s for s in split if s.split == name] for name in _SPLITS}


def _split(
    config: TrainConfig,
    samples: list[Sample],
    replay: Sequence[Sample],
    resumed: Path | None,
    twins: list[int] | None,
) -> tuple[tuple[Sample, ...], list[str]]:
    """Assign the samples to splits; return a note about near-duplicates too."""
    if resumed is not None:
        return _stored_split(Run(resumed), samples, {s.name for s in replay}), []
    twins = twins[: len(samples)] if twins else twins
    split = assign_splits(samples, config.valid_fraction, config.seed, config.group_pattern, twins)
    held_out = [s.split == "valid" for s in split]
    note = twin_note([s.group for s in samples], twins, held_out) if twins else ""
    return split, [note] if note else []


def _stored_split(run: Run, samples: list[Sample], replayed: set[str]) -> tuple[Sample, ...]:
    """Assign the samples to the splits that a run has stored; ignore its replayed samples."""
    splits = {name: split for split, names in run.split().items() for name in names}
    differing = ({s.name for s in samples} ^ set(splits)) - replayed
    if differing:
        raise DataError(
            f"The run {run.folder} was started with other data ({min(differing)} is only in one of "
            "the two); give the data set of this run, or train a new run."
        )
    return tuple(
        dataclasses.replace(s, split=splits[s.name])  # type: ignore[arg-type]
        for s in samples
    )


def _load_weights(
    net: Net,
    info: CheckpointInfo,
    tensors: dict[str, torch.Tensor],
    path: Path,
    categories: Sequence[Category],
) -> None:
    """Load a checkpoint; if its classes differ, its last layers grow by the new categories."""
    if net.config.prompts and not info.model.prompts:
        tensors = with_prompts(net, tensors)
    if not has_classes_of(net, info):
        known, wanted = ([c.name for c in of] for of in (info.categories, categories))
        wanted = known[:1] if net.config.prompts else wanted  # one class for all categories
        softmax = info.model.head == "softmax"
        tensors = grow_heads(net, tensors, known, wanted, with_background=softmax)
    load_weights(net, tensors, path)
