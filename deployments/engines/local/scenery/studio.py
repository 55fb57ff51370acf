"""Indoor scenes."""

import cv2
import numpy as np

from deployments.engines.local.scenery.canvas import Canvas
from deployments.engines.local.scenery.fields import Array, mix, noise, smoothstep
from deployments.engines.local.scenery.ink import dot, ellipse
from deployments.engines.local.scenery.lamps import bloom
from deployments.engines.local.scenery.palette import rgb
from deployments.engines.local.scenery.sky import glow

_PAPERS = ("#8fa3b5", "#b3a698", "#7f93a3", "#a39bb0", "#9aa894")


def paint_studio(canvas: Canvas) -> None:
    """Seamless paper, lit behind the person and from one side, that curves into the floor."""
    paper = canvas.palette.land if canvas.palette.land is not None else rgb(_PAPERS[canvas.rng.integers(len(_PAPERS))])
    paper = paper * mix(canvas.palette.tint, rgb("white"), 0.45)
    if canvas.palette.neon:
        _neon_paper(canvas)
        return
    canvas.pixels[:] = paper * 0.62
    side = canvas.rng.uniform(-0.14, 0.14)
    glow(
        canvas,
        (canvas.width * (0.5 + side), canvas.height * 0.4),
        canvas.unit * 0.46,
        mix(paper, rgb("white"), 0.35) * 0.72,
    )
    _floor(canvas, paper)
    cloth = noise(canvas.rng, canvas.pixels.shape[:2], (canvas.unit / 3.2, canvas.unit / 3.8), 5) - 0.5
    canvas.shade(1 + cloth * 0.13)
    _vignette(canvas, 0.34)


def _neon_paper(canvas: Canvas) -> None:
    """A dark wall, lit from either side by a neon tube that stands before it."""
    canvas.pixels[:] = rgb("#0d0b14")
    tubes = np.zeros_like(canvas.pixels)
    for number, side in enumerate((canvas.sun_side, -canvas.sun_side)):
        hue = canvas.palette.neon[number % len(canvas.palette.neon)]
        at = canvas.width * (0.5 + 0.38 * side)
        glow(canvas, (at, canvas.height * 0.45), canvas.unit * 0.4, hue * 0.6)
        half = canvas.unit * 0.006
        tubes[round(canvas.height * 0.12) : round(canvas.height * 0.8), round(at - half) : round(at + half)] = hue
    _floor(canvas, rgb("#2a2536"))
    shining = tubes.any(axis=2)
    canvas.pixels[shining] = mix(tubes[shining], rgb("white"), 0.45)
    bloom(canvas, tubes, 2.0)
    _vignette(canvas, 0.3)


def paint_office(canvas: Canvas) -> None:
    """A bright room with large windows, far out of focus."""
    wall = canvas.palette.lit(rgb("#d9d3ca"))
    canvas.pixels[:] = mix(wall, wall * 0.8, np.linspace(0, 1, canvas.height, dtype=np.float32)[:, None, None])
    _windows(canvas)
    _furniture(canvas)
    _blur(canvas, canvas.unit / 70)
    _lamps(canvas)
    _vignette(canvas, 0.25)


def _floor(canvas: Canvas, paper: Array) -> None:
    """A shade where the paper bends, then the floor."""
    rows = canvas.rows() / canvas.height
    bend = np.exp(-(((rows - 0.8) / 0.09) ** 2)) * 0.12
    floor = smoothstep(0.78, 0.98, rows) * 0.13
    canvas.shade((1 - bend).astype(np.float32))
    canvas.wash(np.broadcast_to(floor, canvas.pixels.shape[:2]).astype(np.float32), mix(paper, rgb("white"), 0.25))


def _blur(canvas: Canvas, radius: float) -> None:
    """Puts all that is painted out of focus; worked out on every fourth pixel, which nobody can tell."""
    coarse = cv2.resize(canvas.pixels, (canvas.width // 4, canvas.height // 4), interpolation=cv2.INTER_AREA)
    soft = cv2.GaussianBlur(coarse, (0, 0), radius / 4)
    canvas.pixels[:] = cv2.resize(soft, (canvas.width, canvas.height), interpolation=cv2.INTER_CUBIC)


def _vignette(canvas: Canvas, strength: float) -> None:
    x = (canvas.columns[None] / canvas.width - 0.5) * 1.25
    y = (canvas.rows() / canvas.height - 0.46) * 1.15
    canvas.shade(1 - strength * smoothstep(0.25, 1.0, np.hypot(x, y)))


def _windows(canvas: Canvas) -> None:
    """A wall of panes with sky and vague towers behind."""
    rng, palette = canvas.rng, canvas.palette
    top, sill = round(canvas.height * 0.07), round(canvas.height * 0.66)
    step, frame = canvas.unit * 0.27, canvas.unit * 0.018
    view = mix(palette.sky[1], palette.sky[-1], np.linspace(0, 1, sill - top, dtype=np.float32)[:, None, None])
    for x in np.arange(-step * rng.random(), canvas.width, step).tolist():
        panes = canvas.pixels[top:sill, max(0, round(x + frame)) : max(0, round(x + step - frame))]
        panes[:] = view
        for left in (rng.uniform(-0.1, 1.0, 3) * step).tolist():
            roof = round((sill - top) * rng.uniform(0.35, 0.8))
            panes[roof:, max(0, round(left)) : max(0, round(left + step * 0.3))] = palette.seen(
                rgb("#7f8fa6"), rng.uniform(0.35, 0.7)
            )
    glow(canvas, (canvas.width * 0.5, (top + sill) / 2), canvas.unit * 0.4, palette.sky[-1] * 0.3)


def _furniture(canvas: Canvas) -> None:
    """A long desk, screens, and plants at the sides."""
    rng, palette = canvas.rng, canvas.palette
    desk = round(canvas.height * 0.72)
    canvas.pixels[desk:] = palette.lit(rgb("#a98f78"))
    canvas.pixels[desk + round(canvas.height * 0.025) :] = palette.lit(rgb("#6f6258"))
    half, tall = round(canvas.unit * 0.07), round(canvas.unit * 0.09)
    for place in (0.16, 0.84):
        x = round(canvas.width * (place + rng.uniform(-0.04, 0.04)))
        canvas.pixels[desk - tall : desk - tall // 5, max(0, x - half) : x + half] = palette.lit(rgb("#3b4350"))
    leaves = canvas.ink()
    for place in np.repeat((0.03, 0.97), 16).tolist():
        at = (canvas.width * place + rng.normal(0, canvas.unit * 0.04), desk - rng.random() * canvas.unit * 0.3)
        ellipse(leaves, at, (canvas.unit * 0.05, canvas.unit * 0.014), angle=rng.uniform(0, 180))
    canvas.stamp(leaves, palette.lit(rgb("#4f7a52")), 0.85)


def _lamps(canvas: Canvas) -> None:
    """Discs of light, as a wide-open lens makes them of lamps."""
    for _ in range(9):
        disc = canvas.ink()
        centre = (canvas.rng.random() * canvas.width, canvas.height * canvas.rng.uniform(0.02, 0.5))
        dot(disc, centre, canvas.unit * canvas.rng.uniform(0.014, 0.03))
        canvas.lighten(disc / np.float32(255), rgb("#ffb066") * (0.08 + 0.16 * canvas.palette.darkness))
