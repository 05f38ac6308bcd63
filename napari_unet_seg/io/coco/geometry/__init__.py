"""Outlines and run lengths of masks."""
