"""Masks as numbers: what their values mean, labels, areas."""
