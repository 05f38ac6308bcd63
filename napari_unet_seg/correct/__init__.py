"""Corrections of masks as functions of arrays: no layers, no windows, no files."""
