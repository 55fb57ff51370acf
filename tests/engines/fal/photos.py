"""Photos for the fal engine."""

import numpy as np
from PIL import Image


def noise(size: tuple[int, int]) -> Image.Image:
    """A picture that no format makes small."""
    pixels = np.random.default_rng(1).integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
    return Image.fromarray(pixels)
