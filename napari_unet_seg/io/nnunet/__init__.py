"""Data sets in nnU-Net's raw layout, as its version 2 trains on them."""
