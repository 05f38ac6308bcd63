"""The warm engine: a child process that has the network loaded before the first prediction."""

from __future__ import annotations

import logging
import os
import pickle
import signal
import threading
import weakref
from collections import deque
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_unet_seg.errors import SegmentationError
from napari_unet_seg.events import PredictFinished
from napari_unet_seg.io.common.grids.orientation import (
    directions_of,
    turned_back,
    turned_scan,
    view_across,
)
from napari_unet_seg.io.common.places import is_place, of_part
from napari_unet_seg.io.common.window import Windowed, scan_window, shared_window
from napari_unet_seg.models.header import read_header
from napari_unet_seg.process.engine_process import EngineProcess

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Generator, Mapping, Sequence
    from pathlib import Path

    from napari_unet_seg.arrays import Array
    from napari_unet_seg.config import NormaliseConfig, PredictConfig
    from napari_unet_seg.events import (
        Command,
        DeviceFallback,
        PredictEvent,
        PredictStarted,
        Refined,
        SliceCarried,
    )
    from napari_unet_seg.io.common.grids.orientation import PlaneView
    from napari_unet_seg.io.common.places import Part, Place
    from napari_unet_seg.io.common.scan import Scan
    from napari_unet_seg.io.common.window import Windows

logger = logging.getLogger(__name__)

_SEQUENCES = 8
"""Scans whose windows are kept: the sequences of a case."""
_PLANES = ("labels", "probabilities", "uncertainty", "disagreement")
"""Fields of a finished prediction whose last two axes are those of the plane."""


class WarmEngine:
    """Prediction in a child process that loads the network in advance."""

    def __init__(self) -> None:
        self._process = EngineProcess()
        self._turn = threading.Lock()
        self._thread: threading.Thread | None = None
        self._warmed: Path | None = None
        """The network that was loaded in the background last."""
        self._closed = False
        self._windows = _WindowCache()

    @property
    def warming(self) -> bool:
        """Whether the network is being loaded right now."""
        return self._thread is not None and self._thread.is_alive()

    def warm_up(
        self,
        config: PredictConfig,
        checkpoint: Path,
        on_ready: Callable[[PredictStarted], None] = lambda _: None,
    ) -> None:
        """Load a network in the background, after another one that is being loaded already.

        `on_ready` is called in another thread when the network is loaded.
        """
        if self._closed or (self.warming and self._warmed == checkpoint):
            return
        self._warmed = checkpoint
        args = self._thread, config, checkpoint, on_ready
        self._thread = threading.Thread(
            target=self._warm_up, args=args, name="warm-up", daemon=True
        )
        self._thread.start()

    def _warm_up(
        self,
        earlier: threading.Thread | None,
        config: PredictConfig,
        checkpoint: Path,
        on_ready: Callable[[PredictStarted], None],
    ) -> None:
        if earlier is not None:
            earlier.join()
        try:
            for event in self._stream("warm_up", config, checkpoint):
                on_ready(event)
        except SegmentationError as error:
            # The prediction will raise the same error and show it; so far the user has not asked
            # for a prediction.
            logger.info("Warming up failed: %s", error)

    def predict(
        self, config: PredictConfig, checkpoint: Path, scan: Scan, part: Part
    ) -> Generator[PredictEvent, Command | None, None]:
        """Segment a scan or a part of it.

        Iterate in a worker thread, since the scan may be read there.

        Parameters
        ----------
        config, checkpoint, scan
            As `engine.predict` takes them.
        part : tuple of int or slice
            Index of a slice, or of another plane of a volume; empty for the whole scan. A part is
            normalised with the intensity window of the whole scan, and a plane other than a slice
            is turned upright for the network.

        Raises
        ------
        SegmentationError
            As `engine.predict`.
        """
        window = self._windows.window(scan, read_header(checkpoint).normalise) if part else None
        view = None if is_place(part) else _view_of(scan, part)
        if view is not None:
            scan = turned_scan(scan, view)
        place = tuple(index for index in part if not isinstance(index, slice))
        plane = portable(scan_part(scan, place))
        events = self._stream("predict", config, checkpoint, plane, None, window)
        yield from events if view is None else _turned_back(events, view)

    def refine(
        self,
        config: PredictConfig,
        checkpoint: Path,
        scan: Scan,
        part: Part,
        prompts: Array,
        previous: Array | None = None,
        others: Sequence[Scan] = (),
    ) -> Generator[Refined | DeviceFallback, Command | None, None]:
        """Segment the object that prompts mark on a plane of a scan, with a 2D network.

        Iterate in a worker thread, since the scan may be read there.

        Parameters
        ----------
        config, checkpoint, scan
            As `engine.refine` takes them.
        part : tuple of int or slice
            Index of a slice, or of another plane of a volume; empty for a scan that is a slice. A
            part is normalised with the intensity window of the whole scan.
        prompts, previous : array
            As `engine.refine` takes them, on the grid of the plane.
        others : sequence of Scan
            Further sequences on the grid of the scan, of which the network sees the plane too.

        Raises
        ------
        SegmentationError
            As `engine.refine`.
        """
        normalise = read_header(checkpoint).normalise
        image, *further = (self._plane(each, part, normalise) for each in (scan, *others))
        args = image.scan, prompts, previous, image.window, further
        yield from self._stream("refine", config, checkpoint, *args)

    def _plane(self, scan: Scan, part: Part, normalise: NormaliseConfig) -> Windowed:
        """Return a plane of a scan as the prompt network takes it."""
        window = self._windows.plane_window(scan, part, normalise)
        plane = scan_part(scan, part)
        if len(plane.grid_axes) == 2:
            # The network knows planes of any direction, but no other names of axes.
            plane = replace(plane, axes="YX" + plane.axes[2:])
        return Windowed(portable(plane), window)

    def carry(
        self,
        config: PredictConfig,
        checkpoint: Path,
        scan: Scan,
        volume: Place,
        given: Mapping[int, Array],
        within: Collection[int],
        ends: Mapping[int, Array],
        others: Sequence[Scan] = (),
    ) -> Generator[SliceCarried | DeviceFallback, Command | None, None]:
        """Carry masks through a volume of a scan, with a 2D network.

        Iterate in a worker thread, since the scan may be read there.

        Parameters
        ----------
        config, checkpoint, scan
            As `prompting.carry` takes them.
        volume : tuple of int
            Index of the volume. It is normalised with the intensity window of the whole scan.
        given, within, ends
            As `prompting.carry` takes them, with the slices of the volume counted from 0.
        others : sequence of Scan
            Further sequences on the grid of the scan, which the network sees too.

        Raises
        ------
        SegmentationError
            As `prompting.carry`.
        """
        normalise = read_header(checkpoint).normalise
        image, *further = (
            Windowed(portable(scan_part(each, volume)), self._windows.window(each, normalise))
            for each in (scan, *others)
        )
        args = config, checkpoint, image.scan, given, within, image.window, ends, further
        yield from self._stream("carry", *args, module="prompting.carry")

    def _stream(self, name: str, *args: Any, module: str = "engine") -> Generator[Any, Any, None]:
        with self._turn:
            if not self._closed:
                yield from self._process.stream(f"napari_unet_seg.{module}:{name}", *args)

    def close(self) -> None:
        """End the child process; a process that is loading a network is killed at once."""
        self._closed = True
        if self.warming and self._process.pid is not None:
            with suppress(OSError):  # the process has ended already
                os.kill(self._process.pid, signal.SIGTERM)
        self._process.close()
        if self._thread is not None:
            self._thread.join()
            self._process.close()


class _WindowCache:
    """Intensity windows of the last scans, since computing a window reads the whole scan."""

    def __init__(self) -> None:
        self._last: deque[tuple[Callable[[], Any], NormaliseConfig, Windows | None]] = deque(
            maxlen=_SEQUENCES
        )
        self._of_planes: deque[tuple[Any, Windows]] = deque(maxlen=_SEQUENCES)

    def plane_window(self, scan: Scan, part: Part, normalise: NormaliseConfig) -> Windows | None:
        """Return the window in which a plane is seen, its own one if the scan has none."""
        window = self.window(scan, normalise)
        if window is not None or scan.axes.endswith("C"):
            return window
        data = scan.data[part]
        # The pixels are compared, since those of an image may change in place.
        key = normalise, str(part), np.asarray(data).tobytes()
        for known, window in self._of_planes:
            if known == key:
                return window
        window = scan_window(data, normalise, dtype=data.dtype)
        self._of_planes.append((key, window))
        return window

    def window(self, scan: Scan, normalise: NormaliseConfig) -> Windows | None:
        for data, how, window in self._last:
            if data() is scan.data and how == normalise:
                return window
        window = shared_window(scan, normalise)
        with suppress(TypeError):  # some array types allow no weak references
            self._last.append((weakref.ref(scan.data), normalise, window))
        return window


def _view_of(scan: Scan, part: Part) -> PlaneView:
    """Return the view of the planes that are stacked along the last fixed axis of a part."""
    across = max(axis for axis, index in enumerate(part) if not isinstance(index, slice))
    return view_across(directions_of(scan), across - (len(scan.grid_axes) - 3))


def _turned_back(
    events: Generator[Any, Any, None], view: PlaneView
) -> Generator[PredictEvent, Command | None, None]:
    """Yield the events of a prediction on a turned plane, with the axes of the volume."""
    command = None
    try:
        while True:
            event = events.send(command)
            if isinstance(event, PredictFinished):
                planes: dict[str, Any] = {name: getattr(event, name) for name in _PLANES}
                turned: dict[str, Any] = {
                    n: p if p is None else turned_back(p, view) for n, p in planes.items()
                }
                event = replace(event, **turned)
            command = yield event
    except StopIteration:
        return
    finally:
        events.close()


def scan_part(scan: Scan, part: Part) -> Scan:
    """Return the part of a scan at an index."""
    if not part:
        return scan
    first = part[0]
    names = () if isinstance(first, slice) else scan.names[first : first + 1]
    axes = of_part(scan.grid_axes, part)
    return replace(
        scan,
        data=scan.data[part],
        axes="".join(axes) + scan.axes[len(scan.grid_axes) :],
        spacing=of_part(scan.spacing, part),
        names=names,
    )


def portable(scan: Scan) -> Scan:
    """Return a scan that can be pickled: with its lazy array if possible, else with its pixels."""
    data = scan.data
    if isinstance(data, np.ndarray):
        return replace(scan, meta={})
    try:
        if data.ndim > len("YXC"):
            pickle.dumps(data)
            return replace(scan, meta={})
    except (pickle.PicklingError, TypeError, AttributeError):
        logger.debug("The array of %s cannot be sent lazily", scan.path)
    return replace(scan, data=np.asarray(data), meta={})
