"""The cartoon look: flat, vivid colours in soft steps, and inked lines (Winnemöller et al., 2006 and 2012)."""

import cv2
import numpy as np

from deployments.engines.local.pixels import Floats, Rgb

_FULL_SIDE = 1024
"""The longest side for which the widths below are meant; they grow and shrink with the picture."""

_SMOOTHING_ROUNDS = 3
_BRIGHTENING = 0.9
_TONES = 9
_TONE_SHARPNESS = 2.2
_VIVIDNESS = 1.22

_LINE_WIDTH = 1.1
_LINE_THRESHOLD = 0.012
"""Contrast that draws no line yet: wrinkles and noise stay below it."""

_LINE_SLOPE = 45.0
_DARKEST_LINE = 0.2


def cartoon(photo: Rgb) -> Rgb:
    """`photo` as a cartoon."""
    scale = max(photo.shape) / _FULL_SIDE
    smooth = photo
    for _ in range(_SMOOTHING_ROUNDS):
        smooth = np.asarray(cv2.bilateralFilter(smooth, d=7, sigmaColor=22, sigmaSpace=5 * scale), np.uint8)
    lab = np.asarray(cv2.cvtColor(smooth.astype(np.float32) / np.float32(255.0), cv2.COLOR_RGB2LAB), np.float32)
    ink = _ink(lab[..., 0] / 100.0, sigma=max(0.5, _LINE_WIDTH * scale))
    lab[..., 0] = _in_steps(100.0 * (lab[..., 0] / 100.0) ** _BRIGHTENING)
    lab[..., 1:] *= _VIVIDNESS
    flat = np.clip(cv2.cvtColor(lab, cv2.COLOR_LAB2RGB), 0.0, 1.0)
    return (flat * ink[..., None] * 255.0 + 0.5).astype(np.uint8)


def _in_steps(lightness: Floats) -> Floats:
    """Lightness (0 to 100) drawn towards evenly spaced tones; the slopes between them stay soft."""
    step = 100.0 / _TONES
    tone = (np.floor(lightness / step) + 0.5) * step
    away = (lightness - tone) / (step / 2)  # -1 to 1
    return np.asarray(tone + step / 2 * np.tanh(_TONE_SHARPNESS * away) / np.tanh(_TONE_SHARPNESS), np.float32)


def _ink(lightness: Floats, sigma: float) -> Floats:
    """1 on blank paper, down to `_DARKEST_LINE` on lines: a soft threshold on a difference of Gaussians."""
    fine = cv2.GaussianBlur(lightness, (0, 0), sigma)
    coarse = cv2.GaussianBlur(lightness, (0, 0), sigma * 1.6)
    dip = np.minimum(fine - coarse + _LINE_THRESHOLD, 0.0)
    return np.asarray(np.clip(1.0 + np.tanh(_LINE_SLOPE * dip), _DARKEST_LINE, 1.0), np.float32)
