"""The shapes in which pixels pass between the steps of this engine, and what takes them in and out."""

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Rgb = NDArray[np.uint8]
"""(height, width, 3), 0 to 255."""

Floats = NDArray[np.float32]

Matte = NDArray[np.float32]
"""(height, width), 0 to 1: how much of a pixel is the person."""

PERSON = 0.5
"""Where a matte is above this, the pixel is taken for the person's."""

_WORKING_SIDE = 1024


def shrunk(photo: Image.Image) -> Image.Image:
    """`photo`, at most 1024 pixels on its longest side: people are found in it as well as in a larger one."""
    scale = min(1.0, _WORKING_SIDE / max(photo.size))
    size = max(1, round(photo.width * scale)), max(1, round(photo.height * scale))
    return photo.resize(size, Image.Resampling.LANCZOS, reducing_gap=3.0)


def rgba(colours: Rgb, matte: Matte) -> Image.Image:
    """`colours` seen through `matte`; black where nothing shows, which makes small files."""
    alpha = np.asarray(matte * 255.0 + 0.5).astype(np.uint8)
    return Image.fromarray(np.dstack([colours * (alpha > 0)[..., None], alpha]))
