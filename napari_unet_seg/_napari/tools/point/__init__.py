"""The tool Point: clicks, strokes, boxes and lassos that a network answers."""
