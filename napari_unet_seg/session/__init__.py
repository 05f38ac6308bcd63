"""A correction session on disk."""
