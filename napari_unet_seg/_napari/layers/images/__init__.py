"""Which image a mask belongs to, and which case a layer."""
