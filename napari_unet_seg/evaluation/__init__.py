"""Metrics and comparisons of masks."""
