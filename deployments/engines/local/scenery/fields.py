"""Arrays of colours and shares, and the noise that nature is made of."""

import math

import cv2
import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.floating]
"""Float32 wherever it is as large as the picture."""

Rng = np.random.Generator


def channels(red: float, green: float, blue: float) -> Array:
    """One colour, or one factor per channel, shape (3,)."""
    return np.array([red, green, blue], np.float32)


def mix(one: Array, other: Array, share: float | Array) -> Array:
    """`one` where `share` is 0, `other` where it is 1."""
    return np.asarray(one + (other - one) * share, np.float32)


def smoothstep(low: float, high: float, value: Array) -> Array:
    """0 below `low`, 1 above `high`, and smooth between."""
    share = np.clip((value - low) / (high - low), 0, 1)
    return np.asarray(share * share * (3 - 2 * share), np.float32)


def noise(rng: Rng, shape: tuple[int, int], cell: tuple[float, float], octaves: int = 4) -> Array:
    """Cloudy noise in 0..1, `shape` (rows, columns); its largest features are `cell` (rows, columns) pixels."""
    total = np.zeros(shape, np.float32)
    for octave in range(octaves):
        total += _interpolated(rng, shape, (cell[0] / 2**octave, cell[1] / 2**octave)) * 0.5**octave
    total -= total.min()
    return total / max(float(total.max()), 1e-6)


def _interpolated(rng: Rng, shape: tuple[int, int], cell: tuple[float, float]) -> Array:
    rows, columns = (max(2, round(side / max(step, 1)) + 3) for side, step in zip(shape, cell, strict=True))
    grid = rng.random((rows, columns), np.float32)
    return cv2.resize(grid, (shape[1], shape[0]), interpolation=cv2.INTER_CUBIC).astype(np.float32)


def rugged(rng: Rng, width: int, cell: float, octaves: int = 6, gain: float = 0.5) -> Array:
    """A line of angular peaks in about -1..1, the broadest `cell` pixels apart."""
    total = np.zeros(width, np.float32)
    for octave in range(octaves):
        count = max(2, math.ceil(width * 2**octave / cell) + 2)
        knots = np.arange(count) + rng.uniform(-0.35, 0.35, count)
        heights = rng.uniform(-1, 1, count)
        at = np.linspace(0.5, 0.5 + width * 2**octave / cell, width)
        total += (np.interp(at, knots, heights) * gain**octave).astype(np.float32)
    return total


def rolling(rng: Rng, width: int, cell: float, octaves: int = 2) -> Array:
    """A line of smooth hills in -1..1, the broadest `cell` pixels apart."""
    return np.asarray(noise(rng, (1, width), (1, cell), octaves)[0] * 2 - 1)
