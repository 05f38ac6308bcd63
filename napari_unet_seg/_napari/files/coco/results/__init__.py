"""A model's results in COCO's format: the question for a threshold, and their masks as layers."""
