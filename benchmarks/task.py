"""The task that every system does: three stages, of which the first two take no time (or as long as the prompt says).

Every system gets the same request body, makes the same picture, and PUTs it to the same sink.
"""

import io
import json

from PIL import Image

HOLD = "hold "
"""A prompt that starts so names, after it, the seconds that the image model takes; any other model takes none."""


def prompt(hold_s: float = 0) -> str:
    """A prompt for a model that takes `hold_s` seconds."""
    return f"{HOLD}{hold_s:g}" if hold_s else "a portrait"


def hold_s(text: str) -> float:
    """The seconds that a prompt asks of the model."""
    return float(text.removeprefix(HOLD)) if text.startswith(HOLD) else 0.0


def body(write_url: str, photo_url: str, hold_s: float = 0, webhook_url: str | None = None) -> bytes:
    """A request as all systems take it (JSON); with `webhook_url`, only ours."""
    fields: dict[str, object] = {
        "prompt": prompt(hold_s),
        "source_images": [photo_url],
        "aspect_ratio": "1:1",
        "avatar_id": "a-1",
        "writeUrl": write_url,
        "readUrl": write_url,
    }
    if webhook_url is not None:
        fields["webhookUrl"] = webhook_url
    return json.dumps(fields).encode()


def picture() -> bytes:
    """What the model makes: a PNG of 8x8 pixels, the left half of it transparent."""
    image = Image.new("RGBA", (8, 8), (200, 80, 60, 255))
    image.paste((0, 0, 0, 0), (0, 0, 4, 8))
    out = io.BytesIO()
    image.save(out, "PNG")
    return out.getvalue()
