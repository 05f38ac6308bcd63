"""Contact sheets: a model's answers as outlines on slices, many to a picture, to be looked at."""
