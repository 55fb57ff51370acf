"""The table of models that speak OpenAI's images API: for each, how it takes pictures and sizes, and what it gives.

From OpenAI's model pages, November 2026. Any other model can be described by the same fields in `serve_config.yaml`.
"""

import math
from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from deployments.media.sizes import Size

_STEP = 16
_FEWEST_PIXELS, _MOST_PIXELS = 655_360, 8_294_400
_LONGEST_SIDE = 3840
_SHAPE_TOLERANCE = 0.01

WrittenSize = Annotated[str, Field(pattern=r"^[1-9][0-9]{1,4}x[1-9][0-9]{1,4}$")]


class Model(BaseModel):
    """One model. `most_images` counts where `images` are many; `parameters` are sent as they are.

    `sizes`: any, multiples of sixteen as OpenAI bounds them, a list of `1024x1024` and so on, or none, where no size is
    sent. `transparent`: whether it takes `background: transparent`. `response_format` is sent only where it is set.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    model: str = Field(min_length=1)
    images: Literal["one", "many"] = "many"
    image_field: str = "image[]"
    most_images: int = Field(default=16, ge=1)
    sizes: Literal["any", "sixteenths", "none"] | Annotated[tuple[WrittenSize, ...], Field(min_length=1)] = "any"
    transparent: bool = False
    response_format: Literal["b64_json", "url"] | None = None
    parameters: dict[str, JsonValue] = {}

    @property
    def images_taken(self) -> int:
        """How many pictures one request may hold."""
        return 1 if self.images == "one" else self.most_images

    def size_for(self, wanted: Size) -> str | None:
        """The size to ask for, the nearest in shape that the model has; None where no size is sent."""
        match self.sizes:
            case "none":
                return None
            case "any":
                return _written(wanted)
            case "sixteenths":
                return _written(_in_sixteenths(wanted))
        return min(self.sizes, key=lambda size: (_shape_error(_read(size), wanted), _area_error(_read(size), wanted)))


def _in_sixteenths(wanted: Size) -> Size:
    """Of OpenAI's sizes in the wanted shape, the nearest in area; of those in no such shape, the nearest in shape."""
    widths = range(_STEP, _LONGEST_SIDE + 1, _STEP)
    heights = [max(1, round(width * wanted[1] / wanted[0] / _STEP)) * _STEP for width in widths]
    sizes = [size for size in zip(widths, heights, strict=True) if _is_allowed(size)]
    if not sizes:  # longer than the model's longest shape
        return (1536, 512) if wanted[0] > wanted[1] else (512, 1536)
    shaped = [size for size in sizes if _shape_error(size, wanted) <= _SHAPE_TOLERANCE]
    if shaped:
        return min(shaped, key=lambda size: _area_error(size, wanted))
    return min(sizes, key=lambda size: _shape_error(size, wanted))


def _is_allowed(size: Size) -> bool:
    short, long = sorted(size)
    return long <= _LONGEST_SIDE and long <= 3 * short and _FEWEST_PIXELS <= short * long <= _MOST_PIXELS


def _shape_error(size: Size, wanted: Size) -> float:
    return abs(math.log(size[0] / size[1] * wanted[1] / wanted[0]))


def _area_error(size: Size, wanted: Size) -> float:
    return abs(math.log(size[0] * size[1] / (wanted[0] * wanted[1])))


def _written(size: Size) -> str:
    return f"{size[0]}x{size[1]}"


def _read(size: str) -> Size:
    width, _, height = size.partition("x")
    return int(width), int(height)


_THREE_SIZES = ("1024x1024", "1536x1024", "1024x1536")

_TABLE = (
    Model(model="gpt-image-2.5-sunburst", sizes="sixteenths", transparent=True),
    Model(model="gpt-image-2.5-flare", sizes="sixteenths", transparent=True),
    Model(model="gpt-image-2", sizes="sixteenths"),  # its transparent backgrounds are a preview
    Model(model="gpt-image-1.5", sizes=_THREE_SIZES, transparent=True),
    Model(model="gpt-image-1-mini", sizes=_THREE_SIZES, transparent=True),
)

MODELS: Mapping[str, Model] = {model.model: model for model in _TABLE}
