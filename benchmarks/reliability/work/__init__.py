"""What is killed: kinds of work, and what must be there after a kill of each."""

from __future__ import annotations

from benchmarks.reliability.work import files, sessions, training

WORKS = (*sessions.WORKS, *training.WORKS, *files.WORKS)
