"""A prediction that the user asked for: its input, its job, its result."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from napari_unet_seg._napari.layers.geometry import VoxelSize
from napari_unet_seg._napari.layers.layer_record import ModelFile
from napari_unet_seg._napari.layers.position import off_screen_problem, shown_part
from napari_unet_seg._napari.layers.prediction import checksums
from napari_unet_seg._napari.segment.findings import find
from napari_unet_seg.errors import DataError
from napari_unet_seg.events import PredictFinished
from napari_unet_seg.io.hashing import sha256_once
from napari_unet_seg.process.warm_engine import scan_part

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

    from napari.layers import Image
    from napari.viewer import Viewer

    from napari_unet_seg._napari.layers.prediction import Checksums
    from napari_unet_seg._napari.segment.findings import Findings
    from napari_unet_seg._napari.segment.model_input import ModelInput
    from napari_unet_seg.config import PredictConfig
    from napari_unet_seg.io.common.places import Part
    from napari_unet_seg.process.warm_engine import WarmEngine


@dataclass(frozen=True, slots=True, eq=False)
class Request:
    """The input of one prediction."""

    image: Image
    input: ModelInput
    place: Part
    """The plane to segment; empty for the whole image."""
    config: PredictConfig
    checkpoint: Path


@dataclass(frozen=True, slots=True, eq=False)
class Result:
    """A prediction with what was computed of it outside of the main thread."""

    prediction: PredictFinished
    model: ModelFile
    sums: Checksums
    findings: Findings
    notes: tuple[str, ...]
    """Sentences on the channels."""


def predict(engine: WarmEngine, request: Request) -> Generator[Any, Any, None]:
    """Yield the engine's events, the last one as `Result`; runs in a thread."""
    model = ModelFile(str(request.checkpoint), sha256_once(request.checkpoint))
    scan, notes = request.input.read()
    events = engine.predict(request.config, request.checkpoint, scan, request.place)
    command = None
    try:
        while True:
            event = events.send(command)
            if isinstance(event, PredictFinished):
                sums = checksums(event.labels, request.place)
                findings = _findings(request, event)
                command = yield Result(event, model, sums, findings, notes)
            else:
                command = yield event
    except StopIteration:
        return
    finally:
        events.close()


def shown_place(viewer: Viewer, image: Image) -> Part:
    """Return the plane on screen.

    Raises
    ------
    DataError
        If no plane of the image is on screen.
    """
    problem = off_screen_problem(viewer, image, remedy=", or segment all")
    if problem:
        raise DataError(problem)
    return shown_part(viewer, image)


def _findings(request: Request, prediction: PredictFinished) -> Findings:
    scan = scan_part(request.input.image, request.place)
    voxel = VoxelSize(tuple(scan.spacing[: prediction.labels.ndim]), scan.unit)
    volume = scan.grid_axes.endswith("ZYX")
    return find(prediction.labels, prediction.categories, voxel, volume=volume)
