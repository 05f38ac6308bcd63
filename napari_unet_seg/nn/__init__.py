"""Networks, devices and checkpoints (torch; no files but checkpoints, no Qt)."""
