"""What a session stores of its layers beside pixels: names, categories, colours and locks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QObject, Signal

from napari_unet_seg._napari.layers.colours import palette_of
from napari_unet_seg._napari.layers.layer_record import record_of
from napari_unet_seg._napari.layers.locks import locked_of

if TYPE_CHECKING:
    from napari.layers import Image, Labels

    from napari_unet_seg.session.session import Session


class StoredLayers(QObject):
    """Stores changes of the layers in their session, until `close`.

    Parameters
    ----------
    session : Session
        The session.
    image, mask : layers
        The layers of the session's scan and mask.
    parent : QObject
        Owner of this object.
    """

    changed = Signal(bool)
    """Colours or locks changed; emitted with whether there are other categories now."""

    def __init__(self, session: Session, image: Image, mask: Labels, parent: QObject) -> None:
        super().__init__(parent)
        self._session, self._image, self._mask = session, image, mask
        self._connections = (
            (mask.events.features, self._store_categories),
            (mask.events.colormap, self._store_categories),
            (mask.events.name, self._store_names),
            (image.events.name, self._store_names),
        )
        for emitter, callback in self._connections:
            emitter.connect(callback)

    def close(self) -> None:
        """Disconnect from the layers."""
        for emitter, callback in self._connections:
            emitter.disconnect(callback)

    def _store_categories(self, _: Any = None) -> None:
        session, record = self._session, record_of(self._mask)
        stored = session.categories, session.record.merged
        are_others = (record.categories, record.merged) != stored
        if are_others:
            session.set_categories(record.categories, record.merged)
        palette = palette_of(record.categories, record.order)
        session.set_layers(
            palette=tuple(palette.items()), locked=tuple(sorted(locked_of(self._mask)))
        )
        self.changed.emit(are_others)

    def _store_names(self, _: Any = None) -> None:
        self._session.set_layers(image=self._image.name, mask=self._mask.name)
