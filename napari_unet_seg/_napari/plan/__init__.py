"""The plan of a folder as a table, in which what was taken wrongly is corrected by a click."""
