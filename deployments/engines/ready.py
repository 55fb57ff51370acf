"""Pictures made ready to be sent to a provider."""

import io

from PIL import Image

from deployments.media import images
from deployments.media.images import PictureLimits


def made_ready(data: bytes, limits: PictureLimits, longest_side: int | None) -> tuple[bytes, str]:
    """The picture upright, without its metadata (where a photo was taken is nobody's business), and its media type."""
    image = images.decode(data, limits, side=longest_side)
    if longest_side is not None:
        image.thumbnail((longest_side, longest_side), Image.Resampling.LANCZOS)
    if image.mode == "RGBA":
        return images.encode(image), "image/png"
    out = io.BytesIO()
    image.save(out, "JPEG", quality=95, subsampling=0)
    return out.getvalue(), "image/jpeg"
