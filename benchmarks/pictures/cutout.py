"""One cut-out, from an encoded photo to an encoded PNG, by ours and by three libraries.

Theirs: one look of the same network at the whole photo, its mask as large as the photo, as transparency. Ours looks at
each person from nearby and finds the colours of soft edges, which is what the rest of its time is for.
"""

import io

import cv2
import numpy as np
import pyvips
from PIL import Image

from deployments.engines.local.cutout import cut_out_people
from deployments.engines.local.networks import person_segmenter
from deployments.engines.local.pixels import Matte, Rgb
from deployments.media import images


def aige(photo: bytes) -> bytes:
    return images.encode(cut_out_people(images.decode(photo, images.PictureLimits())))


def pillow(photo: bytes) -> bytes:
    image = Image.open(io.BytesIO(photo)).convert("RGB")
    mask = Image.fromarray((_segmented(np.asarray(image)) * 255).astype(np.uint8))
    image.putalpha(mask.resize(image.size, Image.Resampling.BILINEAR))
    out = io.BytesIO()
    image.save(out, "PNG", compress_level=1)
    return out.getvalue()


def opencv(photo: bytes) -> bytes:
    image = cv2.imdecode(np.frombuffer(photo, np.uint8), cv2.IMREAD_COLOR)
    assert image is not None
    mask = _segmented(np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2RGB), np.uint8))
    large = cv2.resize((mask * 255).astype(np.uint8), (image.shape[1], image.shape[0]))
    cut = np.dstack([image, large])
    return cv2.imencode(".png", cut, (cv2.IMWRITE_PNG_COMPRESSION, 1))[1].tobytes()


def libvips(photo: bytes) -> bytes:
    image = pyvips.Image.new_from_buffer(photo, "")
    mask = pyvips.Image.new_from_array((_segmented(image.numpy()) * 255).astype(np.uint8))
    large = mask.resize(image.width / mask.width, vscale=image.height / mask.height, kernel="linear")
    encoded: bytes = image.bandjoin(large.cast("uchar")).pngsave_buffer(compression=1)
    return encoded


def _segmented(photo: Rgb) -> Matte:
    (mask,) = person_segmenter().run(photo)
    return np.asarray(mask.squeeze(), np.float32)
