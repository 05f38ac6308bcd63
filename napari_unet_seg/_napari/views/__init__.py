"""Planes of the patient, contrast and surfaces: how the viewer shows scans and masks."""
