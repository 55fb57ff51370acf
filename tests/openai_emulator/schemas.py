"""What OpenAI's models take, as its reference says it: written apart from the product's table, to check it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

THREE_SIZES = frozenset({"1024x1024", "1536x1024", "1024x1536", "auto"})
GENERATION = frozenset({"model", "prompt", "n", "size", "quality", "background", "output_format", "moderation", "user"})
EDIT = GENERATION | {"input_fidelity"}


@dataclass(frozen=True)
class Schema:
    """`sizes`: a set of them, or None where any in multiples of 16 within bounds will do."""

    sizes: frozenset[str] | None = None
    transparent: bool = True
    most_images: int = 16


SCHEMAS = {
    "gpt-image-2.5-sunburst": Schema(),
    "gpt-image-2.5-flare": Schema(),
    "gpt-image-2": Schema(transparent=False),
    "gpt-image-1.5": Schema(THREE_SIZES),
    "gpt-image-1-mini": Schema(THREE_SIZES),
}


class Invalid(Exception):
    """A 400 with this code, about this parameter."""

    def __init__(self, message: str, param: str, code: str | None) -> None:
        super().__init__(message)
        error = {"message": message, "type": "invalid_request_error", "param": param, "code": code}
        self.body = {"error": error}


def check(fields: Mapping[str, object], images: int | None) -> None:
    """Refuses what the model named in `fields` does not take; `images` is None where it makes a picture of words alone.

    Raises:
        Invalid: as OpenAI says it.
    """
    known = GENERATION if images is None else EDIT
    for name in sorted(fields.keys() - known):
        raise Invalid(f"Unknown parameter: '{name}'.", name, "unknown_parameter")
    if not isinstance(fields.get("prompt"), str):
        raise Invalid("Missing required parameter: 'prompt'.", "prompt", "missing_required_parameter")
    schema = SCHEMAS[str(fields["model"])]
    if images is not None and not 1 <= images <= schema.most_images:
        raise Invalid(f"Invalid 'image': {images} images.", "image", "invalid_value")
    if fields.get("background") == "transparent" and not schema.transparent:
        raise Invalid("Transparent background is not supported for this model.", "background", "invalid_value")
    if not _has(schema, str(fields.get("size", "auto"))):
        raise Invalid(f"Invalid size '{fields['size']}'.", "size", "invalid_value")


def _has(schema: Schema, size: str) -> bool:
    if schema.sizes is not None:
        return size in schema.sizes
    if size == "auto":
        return True
    match = re.fullmatch(r"(\d+)x(\d+)", size)
    if match is None:
        return False
    short, long = sorted((int(match[1]), int(match[2])))
    shaped = short % 16 == long % 16 == 0 and long <= 3840 and long <= 3 * short
    return shaped and 655_360 <= short * long <= 8_294_400
