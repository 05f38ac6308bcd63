"""Read the points of a spreadsheet as prompts."""

from pathlib import Path
from tempfile import mkdtemp

from napari_unet_seg import read_prompts

table = Path(mkdtemp()) / "points.csv"
table.write_text("x_mm,y_mm,z_mm,category\n-31.5,12,40,lesion\n8,-60.5,22,lesion\n")
for one in read_prompts(table).objects:
    print(f"{one.category} at {one.points[0]}")
