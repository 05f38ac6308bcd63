"""The engine for a click: a child process that is started early and stays warm."""

from __future__ import annotations

import logging
import os
import pickle
import signal
import threading
import weakref
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_unet_seg.errors import SegmentationError
from napari_unet_seg.io.common.window import shared_window
from napari_unet_seg.models.header import read_header
from napari_unet_seg.process.engine_process import EngineProcess

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from pathlib import Path

    from napari_unet_seg.config import NormaliseConfig, PredictConfig
    from napari_unet_seg.events import Command, PredictEvent
    from napari_unet_seg.io.common.scan import Scan
    from napari_unet_seg.io.common.window import Window

logger = logging.getLogger(__name__)


class WarmEngine:
    """Predicts in a child process; the network is loaded before it is asked for."""

    def __init__(self) -> None:
        self._process = EngineProcess()
        self._turn = threading.Lock()
        self._thread: threading.Thread | None = None
        self._closed = False
        self._windows = _Windows()

    @property
    def warming(self) -> bool:
        """Whether the network is being loaded right now."""
        return self._thread is not None and self._thread.is_alive()

    def warm_up(self, config: PredictConfig, checkpoint: Path) -> None:
        """Load a network in the background; while that goes on, another call does nothing."""
        if self._closed or self.warming:
            return
        self._thread = threading.Thread(
            target=self._warm_up, args=(config, checkpoint), name="warm-up", daemon=True
        )
        self._thread.start()

    def _warm_up(self, config: PredictConfig, checkpoint: Path) -> None:
        try:
            for _ in self._stream("warm_up", config, checkpoint):
                pass
        except SegmentationError as error:
            # The prediction meets the same error and shows it; nobody has asked for one yet.
            logger.info("Warming up failed: %s", error)

    def predict(
        self, config: PredictConfig, checkpoint: Path, scan: Scan, place: tuple[int, ...]
    ) -> Generator[PredictEvent, Command | None, None]:
        """Segment a scan; pull it in a thread, since a lazily read scan is read there.

        Parameters
        ----------
        config, checkpoint, scan
            As `engine.predict` takes them.
        place : tuple of int
            Where along the leading axes; empty for the whole scan. A part is seen in the
            intensity window of the whole.
        """
        part = portable(cut(scan, place))
        window = self._windows.of(scan, read_header(checkpoint).normalise) if place else None
        yield from self._stream("predict", config, checkpoint, part, None, window)

    def _stream(self, name: str, *args: Any) -> Generator[Any, Any, None]:
        with self._turn:
            if not self._closed:
                yield from self._process.stream(f"napari_unet_seg.engine:{name}", *args)

    def close(self) -> None:
        """End the child; one that only warms up holds nothing that is worth waiting for."""
        self._closed = True
        if self.warming and self._process.pid is not None:
            with suppress(OSError):  # it is gone already
                os.kill(self._process.pid, signal.SIGTERM)
        self._process.close()
        if self._thread is not None:
            self._thread.join()
            self._process.close()


class _Windows:
    """Finds the intensity window of a scan, and keeps the last one: it takes a look at them all."""

    def __init__(self) -> None:
        self._known: tuple[Callable[[], Any], NormaliseConfig, Window | None] | None = None

    def of(self, scan: Scan, normalise: NormaliseConfig) -> Window | None:
        known = self._known
        if known is None or known[0]() is not scan.data or known[1] != normalise:
            window = shared_window(scan, normalise)
            with suppress(TypeError):  # not every array can be referred to weakly
                self._known = weakref.ref(scan.data), normalise, window
            return window
        return known[2]


def cut(scan: Scan, place: tuple[int, ...]) -> Scan:
    """Return the part of a scan at an index along its first axes."""
    if not place:
        return scan
    taken = len(place)
    names = (scan.names[place[0]],) if len(scan.names) > place[0] else ()
    return replace(
        scan,
        data=scan.data[place],
        axes=scan.axes[taken:],
        spacing=scan.spacing[taken:],
        names=names,
    )


def portable(scan: Scan) -> Scan:
    """Return a scan that can be sent to the child: lazily if its array allows, else as numbers."""
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
