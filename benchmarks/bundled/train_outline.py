"""Train the net that outlines what is in a box.

    python -m benchmarks.bundled.train_outline BRISC [--epochs 14]

On the training side of `brisc_data`, with the bundled model's probabilities, which are weakened at
random and left out of a seventh of the samples, for a net to be outlined with may have found
nothing. A seventh of the boxes is drawn carelessly, by a twentieth of their sides.
"""

from __future__ import annotations

import sys
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import torch
from safetensors.torch import save_file
from torch import nn
from torch.nn import functional

from benchmarks.common.brisc_boxes import careless, tumours
from benchmarks.common.options import given_to, parser_of
from benchmarks.common.synthetic import brisc
from napari_unet_seg.correct.box_grid import CHANNELS, MARGIN, SIDE, box_channels, on_grid
from napari_unet_seg.correct.box_net import WEIGHTS

if TYPE_CHECKING:
    from benchmarks.common.brisc_boxes import Tumour
    from napari_unet_seg.arrays import Array

WIDTHS = (12, 24, 32, 32)
BATCH = 16
RATE = 3e-3
BY_HAND = (1.36, 0.0, 2.7, 2.16, 0.0)
"""Weights of a logistic regression on the channels alone: where the training starts."""


class BoxNet(nn.Module):
    """The net that `box_net.box_logits` applies, with weights of the same names."""

    def __init__(self) -> None:
        super().__init__()
        into = (CHANNELS, *WIDTHS)
        joined = [a + b for a, b in pairwise(WIDTHS)]
        self.down = nn.ModuleList(_block(a, b) for a, b in zip(into, WIDTHS, strict=False))
        self.up = nn.ModuleList(_block(a, b) for a, b in zip(joined, WIDTHS, strict=False))
        self.last = nn.Conv2d(WIDTHS[0] + CHANNELS, 1, 1)
        start = torch.tensor((0.0,) * WIDTHS[0] + BY_HAND)
        self.last.weight.data.copy_(start[None, :, None, None])

    def forward(self, channels: torch.Tensor) -> torch.Tensor:
        """Logits (N, Y, X) of channels (N, C, Y, X)."""
        skipped, features = [], channels
        for level, block in enumerate(self.down):
            features = _apply(block, functional.max_pool2d(features, 2) if level else features)
            skipped.append(features)
        for level in reversed(range(len(self.up))):
            doubled = functional.interpolate(features, scale_factor=2)
            features = _apply(self.up[level], torch.cat([doubled, skipped[level]], 1))
        return self.last(torch.cat([features, channels], 1))[:, 0]


def _block(before: int, after: int) -> nn.ModuleList:
    return nn.ModuleList(nn.Conv2d(n, after, 3, padding=1) for n in (before, after))


def _apply(block: nn.Module, features: torch.Tensor) -> torch.Tensor:
    for step in block:
        features = functional.relu(step(features))
    return features


def variants(tumour: Tumour, rng: np.random.Generator) -> tuple[Array, Array]:
    """Channels (3, C, Y, X) and truths (3, Y, X): as it is, not found, carelessly boxed."""
    nothing = tumour._replace(probability=np.zeros_like(tumour.probability))
    cases = [tumour, nothing, careless(tumour, rng)]
    channels = [box_channels(case.image, case.probability, case.box) for case in cases]
    truths = [on_grid(case.truth.astype(np.float32), case.box) >= 0.5 for case in cases]
    return np.stack(channels).astype(np.float16), np.stack(truths)


def changed(channels: Array, truths: Array, rng: np.random.Generator) -> tuple[Array, Array]:
    """Turn and mirror a batch; invert and stretch its grey values; weaken its probabilities."""
    turns = rng.integers(4)
    channels, truths = np.rot90(channels, turns, (-2, -1)), np.rot90(truths, turns, (-2, -1))
    if rng.random() < 0.5:
        channels, truths = channels[..., ::-1], truths[..., ::-1]
    channels, each = channels.astype(np.float32), (len(channels), 1, 1)
    channels[:, 1] *= rng.choice([-1, 1], each, p=[0.15, 0.85]) * rng.uniform(0.8, 1.2, each)
    weaker = channels[:, 0] * rng.uniform(0.6, 1.2, each) + rng.normal(0, 0.1, each)
    channels[:, 0] = np.clip(weaker, -0.98, 0.98)
    return channels, truths.astype(np.float32)


def loss_of(logits: torch.Tensor, truths: torch.Tensor) -> torch.Tensor:
    """Cross entropy and soft IoU within the box."""
    box = (..., slice(MARGIN, MARGIN + SIDE), slice(MARGIN, MARGIN + SIDE))
    logits, truths = logits[box], truths[box]
    probable = torch.sigmoid(logits)
    both = (probable * truths).sum((1, 2))
    either = (probable + truths).sum((1, 2)) - both
    entropy = functional.binary_cross_entropy_with_logits(logits, truths)
    return entropy + 1 - ((both + 1) / (either + 1)).mean()


def fit(channels: Array, truths: Array, epochs: int) -> BoxNet:
    net, rng = BoxNet(), np.random.default_rng(0)
    steps = max(1, len(channels) // BATCH)
    optimiser = torch.optim.AdamW(net.parameters(), RATE, weight_decay=1e-3)
    course = torch.optim.lr_scheduler.OneCycleLR(optimiser, RATE, epochs * steps)
    for epoch in range(epochs):
        total = 0.0
        for chosen in np.array_split(rng.permutation(len(channels)), steps):
            case = rng.choice(3, len(chosen), p=[0.6, 0.15, 0.25])
            batch = changed(channels[chosen, case], truths[chosen, case], rng)
            loss = loss_of(net(torch.from_numpy(batch[0])), torch.from_numpy(batch[1]))
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            course.step()
            total += loss.item()
        sys.stdout.write(f"epoch {epoch + 1}: loss {total / steps:.4f}\n")
        sys.stdout.flush()
    return net


def main() -> None:
    parser = parser_of(__doc__, "BRISC")
    parser.add_argument("--epochs", type=int, default=14)
    parser.add_argument("--threads", type=int, default=0)
    with given_to(parser, brisc, epochs=1) as given:
        if given.threads:
            torch.set_num_threads(given.threads)
        torch.manual_seed(0)
        rng = np.random.default_rng(0)
        seen = [variants(t, rng) for t in tumours(given.folder, "train", given.threads)]
        channels, truths = (np.stack(part) for part in zip(*seen, strict=True))
        net = fit(channels, truths, given.epochs)
        half = {name: value.half().contiguous() for name, value in net.state_dict().items()}
        save_file(half, given.scratch / "weights.safetensors" if given.smoke else WEIGHTS)


if __name__ == "__main__":
    main()
