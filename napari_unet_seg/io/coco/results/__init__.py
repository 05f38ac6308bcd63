"""Lists of results: the predictions of a model, told from COCO's other kinds of JSON."""
