"""Steps of the optimiser."""

from __future__ import annotations

import itertools

import pytest
import torch

from napari_unet_seg.config import FINE_TUNE, ModelConfig, TrainConfig
from napari_unet_seg.nn.build import build_net
from napari_unet_seg.nn.devices import PRECISION_VARIABLE
from napari_unet_seg.training.distributed import ProcessGroup
from napari_unet_seg.training.trainer import Trainer, average_of

CONFIG = TrainConfig(
    image_size=32, precision="float32", learning_rate=0.01, model=ModelConfig(width=4, depth=2)
)
IMAGES = torch.rand(4, 1, 32, 32, generator=torch.Generator().manual_seed(0))
MASKS = (IMAGES[:, 0] > 0.7).to(torch.uint8)


def trainer(config: TrainConfig = CONFIG) -> Trainer:
    torch.manual_seed(0)
    return Trainer(
        build_net(config.model), config, ProcessGroup(torch.device("cpu")), total_steps=100
    )


def weights(of: Trainer) -> dict[str, torch.Tensor]:
    return {k: v.detach().clone() for k, v in of.net.state_dict().items()}


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"residual": True, "attention": True, "deep_supervision": True},
        {"architecture": "vnet"},
        {"padded": False, "norm": "none"},
        {"norm": "group"},
        {"norm": "instance", "activation": "prelu"},
    ],
    ids=str,
)
def test_the_loss_falls(changes):
    learning = trainer(CONFIG.replace(model=CONFIG.model.replace(**changes)))
    losses = [learning.step(IMAGES, MASKS, 10) for _ in range(25)]
    assert losses[-1] < 0.8 * losses[0]


def test_auto_precision_is_timed_before_the_first_step(monkeypatch):
    monkeypatch.delenv(PRECISION_VARIABLE, raising=False)
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"avx512_bf16": True})
    seen = []
    forward = Trainer._forward

    def noted(self, images, dtype):
        seen.append(dtype)
        return forward(self, images, dtype)

    monkeypatch.setattr(Trainer, "_forward", noted)
    learning = trainer(CONFIG.replace(precision="auto"))
    assert set(seen) == {torch.float32, torch.bfloat16}
    assert learning.step(IMAGES, MASKS, 10) > 0
    assert seen[-1] is learning.dtype


def test_a_net_of_volumes_learns():
    model = CONFIG.model.replace(dimensions=3)
    learning = trainer(CONFIG.replace(model=model))
    images = torch.rand(2, 1, 8, 16, 16, generator=torch.Generator().manual_seed(0))
    masks = (images[:, 0] > 0.7).to(torch.uint8)
    losses = [learning.step(images, masks, 10) for _ in range(25)]
    assert losses[-1] < 0.8 * losses[0]


def test_the_average_follows_the_weights_by_its_decay():
    learning = trainer()
    average = average_of(learning.net, 0.6)
    name = "first.0.weight"
    expected = weights(learning)[name]
    for number in range(1, 15):
        learning.step(IMAGES, MASKS, 10)
        average.update_parameters(learning.net)
        decay = min(0.6, (1 + number) / (10 + number))
        expected = decay * expected + (1 - decay) * weights(learning)[name]
    averaged = average.module.state_dict()
    assert torch.allclose(averaged[name], expected, atol=1e-6)
    statistics = "first.1.running_mean"
    assert torch.equal(averaged[statistics], weights(learning)[statistics])


def test_the_average_is_validated_and_training_goes_on_with_the_weights():
    learning = trainer(CONFIG.replace(ema=0.9))
    for _ in range(5):
        learning.step(IMAGES, MASKS, 10)
    own = weights(learning)
    plain, _ = learning.validate(IMAGES, MASKS)
    with learning.averaged() as net:
        averaged, _ = learning.validate(IMAGES, MASKS)
        assert not torch.equal(net.state_dict()["first.0.weight"], own["first.0.weight"])
    assert averaged != plain
    assert all(torch.equal(v, own[k]) for k, v in weights(learning).items())


@pytest.mark.parametrize("architecture", ["unet", "vnet"])
@pytest.mark.parametrize("levels", [1, 2])
def test_frozen_levels_stay_as_they_are(architecture, levels):
    model = CONFIG.model.replace(architecture=architecture)
    learning = trainer(CONFIG.replace(freeze=levels, model=model))
    before = weights(learning)
    frozen = {
        id(v)
        for part in learning.net.contracting()[:levels]
        for v in part.state_dict(keep_vars=True).values()
    }
    names = {k for k, v in learning.net.state_dict(keep_vars=True).items() if id(v) in frozen}
    learning.step(IMAGES, MASKS, 10)
    after = weights(learning)
    changed = {k for k in before if not torch.equal(before[k], after[k])}
    assert names and not names & changed
    assert any(k.startswith(("last", "ups", "right")) for k in changed)


@pytest.mark.parametrize("keep", [True, False])
def test_batch_statistics_are_kept_while_the_weights_learn(keep):
    learning = trainer(CONFIG.replace(keep_statistics=keep))
    before = weights(learning)
    learning.step(IMAGES, MASKS, 10)
    changed = {k for k, v in weights(learning).items() if not torch.equal(v, before[k])}
    statistics = {k for k in before if "running_" in k}
    assert statistics
    assert changed & statistics == (set() if keep else statistics)
    assert {n for n, _ in learning.net.named_parameters()} & changed


def test_fine_tuning_keeps_the_batch_statistics():
    assert FINE_TUNE.keep_statistics


def test_a_long_gradient_is_shortened():
    def moved(clip: float) -> float:
        learning = trainer(CONFIG.replace(clip=clip))
        learning.optimiser = torch.optim.SGD(learning.net.parameters(), lr=1.0)
        before = weights(learning)
        learning.step(IMAGES, MASKS, 10)
        after = weights(learning)
        names = [n for n, _ in learning.net.named_parameters()]
        squares = sum(float((after[n] - before[n]).square().sum()) for n in names)
        return float(squares**0.5)

    rate = trainer().learning_rate(10)
    assert moved(0) > 0.1 * rate
    assert moved(0.01) == pytest.approx(0.01 * rate, rel=0.01)


def test_the_rate_rises_then_falls_to_zero():
    learning = trainer(CONFIG.replace(warm_up=0.1))
    rates = [learning.learning_rate(step) for step in range(101)]
    assert rates[:10] == pytest.approx([0.001 * (n + 1) for n in range(10)])
    assert max(rates) == pytest.approx(0.01) and rates[100] == pytest.approx(0, abs=1e-6)
    assert all(a >= b for a, b in itertools.pairwise(rates[10:]))


def test_the_state_brings_back_optimiser_and_average():
    config = CONFIG.replace(ema=0.9)
    one, other = trainer(config), trainer(config)
    for _ in range(3):
        one.step(IMAGES, MASKS, 10)
    other.net.load_state_dict(one.net.state_dict())
    other.load_state({k: v.clone() for k, v in one.state().items()})
    for learning in (one, other):
        learning.step(IMAGES, MASKS, 11)
    assert all(torch.equal(v, weights(other)[k]) for k, v in weights(one).items())
    for key, value in one.state().items():
        assert torch.equal(value, other.state()[key]), key


def test_an_average_as_older_checkpoints_hold_it_goes_on():
    learning = trainer(CONFIG.replace(ema=0.9))
    name = "first.0.weight"
    stored = {f"average.{k}": v + 1 for k, v in weights(learning).items()}
    learning.load_state({**stored, "average.steps": torch.tensor(6)})
    learning.step(IMAGES, MASKS, 10)
    decay = (1 + 7) / (10 + 7)
    expected = decay * stored[f"average.{name}"] + (1 - decay) * weights(learning)[name]
    with learning.averaged() as net:
        torch.testing.assert_close(net.state_dict()[name], expected)
    assert int(learning.state()["average.steps"]) == 7
