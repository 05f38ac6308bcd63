"""Prediction of what prompts mark."""
