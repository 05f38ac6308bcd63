"""The networks, losses and metrics (torch; no files, no Qt)."""
