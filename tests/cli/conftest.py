"""What the tests of the program share."""

from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give each process that the program starts a single thread."""
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
