"""Merging of edits with changes that other programs made to a COCO file."""
