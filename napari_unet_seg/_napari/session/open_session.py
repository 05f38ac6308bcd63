"""The open session: a session on disk, its layers, and what follows the work on them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QObject, Signal

from napari_unet_seg._napari.layers.prediction import maps_of
from napari_unet_seg._napari.layers.undoable_edits import replace_slice
from napari_unet_seg._napari.session.autosave import Autosave
from napari_unet_seg._napari.session.slices.changes import MaskChanges
from napari_unet_seg._napari.session.slices.contents import SliceContents
from napari_unet_seg._napari.session.slices.decisions import Decisions
from napari_unet_seg._napari.session.slices.predictions import SessionPredictions
from napari_unet_seg._napari.session.slices.shown_slice import ShownSlice
from napari_unet_seg._napari.session.stored_layers import StoredLayers
from napari_unet_seg.io.disk.seen import saw
from napari_unet_seg.session.review_queue import ReviewState

if TYPE_CHECKING:
    from pathlib import Path

    from napari.layers import Image, Labels
    from napari.viewer import ViewerModel

    from napari_unet_seg.io.coco.merge.keys import Keep
    from napari_unet_seg.session.session import Session


class OpenSession(QObject):
    """Connects a session with its layers, until `close`.

    Parameters
    ----------
    viewer : napari.Viewer
        The viewer of the layers.
    session : Session
        The session, which is held.
    image, mask : layers
        The layers of the session's scan and mask.
    """

    mask_shown = Signal(bool)
    """Emitted with whether the mask is visible."""
    predicted_again = Signal()
    """Slices to do have new predictions."""

    def __init__(self, viewer: ViewerModel, session: Session, image: Image, mask: Labels) -> None:
        super().__init__()
        self.viewer, self.session, self.image, self.mask = viewer, session, image, mask
        self.autosave = Autosave(session, lambda: mask.data, self)
        self.contents = SliceContents(session, mask)
        self._predictions = SessionPredictions(session, mask, self.autosave)
        self.shown = ShownSlice(viewer, mask, self)
        self.decisions = Decisions(
            session, mask, self.shown, self._predictions, self.autosave, self
        )
        self.changes = MaskChanges(
            viewer, mask, self.shown, self.decisions, self._predictions, self.contents, self
        )
        self.autosave.minute.connect(self.changes.save_edits)
        self._stored = StoredLayers(session, image, mask, self)
        self._stored.changed.connect(self._on_categories)
        mask.events.visible.connect(self._on_visible)
        viewer.layers.selection.active = mask
        self.decisions.refresh()

    def replace_prediction(
        self, index: int, labels: Any, dice: float, *, on_screen: bool = False
    ) -> bool:
        """Replace a slice of the mask by a later prediction, unless the slice was edited.

        The slice's maps, of probabilities for example, are emptied, because they are of the
        previous model. Slices with a decision, slices that came from a file, and locked categories
        are not replaced. The replacement is no step of undo.

        Parameters
        ----------
        index : int
            Index of the slice.
        labels : array
            uint8 labels, of shape (Y, X).
        dice : float
            Predicted Dice.
        on_screen : bool
            Whether the slice on screen may be replaced too.

        Returns
        -------
        bool
            Whether the slice was replaced.
        """
        is_free = on_screen or index != self.shown.index
        wanted = self.session.states[index] is ReviewState.TODO and is_free
        if not wanted or not self._predictions.is_untouched(index):
            return False
        self._predictions.replace(index, labels, dice)
        for layer in maps_of(self.viewer, self.mask):
            layer.data[self.session.masks.place(index)] = 0
        return True

    def show_predictions(self) -> None:
        """Draw new predictions, and sort the queue by their scores."""
        self.decisions.refresh()
        for layer in (self.mask, *maps_of(self.viewer, self.mask)):
            layer.refresh()  # another orientation or the volume may be on screen
        self.predicted_again.emit()

    def show_mask(self, shown: bool) -> None:
        """Show or hide the mask, whichever layer is selected."""
        if self.mask.visible != shown:  # setting it redraws the layer
            self.mask.visible = shown

    def save(self) -> bool:
        """Write all changes and wait; return whether they are on disk."""
        self.changes.save_edits()
        return self.autosave.finish()

    def keep(self, path: Path, version: Keep) -> None:
        """Settle a file of the session that was changed here and by another program.

        Parameters
        ----------
        path : Path
            The file of the `ChangedError`.
        version : str
            "mine" to write over it, "theirs" to show what it holds, which is one step of undo.
        """
        if version == "mine":
            saw(path)
            return
        index = self.session.take_from_disk(path)
        if index is None:
            self.decisions.follow_states()
        else:
            replace_slice(
                self.mask, self.session.masks.read(index), self.session.masks.place(index)
            )

    def close(self) -> None:
        """Save and close the session, and disconnect from the layers."""
        self.changes.close()
        self.shown.close()
        self.mask.events.visible.disconnect(self._on_visible)
        self._stored.close()
        self.autosave.close()
        self.decisions.close()
        self.session.close()

    def _on_categories(self, are_others: bool) -> None:
        if are_others:
            self._predictions.forget()
        self.changes.update_soon()

    def _on_visible(self, _: Any = None) -> None:
        self.mask_shown.emit(self.mask.visible)
