"""The tab that fine-tunes on accepted slices."""
