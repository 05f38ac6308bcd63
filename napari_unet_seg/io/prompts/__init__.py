"""Prompts for objects in a scan, as people, detectors and spreadsheets give them in files."""
