"""pytest-qt's robot, made for machines that have other work."""

from __future__ import annotations

from functools import partialmethod

from pytestqt.qtbot import QtBot

PATIENCE = 120_000
"""Milliseconds; what is waited for comes in a few, unless the test is to fail."""


class PatientBot(QtBot):
    """Waits longer than the five seconds of pytest-qt, wherever no other time is given."""

    waitExposed = partialmethod(QtBot.waitExposed, timeout=PATIENCE)
    waitSignal = partialmethod(QtBot.waitSignal, timeout=PATIENCE)
    waitUntil = partialmethod(QtBot.waitUntil, timeout=PATIENCE)
