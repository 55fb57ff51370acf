"""What grows: firs, leafy trees, grass and flowers."""

import numpy as np

from deployments.engines.local.scenery.canvas import Canvas
from deployments.engines.local.scenery.fields import Array, Rng, mix
from deployments.engines.local.scenery.ink import Point, dot, ellipse, polygon
from deployments.engines.local.scenery.ink import line as stroke
from deployments.engines.local.scenery.palette import rgb


def pines(canvas: Canvas, line: Array, size: float, colour: Array, room: float = 0.0) -> None:
    """A row of firs about `size` pixels tall on `line`; `room` is the share of the width left free in the middle."""
    mask, spacing = canvas.ink(), size * 0.22
    count = max(1, int(canvas.width / spacing))
    for x in (np.arange(-1, count + 2) + canvas.rng.uniform(-0.45, 0.45, count + 3)) * spacing:
        away = abs(x / canvas.width * 2 - 1)
        tall = size * canvas.rng.uniform(0.55, 1.0) * (1.0 if away > room else 0.0)
        root = float(line[int(np.clip(x, 0, canvas.width - 1))])
        if tall > 1:
            polygon(mask, _fir(canvas.rng, x, root + size * 0.08, tall))
    canvas.stamp(mask, colour)


def _fir(rng: Rng, x: float, root: float, tall: float) -> list[Point]:
    """The outline of one fir."""
    tiers = int(np.clip(tall / 9, 5, 14))
    half = tall * rng.uniform(0.17, 0.23)
    right, left = [], []
    for tier in range(tiers):
        low = (tier + 1) / tiers
        y = root - tall * (1 - low * 0.93)
        right += [(half * low**0.9 * rng.uniform(0.8, 1.05), y), (half * low**0.9 * 0.5, y - tall * 0.01)]
        left += [(-half * low**0.9 * rng.uniform(0.8, 1.05), y), (-half * low**0.9 * 0.5, y - tall * 0.01)]
    trunk = [
        (half * 0.09, root - tall * 0.07),
        (half * 0.09, root),
        (-half * 0.09, root),
        (-half * 0.09, root - tall * 0.07),
    ]
    outline = [(0.0, root - tall), *right[:-1], *trunk, *reversed(left[:-1])]
    return [(x + dx, y) for dx, y in outline]


def grass(canvas: Canvas, y: float, green: Array) -> None:
    """Tufts of blades in light and shade, larger and darker towards the lower edge."""
    for nearness in (0.0, 0.2, 0.45, 0.75, 1.0):
        mask = canvas.ink()
        size = canvas.unit * (0.012 + 0.035 * nearness)
        root = y + (canvas.height - y) * nearness + size * 0.4
        for x in canvas.rng.uniform(0, canvas.width, int(canvas.width / size * 4.5)):
            foot = root + canvas.rng.normal(0, (canvas.height - y) * 0.07)
            lean, tall = canvas.rng.normal(0, 0.35) * size, size * canvas.rng.uniform(0.5, 1.2)
            blade = np.array([(x - size * 0.05, foot), (x + size * 0.05, foot), (x + lean, foot - tall)])
            polygon(mask, blade)
        shade = green * (1.15 - 0.75 * nearness)
        canvas.wash(
            mask.astype(np.float32) / 255 * 0.55,
            mix(shade, canvas.palette.glow, 0.1 * (1 - nearness) * (1 - canvas.palette.darkness)),
        )


def flowers(canvas: Canvas, y: float) -> None:
    """Blossoms, denser at the sides, larger close by."""
    asked = canvas.palette.flowers
    hues = asked or [rgb(name) for name in ("#f7d44c", "#f08fb0", "#fdfdfd", "#b48be0", "#e8604c")]
    for hue in canvas.rng.permutation(len(hues))[:3]:
        mask = canvas.ink()
        for _ in range(130):
            nearness = canvas.rng.random()
            x = (canvas.rng.beta(0.55, 0.55)) * canvas.width
            size = canvas.unit * (0.0012 + 0.0042 * nearness**1.5) * canvas.rng.uniform(0.7, 1.3)
            centre = (x, y + (canvas.height - y) * nearness)
            ellipse(mask, centre, (size, size * 0.7))
        local = hues[hue] * canvas.palette.tint if asked else canvas.palette.lit(hues[hue])
        canvas.stamp(mask, mix(local, canvas.palette.haze, 0.05), 0.9)


def round_trees(canvas: Canvas, line: Array, size: float, colour: Array) -> None:
    """A few groups of leafy trees on `line`, lit from above."""
    dark, light = (canvas.ink() for _ in range(2))
    for group in canvas.rng.beta(0.6, 0.6, 5) * canvas.width:
        for x in group + canvas.rng.normal(0, size * 1.6, canvas.rng.integers(3, 8)):
            root = float(line[int(np.clip(x, 0, canvas.width - 1))])
            tall = size * canvas.rng.uniform(0.6, 1.1)
            for _ in range(7):
                at = (x + canvas.rng.normal(0, tall * 0.24), root - tall * canvas.rng.uniform(0.3, 0.85))
                dot(dark, at, tall * canvas.rng.uniform(0.2, 0.32))
                dot(light, (at[0], at[1] - tall * 0.12), tall * canvas.rng.uniform(0.08, 0.18))
            stroke(dark, [(x, root - tall * 0.4), (x, root + 1)], thickness=max(1, int(tall * 0.07)))
    body = dark.astype(np.float32) / 255
    canvas.wash(body, colour)
    canvas.wash(
        body * (light.astype(np.float32) / 255) * 0.35,
        mix(colour, canvas.palette.glow, 0.45 * (1 - canvas.palette.darkness * 0.8)),
    )
