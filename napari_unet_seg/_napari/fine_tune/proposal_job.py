"""The job of a quick fit: reads the accepted slices, and proposes others in a child process."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from napari_unet_seg._napari.segment import chosen_model
from napari_unet_seg.models.header import read_header
from napari_unet_seg.process.warm_engine import portable
from napari_unet_seg.session.channels import scan_of_sequences
from napari_unet_seg.session.samples import accepted_samples

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence
    from pathlib import Path

    from napari_unet_seg.process.engine_process import EngineProcess
    from napari_unet_seg.session.session import Session


def proposals(
    engine: EngineProcess,
    model: Path,
    session: Session,
    labels: Any,
    slices: Sequence[int],
) -> Generator[Any, Any, None]:
    """Yield the events of `training.proposals.propose` on slices of a session.

    Parameters
    ----------
    engine : EngineProcess
        The child process.
    model : Path
        The checkpoint whose last layer is fitted.
    session : Session
        The open session.
    labels : array
        Its present mask.
    slices : sequence of int
        The slices to predict.
    """
    info = read_header(model)
    samples = accepted_samples(session, labels, info)
    scan = portable(scan_of_sequences(session, info.sequences))
    given = chosen_model.last_config(), model, samples, scan, slices
    yield from engine.stream("napari_unet_seg.training.proposals:propose", *given)
