"""From a checkpoint and a scan to labels."""
