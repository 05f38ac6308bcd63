"""COCO data sets: reading, drawing, writing back."""
