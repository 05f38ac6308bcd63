"""Rounds of fine-tuning in a window that train nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from stored_rounds import store_round

from napari_unet_seg._napari.fine_tune import round_job
from napari_unet_seg.models.header import read_header

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    import pytest

    from napari_unet_seg.session.session import Session


def fake_rounds(monkeypatch: pytest.MonkeyPatch, outcome: Callable[[Path], dict[str, Any]]) -> None:
    """Let rounds store the model that they start from.

    Parameters
    ----------
    monkeypatch : pytest.MonkeyPatch
        Ends it.
    outcome : callable
        Called in a round with its model; returns what is recorded otherwise than of a good round.
    """

    def run(session: Session, _config: Any, model: Path, *_: Any) -> Iterator[Any]:
        yield "begun"
        changes = outcome(model)
        prompts = read_header(model).model.prompts
        session.count_use(in_point=prompts)
        session.store_splits()
        store_round(session, model, prompts=prompts, **changes)
        yield session.rounds[-1]

    monkeypatch.setattr(round_job, "run_round", run)
