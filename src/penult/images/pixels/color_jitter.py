"""The colours of a photo, changed a little."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageEnhance

__all__ = ["STEPS", "ColorJitter"]

STEPS = ("brightness", "contrast", "saturation", "hue")
"""In the order of torchvision's arguments."""


@dataclass(frozen=True, kw_only=True)
class ColorJitter:
    """What torchvision's ``ColorJitter`` does to a Pillow image, with the numbers it would draw.

    Attributes
    ----------
    brightness, contrast, saturation : float
        1 leaves them as they are. At 0 the image is black, evenly grey, without colour.
    hue : float
        By which share of the colour wheel all hues are turned, in [-0.5, 0.5].
    order : tuple of str
        The names of the steps, in the order in which they are done.
    """

    brightness: float = 1.0
    contrast: float = 1.0
    saturation: float = 1.0
    hue: float = 0.0
    order: tuple[str, ...] = STEPS

    def __call__(self, image: Image.Image) -> Image.Image:
        """Change the colours of an RGB image."""
        for name in self.order:
            if name == "brightness":
                image = ImageEnhance.Brightness(image).enhance(self.brightness)
            elif name == "contrast":
                image = ImageEnhance.Contrast(image).enhance(self.contrast)
            elif name == "saturation":
                image = ImageEnhance.Color(image).enhance(self.saturation)
            elif self.hue:
                image = self._turn_hues(image)
        return image

    def _turn_hues(self, image: Image.Image) -> Image.Image:
        hue, saturation, value = image.convert("HSV").split()
        # Truncated, as torchvision does, and round the wheel of 256 hues.
        turned = np.asarray(hue) + np.uint8(int(self.hue * 255) % 256)
        return Image.merge("HSV", (Image.fromarray(turned), saturation, value)).convert("RGB")
