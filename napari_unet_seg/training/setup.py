"""What a training run needs before its first step: data in memory and a net."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from napari_unet_seg.data.cache import build_cache
from napari_unet_seg.data.splits import assign_splits
from napari_unet_seg.data.twins import thumbnails, twin_groups, twin_note
from napari_unet_seg.data.volumes import Patches, Tiles, read_volumes
from napari_unet_seg.errors import DataError
from napari_unet_seg.io.hashing import sha256
from napari_unet_seg.nn.build import build_net
from napari_unet_seg.nn.checkpoint import load_tensors, load_weights, with_prompts
from napari_unet_seg.nn.encoders import EncoderUNet
from napari_unet_seg.training.loop import Course
from napari_unet_seg.training.run import Run

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

    from napari_unet_seg.config import TrainConfig
    from napari_unet_seg.data.batches import Side
    from napari_unet_seg.data.samples import Sample, SampleSet
    from napari_unet_seg.events import ItemDone, TrainEvent
    from napari_unet_seg.models.header import CheckpointInfo
    from napari_unet_seg.nn.build import Net

    _Sides = tuple[dict[str, list[Sample]], dict[str, Side], list[str]]
    """Samples and items of each side, and notes for the user."""

_SIDES = ("train", "valid")


def prepare(
    config: TrainConfig,
    samples: SampleSet,
    run: Path,
    *,
    init: Path | None,
    resume: Path | None,
    replay: Sequence[Sample],
) -> Generator[TrainEvent, Any, Course]:
    """Read the data and build the net; see `engine.train` for the parameters."""
    if config.threads:
        torch.set_num_threads(config.threads)
    torch.manual_seed(config.seed)
    torch.use_deterministic_algorithms(config.deterministic)
    source = resume or init
    loaded = load_tensors(source) if source else None
    config = _fitted(config, samples, loaded[0] if loaded else None)
    used = [s for s in samples.samples if s.split != "test"]
    read = _volumes if config.model.dimensions == 3 else _slices
    classes = len(samples.categories)
    sides, items, notes = yield from read(config, classes, used, run if resume else None, replay)
    if not sides["train"]:
        raise DataError(
            f"The data set {samples.source} leaves no samples to train on; lower valid_fraction "
            "or add images."
        )
    labels = items["train"].labels
    if not labels:
        raise DataError(
            f"No training mask of {samples.source} has a labelled pixel; annotate at least one "
            "slice first."
        )
    absent = [c.name for value, c in enumerate(samples.categories, 1) if value not in labels]
    if absent:
        notes = [*notes, f"No training mask holds {' or '.join(absent)}: the net cannot learn it."]
    net = build_net(config.model)
    if loaded and source:
        _take_weights(net, *loaded, source)
    elif config.encoder_weights and isinstance(net, EncoderUNet):
        net.load_encoder(Path(config.encoder_weights))
    parent = sha256(init) if init else ""
    course = Course(config, samples, Run(run), sides, items, net, parent, notes)
    if loaded and _has_classes_of(net, loaded[0]):
        course.calibration = loaded[0].calibration
    if loaded and resume:
        course.resume(*loaded)
    elif course.team.rank == 0:
        course.run.start(
            config, {side: [s.name for s in members] for side, members in sides.items()}
        )
    return course


def _fitted(config: TrainConfig, samples: SampleSet, info: CheckpointInfo | None) -> TrainConfig:
    """The configuration with the model's shape taken from the data and the checkpoint."""
    classes = len(samples.categories)
    if not samples.samples or not classes:
        raise DataError(
            f"The data set {samples.source} holds no samples or no categories; import one with "
            "annotated images."
        )
    prompts = config.model.prompts or (info is not None and info.model.prompts)
    if prompts:  # which of the categories is meant, the prompts tell
        classes = 1
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


def _slices(
    config: TrainConfig,
    classes: int,
    samples: list[Sample],
    resumed: Path | None,
    replay: Sequence[Sample],
) -> Generator[ItemDone, Any, _Sides]:
    """Read slices; near-duplicates among them stay on one side."""
    channels = config.model.in_channels
    cache = yield from build_cache(
        [*samples, *replay], config.image_size, channels, classes, config.normalise
    )
    twins = twin_groups(thumbnails(cache.images)).tolist() if config.twins and samples else None
    split, notes = _split(config, samples, replay, resumed, twins)
    split += _apart(split, replay, twins)
    items: dict[str, Side] = {
        side: cache.part(np.array([s.split == side for s in split])) for side in _SIDES
    }
    return _by_side(split), items, notes


def _volumes(
    config: TrainConfig,
    classes: int,
    samples: list[Sample],
    resumed: Path | None,
    replay: Sequence[Sample],
) -> Generator[ItemDone, Any, _Sides]:
    """Read volumes, of which patches are cut."""
    volumes = yield from read_volumes([*samples, *replay], config, classes)
    split, notes = _split(config, samples, replay, resumed, None)
    split += _apart(split, replay, None)
    parts = {
        side: [v for v, s in zip(volumes, split, strict=True) if s.split == side] for side in _SIDES
    }
    size = (config.patch_slices, config.image_size, config.image_size)
    items: dict[str, Side] = {
        "train": Patches(parts["train"], size),
        "valid": Tiles(parts["valid"], size),
    }
    return _by_side(split), items, notes


def _apart(
    split: tuple[Sample, ...], replay: Sequence[Sample], twins: list[int] | None
) -> tuple[Sample, ...]:
    """Put earlier samples on the training side, but for near-copies of what is held out."""
    if twins is None:
        return tuple(dataclasses.replace(s, split="train") for s in replay)
    held_out = {t for t, s in zip(twins, split, strict=False) if s.split == "valid"}
    return tuple(
        dataclasses.replace(s, split="test" if twin in held_out else "train")
        for s, twin in zip(replay, twins[len(split) :], strict=True)
    )


def _by_side(split: tuple[Sample, ...]) -> dict[str, list[Sample]]:
    return {side: [s for s in split if s.split == side] for side in _SIDES}


def _split(
    config: TrainConfig,
    samples: list[Sample],
    replay: Sequence[Sample],
    resumed: Path | None,
    twins: list[int] | None,
) -> tuple[tuple[Sample, ...], list[str]]:
    """Give the samples their sides; also say what became of twins."""
    if resumed is not None:
        return _stored_split(Run(resumed), samples, {s.name for s in replay}), []
    twins = twins[: len(samples)] if twins else twins
    split = assign_splits(samples, config.valid_fraction, config.seed, config.group_pattern, twins)
    held_out = [s.split == "valid" for s in split]
    note = twin_note([s.group for s in samples], twins, held_out) if twins else ""
    return split, [note] if note else []


def _stored_split(run: Run, samples: list[Sample], replayed: set[str]) -> tuple[Sample, ...]:
    """The sides that a run gave its samples when it began; those replayed are beside them."""
    sides = {name: side for side, names in run.split().items() for name in names}
    strangers = ({s.name for s in samples} ^ set(sides)) - replayed
    if strangers:
        raise DataError(
            f"The data are not those that the run {run.folder} was begun with ({min(strangers)} "
            "is on one side only); give its data set, or train a new run."
        )
    return tuple(
        dataclasses.replace(s, split=sides[s.name])  # type: ignore[arg-type]
        for s in samples
    )


def _take_weights(
    net: Net, info: CheckpointInfo, tensors: dict[str, torch.Tensor], path: Path
) -> None:
    """Load a checkpoint; where the classes differ, the last layer starts afresh."""
    last = {}
    if not _has_classes_of(net, info):
        fresh = net.state_dict()
        last = {f"net.{k}": v for k, v in fresh.items() if k.startswith("last.")}
    if net.config.prompts and not info.model.prompts:
        tensors = with_prompts(net, tensors)
    load_weights(net, {**tensors, **last}, path)


def _has_classes_of(net: Net, info: CheckpointInfo) -> bool:
    """Whether a net tells as many classes apart as a checkpoint, in the same way."""
    return (info.model.classes, info.model.head) == (net.config.classes, net.config.head)
