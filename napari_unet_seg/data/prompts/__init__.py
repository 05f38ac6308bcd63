"""Simulated prompts."""
