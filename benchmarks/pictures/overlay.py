"""One overlay, from encoded pictures to an encoded PNG, by ours and by three libraries.

All of them cover the canvas with the background (bicubic, centred), scale the person, paste it through its
transparency, and compress as little as ours does.
"""

import io
from typing import NamedTuple

import cv2
import numpy as np
import pyvips
from PIL import Image, ImageOps

from deployments.media.compose import Placement
from deployments.media.images import PictureLimits
from deployments.media.results import overlay_result


class Overlay(NamedTuple):
    """What goes in. The person lies wholly on the canvas."""

    background: bytes
    person: bytes
    width: int
    height: int
    x: int
    y: int
    scale: float


def aige(job: Overlay) -> bytes:
    size, limits = (job.width, job.height), PictureLimits()
    return overlay_result(job.background, job.person, size, placement=Placement(job.x, job.y, job.scale), limits=limits)


def pillow(job: Overlay) -> bytes:
    background = Image.open(io.BytesIO(job.background)).convert("RGB")
    person = Image.open(io.BytesIO(job.person)).convert("RGBA")
    canvas = ImageOps.fit(background, (job.width, job.height), Image.Resampling.BICUBIC)
    size = round(person.width * job.scale), round(person.height * job.scale)
    scaled = person.resize(size, Image.Resampling.BICUBIC)
    canvas.paste(scaled, (job.x, job.y), scaled)
    out = io.BytesIO()
    canvas.save(out, "PNG", compress_level=1)
    return out.getvalue()


def opencv(job: Overlay) -> bytes:
    background = cv2.imdecode(np.frombuffer(job.background, np.uint8), cv2.IMREAD_COLOR)
    person = cv2.imdecode(np.frombuffer(job.person, np.uint8), cv2.IMREAD_UNCHANGED)
    assert background is not None
    assert person is not None
    cover = max(job.width / background.shape[1], job.height / background.shape[0])
    size = round(background.shape[1] * cover), round(background.shape[0] * cover)
    canvas = cv2.resize(background, size, interpolation=cv2.INTER_AREA if cover < 1 else cv2.INTER_CUBIC)
    top, left = (canvas.shape[0] - job.height) // 2, (canvas.shape[1] - job.width) // 2
    canvas = canvas[top : top + job.height, left : left + job.width]
    person = cv2.resize(person, None, fx=job.scale, fy=job.scale, interpolation=cv2.INTER_CUBIC)
    under = canvas[job.y : job.y + person.shape[0], job.x : job.x + person.shape[1]]
    alpha = person[..., 3:].astype(np.uint16)
    under[:] = (person[..., :3] * alpha + under * (255 - alpha)) // 255
    return cv2.imencode(".png", canvas, (cv2.IMWRITE_PNG_COMPRESSION, 1))[1].tobytes()


def libvips(job: Overlay) -> bytes:
    canvas = pyvips.Image.thumbnail_buffer(job.background, job.width, height=job.height, crop="centre")
    person = pyvips.Image.new_from_buffer(job.person, "").resize(job.scale, kernel="cubic")
    both = canvas.composite2(person, "over", x=job.x, y=job.y).flatten()
    encoded: bytes = both.pngsave_buffer(compression=1)
    return encoded
