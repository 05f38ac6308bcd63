"""Configuration of the augmentation."""

from __future__ import annotations

from pydantic import Field

from napari_unet_seg.config._base import Config


class AugmentConfig(Config):
    """Random changes of training samples; small by default, as patients move little."""

    probability: float = Field(0.5, gt=0, le=1)
    """Probability of each change that is switched on, for each sample."""
    leave_out: float = Field(0.35, ge=0, lt=1)
    """Probability that a sequence is left out of a sample, if there are several; at least one
    stays. The network then bears scans without a sequence. 0: never."""
    translate: bool = True
    """Shift the sample at random."""
    translation: float = Field(0.1, gt=0, le=0.5)
    """Largest shift, as a share of the image's size."""
    rotate: bool = True
    """Rotate the sample at random."""
    rotation: float = Field(5.0, gt=0, le=180)
    """Largest rotation in degrees, in both directions."""
    scale: bool = False
    """Zoom in or out."""
    scaling: float = Field(0.15, gt=0, le=0.5)
    """Largest zoom, as a share of the size."""
    elastic: bool = False
    """Deform the sample smoothly."""
    elasticity: float = Field(0.03, gt=0, le=0.2)
    """Largest displacement of the deformation, as a share of the image's size."""
    flip: bool = False
    """Mirror along each axis."""
    turn: bool = False
    """Rotate by multiples of 90 degrees, as in scans that were stored transposed."""
    gamma: bool = False
    """Change the contrast by a random gamma between 0.7 and 1.4."""
    bias_field: bool = False
    """Multiply by a smooth field, which simulates the bias field of surface coils."""
    noise: bool = False
    """Add noise with a standard deviation of up to 5 % of the window."""
    blur: bool = False
    """Blur with a Gaussian of up to 1.5 pixels."""
    invert: bool = False
    """Exchange black and white within the head."""
    strip: bool = False
    """Remove the bright rim of the head, as skull-stripping does."""
