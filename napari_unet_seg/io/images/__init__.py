"""TIFF and photographs."""
