"""Damaged files and unusual images."""
