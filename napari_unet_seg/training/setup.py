"""Set-up of a training run: its configuration, its data, and the net."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from napari_unet_seg.data.batches import labels_in
from napari_unet_seg.data.cache import channel_note
from napari_unet_seg.data.doubts import doubts, joined
from napari_unet_seg.errors import DataError, UnconfirmedError
from napari_unet_seg.inference.predicted_dice import Calibration
from napari_unet_seg.io.hashing import sha256
from napari_unet_seg.nn.build import build_net
from napari_unet_seg.nn.checkpoint import load_tensors, load_weights, with_prompts
from napari_unet_seg.nn.encoders import EncoderUNet
from napari_unet_seg.nn.grown_head import grow_heads
from napari_unet_seg.training.channels import named_by, with_channels
from napari_unet_seg.training.loop import TrainingLoop
from napari_unet_seg.training.recipe import has_classes_of, recipe_for
from napari_unet_seg.training.replay import names, with_category_of
from napari_unet_seg.training.run import Run
from napari_unet_seg.training.training_data import read_slices, read_volumes

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence
    from pathlib import Path

    from napari_unet_seg.config import Category, TrainConfig
    from napari_unet_seg.data.samples import Sample, SampleSet
    from napari_unet_seg.events import TrainEvent
    from napari_unet_seg.models.header import CheckpointInfo
    from napari_unet_seg.nn.build import Net
    from napari_unet_seg.training.training_data import TrainingData

    Loaded = tuple[CheckpointInfo, dict[str, torch.Tensor]]
    """Header and tensors of a checkpoint."""


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
    unnamed = ""
    if info is not None:
        samples, unnamed = with_category_of(samples, info)
    used = [s for s in samples.samples if s.split != "test"]
    read = read_volumes if config.model.dimensions == 3 else read_slices
    resumed = run if resume else None
    data = yield from read(config, len(samples.categories), used, resumed, replay)
    notes = [note for note in (*samples.notes, unnamed) if note]
    notes += [*channel_note(used, config.model.in_channels), *data.notes]
    notes += _check_labels(samples, data, confirmed=samples.confirmed or resume is not None)
    net = _start_net(config, samples, loaded, source)
    recipe = ""
    if info and init:
        replayed = {s.name for s in replay}
        new = sum(s.name not in replayed for s in data.splits["train"])
        config, recipe = recipe_for(config, net, info, data.items["train"], new)
    knows = info is not None and has_classes_of(net, info)
    competes = knows and _finds_the_same(net, info, samples) and not resume
    start = copy.deepcopy(net) if competes and data.splits["valid"] else None
    parent = sha256(init) if init else ""
    Run(run).check_links()
    loop = TrainingLoop(
        config, samples, Run(run), data.splits, data.items, net, parent, notes, recipe, start
    )
    if loaded and knows:
        loop.calibration = Calibration(loaded[0].calibration, loaded[0].calibration_prior)
    if loaded and resume:
        loop.resume(*loaded)
    elif loop.processes.rank == 0:
        loop.run.start(config, data.names)
    return loop


def _finds_the_same(net: Net, info: CheckpointInfo | None, samples: SampleSet) -> bool:
    """Whether a checkpoint has the categories of the samples, or follows prompts for any."""
    theirs = () if info is None else info.categories
    return net.config.prompts or names(theirs) == names(samples.categories)


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


def _check_labels(samples: SampleSet, data: TrainingData, *, confirmed: bool) -> list[str]:
    """Check that there is something to learn; return notes on what the masks hold.

    Raises
    ------
    DataError
        If no training sample, or none with a labelled pixel, is left; as `UnconfirmedError` if the
        masks are doubtful and not `confirmed`.
    """
    if not data.splits["train"] and not data.left_out:
        raise DataError(
            f"The data set {samples.source} leaves no samples to train on; lower valid_fraction "
            "or add images."
        )
    shares = data.items["train"].shares
    labels = labels_in(shares)
    if not labels:
        raise DataError(
            f"No training mask of {samples.source} has a labelled pixel; annotate at least one "
            "slice first."
        )
    notes = data.report.notes()
    doubtful = doubts(samples.categories, np.maximum(shares, data.items["valid"].shares))
    if doubtful and not confirmed:
        raise UnconfirmedError(" ".join([f"{samples.source}: {doubtful}", *notes]))
    absent = [c.name for value, c in enumerate(samples.categories, 1) if value not in labels]
    if not absent:
        return [*notes]
    return [f"No training mask holds {joined(absent, 'or')}: the net cannot learn it.", *notes]


def _start_net(
    config: TrainConfig, samples: SampleSet, loaded: Loaded | None, source: Path | None
) -> Net:
    """Build the net, with the weights of a checkpoint or of an encoder if one is given."""
    net = build_net(config.model)
    if loaded and source:
        _load_weights(net, *loaded, source, samples.categories)
    elif config.encoder_weights and isinstance(net, EncoderUNet):
        net.load_encoder(config.encoder_weights)
    return net


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
