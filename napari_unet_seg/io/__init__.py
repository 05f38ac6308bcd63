"""Reading and writing scans, masks and annotations (no torch, no Qt)."""
