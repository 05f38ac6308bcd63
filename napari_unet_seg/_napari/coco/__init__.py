"""The dock that imports COCO data sets."""
