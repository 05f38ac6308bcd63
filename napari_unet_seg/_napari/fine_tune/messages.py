"""Messages on rounds of fine-tuning."""

from __future__ import annotations

from math import isnan
from typing import TYPE_CHECKING

from napari_unet_seg.io.common.counting import counted
from napari_unet_seg.session.model_lineage import change_of_dice
from napari_unet_seg.training.held_out.unchanged import unchanged

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari_unet_seg.events import HeadFitted, ItemDone
    from napari_unet_seg.session.stored.record import Round


OFFERED = " Point asks the new network once you press Use in Point."
"""What follows on a round of Point that was good."""


def round_summary(finished: Round) -> str:
    """Return a line on a round: its slices and epochs, and the Dice before and after."""
    slices, epochs = counted(finished.train, "slice"), counted(finished.epochs, "epoch")
    of_point = " of Point" if finished.prompts else ""
    start = f"Round {finished.number}{of_point}: {slices}, {epochs}"
    if finished.unchanged:
        return f"{start}; {unchanged(finished.held_out, 'slice')}."
    if finished.stopped and finished.after is None:
        return f"{start}; stopped before it was measured."
    if not finished.held_out:
        return f"{start}; accept two or more slices to measure the Dice."
    if finished.after is None:
        held_out = counted(finished.held_out, "held-out slice")
        return f"{start}; nothing to measure on {held_out}: no mask there, and none predicted."
    text = f"{start}; {dice_on_held_out(finished)}"
    if finished.old_held_out:
        old = counted(finished.old_held_out, "slice")
        change = change_of_dice(finished.old_before, finished.old_after)
        text += f", on {old} of the base model's data {change}"
    return f"{text}."


def dice_on_held_out(finished: Round) -> str:
    """Return a clause on the Dice before and after a round, and the slices that it is of."""
    dice = "Dice after a click" if finished.prompts else "Dice"
    held_out = counted(finished.held_out, "held-out slice")
    return f"{dice} on {held_out} {change_of_dice(finished.before, finished.after)}"


def outcome(finished: Round, *, used: bool) -> str:
    """Return a sentence on what uses the model of a round, empty if nothing changed."""
    if finished.unchanged:
        return ""
    if finished.prompts:
        if used:
            return " Point and Carry now ask the new network."
        return " The new network is not used; Point and Carry ask the present one."
    if used:
        return " The new model is chosen in Segment."
    return " The new model is not used; the present model stays."


def held_out_message(held_out: int, count: int) -> str:
    """Return a sentence on the slices that no round trains on.

    Parameters
    ----------
    held_out, count : int
        The number of accepted slices held out, and of all that a round has divided by now.
    """
    if not count:
        return (
            "The first round holds some accepted slices out, at least one of two, to measure the "
            "Dice on."
        )
    verb = "is" if held_out == 1 else "are"
    return (
        f"{held_out} of {counted(count, 'accepted slice')} {verb} held out, to measure the Dice on."
    )


def head_summary(fitted: HeadFitted) -> str:
    """Return a clause on what the quick fit to some accepted slices is worth."""
    slices = counted(fitted.slices, "accepted slice")
    if isnan(fitted.after):
        return f"Nothing learnt: none of {slices} shows an object"
    change = change_of_dice(fitted.before, fitted.after)
    start = f"Learnt from {slices} in {fitted.seconds:.1f} s, Dice on those left out {change}"
    return start if fitted.is_used else f"{start}: no better than the model"


def skipped_message(items: Sequence[ItemDone]) -> str:
    """Return a message on sessions and slices that a round skips."""
    first = f"{items[0].name}: {items[0].problem}"
    if len(items) == 1:
        return f"Skipped by the round: {first}"
    return f"{len(items)} items are skipped by the round; the first is {first}"
