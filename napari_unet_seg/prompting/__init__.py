"""Segmentation of a scan by prompts: on their slices, and carried from there through the object."""
