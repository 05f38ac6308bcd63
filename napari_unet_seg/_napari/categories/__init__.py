"""Categories on screen: swatches, the list that edits them, and the offer to name a label."""
