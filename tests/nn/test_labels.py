"""From probabilities to labels."""

from __future__ import annotations

import torch

from napari_unet_seg.nn.labels import to_labels, to_probabilities


def test_sigmoid_takes_the_most_probable_class_above_the_threshold():
    probable = torch.tensor([[0.6, 0.2, 0.4], [0.7, 0.1, 0.45]]).reshape(1, 2, 1, 3)
    assert to_labels(probable, "sigmoid").flatten().tolist() == [2, 0, 0]
    assert to_labels(probable, "sigmoid", 0.42).flatten().tolist() == [2, 0, 2]


def test_softmax_labels_are_the_argmax_of_the_logits():
    logits = torch.randn(3, 4, 8, 8, generator=torch.Generator().manual_seed(0))
    labels = to_labels(to_probabilities(logits, "softmax"), "softmax")
    assert torch.equal(labels, logits.argmax(1).to(torch.uint8))
