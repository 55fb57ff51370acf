"""The photo look: the photo itself, a little smoother and clearer."""

import cv2
import numpy as np

from deployments.engines.local.pixels import Rgb

_CLARITY = 0.3


def polished(photo: Rgb) -> Rgb:
    """`photo`, retouched lightly."""
    smooth = cv2.bilateralFilter(photo, d=5, sigmaColor=14, sigmaSpace=3)
    blurred = cv2.GaussianBlur(smooth, (0, 0), 2.0)
    return np.asarray(cv2.addWeighted(smooth, 1.0 + _CLARITY, blurred, -_CLARITY, 0.0), np.uint8)
