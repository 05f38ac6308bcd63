"""Samples, splits, caching and augmentation."""
