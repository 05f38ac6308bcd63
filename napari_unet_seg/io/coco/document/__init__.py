"""The JSON of COCO's files: parsed, told by its kind, and its layout."""
