"""The bodies of the API's requests, as the caller writes them; its answers are in `deployments.api.answers`.

These rules need nothing but the body itself; `deployments.api.admission` applies those that need the settings.
Names stand as the API documents them, `writeUrl` and `readUrl` in camel case.
"""

import re
import unicodedata
from enum import StrEnum
from typing import Annotated, TypeVar

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, FiniteFloat

from deployments.media.sizes import AspectRatio, CanvasSize

PROMPT_CODE_POINTS = 4_000
AVATAR_ID_CHARACTERS = 128
SOURCE_IMAGES = 8
MAX_SCALE = 20


E = TypeVar("E", bound=StrEnum)


_NO_TEXT = re.compile("[\0\ud800-\udfff]")


def _unicode_text(value: str) -> str:
    if _NO_TEXT.search(value):
        raise ValueError("must not contain NUL characters or lone surrogates")
    return value


def _not_blank(value: str) -> str:
    if not value.strip():
        raise ValueError("must say something: it is only white space")
    return value


def _path_segment(value: str) -> str:
    if "/" in value or any(unicodedata.category(character) == "Cc" for character in value):
        raise ValueError("must not contain '/' or control characters")
    if value in {".", ".."}:
        raise ValueError("must not be '.' or '..': a URL cannot hold them as a part of its path")
    return value


def _null_means(default: E) -> BeforeValidator:
    kind: object = type(default) | None
    return BeforeValidator(lambda value: default if value is None else value, json_schema_input_type=kind)


Text = Annotated[str, AfterValidator(_unicode_text)]
# The patterns only document what the validators check: their own messages say better what is wrong.
Prompt = Annotated[
    Text,
    Field(max_length=PROMPT_CODE_POINTS, json_schema_extra={"pattern": r"[^\s\u001c-\u001f\u0085]"}),
    AfterValidator(_not_blank),
]
AvatarId = Annotated[
    Text,
    Field(
        min_length=1,
        max_length=AVATAR_ID_CHARACTERS,
        json_schema_extra={"pattern": r"^(?!\.{1,2}$)[^/\u0000-\u001f\u007f-\u009f]+$"},
    ),
    AfterValidator(_path_segment),
]
Url = Annotated[Text, Field(description="An http(s) URL.")]
# Not strict: an enum comes as a string in JSON, and strict mode would want a member of it.
Ratio = Annotated[AspectRatio, Field(strict=False), _null_means(AspectRatio.SQUARE)]
Canvas = Annotated[CanvasSize, Field(strict=False), _null_means(CanvasSize.LANDSCAPE_16_9)]


class _Request(BaseModel):
    # Strict: a number in quotes or a boolean is not a number. Unknown fields are ignored.
    model_config = ConfigDict(strict=True, frozen=True)


class _Submission(_Request):
    """What all three writing routes take."""

    prompt: Prompt
    avatar_id: AvatarId
    writeUrl: Annotated[Text, Field(description="A pre-signed URL that takes one PUT of the result.")]  # noqa: N815
    readUrl: Annotated[Text, Field(description="The URL at which the result can be read.")]  # noqa: N815
    webhookUrl: Annotated[  # noqa: N815
        Text | None,
        Field(description="An http(s) URL that is told of the task's end, by a signed POST: see docs/webhooks.md."),
    ] = None


class AvatarRequest(_Submission):
    """Make a cut-out avatar of the person in the photos."""

    source_images: list[
        Annotated[
            Text,
            Field(
                description="An http(s) URL, a data:image/...;base64, URI, or bare base64. "
                "In base64, white space is ignored, padding may be missing, and both alphabets are read."
            ),
        ]
    ] = Field(min_length=1, max_length=SOURCE_IMAGES)
    aspect_ratio: Ratio = AspectRatio.SQUARE


class BackgroundRequest(_Submission):
    """Make a background from the prompt."""

    aspect_ratio: Ratio = AspectRatio.SQUARE


class Position(_Request):
    """Where the person image's top-left corner goes, in pixels of the output canvas, and how it is scaled."""

    x: FiniteFloat
    y: FiniteFloat
    scale: Annotated[FiniteFloat, Field(gt=0, le=MAX_SCALE)]


class OverlayParams(_Request):
    """The two pictures and the position."""

    person: Url
    background: Url
    position: Position


class OverlayRequest(_Submission):
    """Put the person on the background."""

    aspect_ratio: Canvas = CanvasSize.LANDSCAPE_16_9
    params: OverlayParams


class PresignRequest(_Request):
    """Fresh URLs for the object `key`, or for a new one."""

    key: Annotated[Text, Field(json_schema_extra={"pattern": "^[0-9a-f]{32}$"})] | None = None
