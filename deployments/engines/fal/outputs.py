"""The picture in a model's result."""

import base64

from pydantic import JsonValue

from deployments.errors import ContentRejected, EngineError
from deployments.media.picture import Picture


def picture_in(result: JsonValue, output: str, setting: str) -> Picture:
    """The picture at the dotted path `output`: a URL, which is opened by whoever needs it, or the bytes of a data URI.

    Raises:
        ContentRejected: the model blackened it.
        EngineError: there is none.
    """
    if _at(result, "has_nsfw_concepts.0") is True:
        raise ContentRejected("The image model hid its picture as unsuitable: change the prompt or the pictures.")
    place = _at(result, output)
    if isinstance(place, str) and place.startswith(("https://", "http://")):
        return Picture(url=place, of_engine=True)
    if isinstance(place, str) and place.startswith("data:image/"):
        return Picture(data=_decoded(place))
    raise EngineError(
        f"The image model's result holds no picture at {output!r}: try again; if that does not help, the service's "
        f"operator has to check {setting}.output."
    )


def _at(value: JsonValue, path: str) -> JsonValue:
    """What stands at `path` in `value`; None where nothing does."""
    for part in path.split("."):
        if isinstance(value, dict):
            value = value.get(part)
        elif isinstance(value, list) and part.isdecimal() and int(part) < len(value):
            value = value[int(part)]
        else:
            return None
    return value


def _decoded(uri: str) -> bytes:
    try:
        return base64.b64decode(uri.partition(";base64,")[2], validate=True)
    except ValueError as error:  # binascii.Error is one
        raise EngineError("The image model returned something that is no usable picture; try again.") from error
