"""The table of fal's models: for each, how it takes pictures and a size, and where its result stands.

From fal's model pages, November 2026; `make check-models` asks fal whether it still holds. Any other model can be
described by the same fields in `serve_config.yaml`.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, JsonValue, model_validator

from deployments.media.sizes import AspectRatio, CanvasSize, Size


class Model(BaseModel):
    """One endpoint of fal. `most_images` counts for `images: many`; `output` is a dotted path into the result."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    endpoint: str = Field(pattern=r"^[\w.-]+(/[\w.-]+)+$")
    images: Literal["one", "many", "none"]
    image_field: str | None = None
    most_images: int = Field(default=8, ge=1)
    size: Literal["aspect_ratio", "image_size", "none"] = "none"
    parameters: dict[str, JsonValue] = {}
    output: str = "images.0.url"

    @model_validator(mode="after")
    def _names_its_image_field(self) -> Self:
        if (self.images == "none") != (self.image_field is None):
            raise ValueError("`image_field` is needed where a model takes images, and only there")
        return self

    @property
    def images_taken(self) -> int:
        """How many pictures one request may hold."""
        return {"none": 0, "one": 1, "many": self.most_images}[self.images]

    def arguments(self, prompt: str | None, size: Size | None, image_urls: Sequence[str]) -> dict[str, JsonValue]:
        """What to send: the fixed parameters, and what is given here, each in the model's own field."""
        arguments: dict[str, JsonValue] = dict(self.parameters)
        if prompt is not None:
            arguments["prompt"] = prompt
        if size is not None and self.size != "none":
            arguments[self.size] = _SIZE_IN[self.size](size)
        if self.image_field is not None:
            arguments[self.image_field] = image_urls[0] if self.images == "one" else list(image_urls)
        return arguments


def aspect_ratio_of(size: Size) -> str:
    """The ratio that is nearest in shape to `size`."""
    shape = math.log(size[0] / size[1])
    return min(AspectRatio, key=lambda ratio: abs(math.log(ratio.quotient) - shape)).value


def image_size_of(size: Size) -> JsonValue:
    """The preset that has exactly the pixels of `size`, else these pixels themselves."""
    preset = next((preset for preset in CanvasSize if preset.pixels == size), None)
    return preset.value if preset else {"width": size[0], "height": size[1]}


_SIZE_IN = {"aspect_ratio": aspect_ratio_of, "image_size": image_size_of}


def _editor(endpoint: str, most_images: int, size: Literal["aspect_ratio", "image_size"], **fixed: JsonValue) -> Model:
    """A model that makes one picture of several and a prompt."""
    return Model(
        endpoint=endpoint,
        images="many",
        image_field="image_urls",
        most_images=most_images,
        size=size,
        parameters=fixed,
    )


def _of_one(
    endpoint: str,
    size: Literal["aspect_ratio", "image_size", "none"] = "none",
    *,
    image_field: str = "image_url",
    output: str = "images.0.url",
    **fixed: JsonValue,
) -> Model:
    """A model that takes one picture."""
    return Model(endpoint=endpoint, images="one", image_field=image_field, size=size, output=output, parameters=fixed)


_TABLE = (
    _editor("fal-ai/nano-banana-2/edit", 14, "aspect_ratio", resolution="1K"),
    _editor("fal-ai/nano-banana-pro/edit", 14, "aspect_ratio", resolution="1K"),
    _editor("fal-ai/flux-pro/kontext/multi", 8, "aspect_ratio", output_format="png"),
    _editor("fal-ai/bytedance/seedream/v4/edit", 10, "image_size"),
    _editor("fal-ai/flux-2/edit", 4, "image_size"),
    _of_one("fal-ai/flux-pro/kontext", "aspect_ratio", output_format="png"),
    _of_one("fal-ai/flux-pulid", "image_size", image_field="reference_image_url"),
    _of_one("fal-ai/instant-character", "image_size"),
    _of_one("fal-ai/minimax/image-01/subject-reference", "aspect_ratio"),
    _of_one("fal-ai/iclight-v2", "image_size"),
    # Its default of 0.95 repaints everything.
    _of_one("fal-ai/flux/dev/image-to-image", strength=0.3),
    _of_one("fal-ai/birefnet/v2", output="image.url", model="Portrait"),
    _of_one("fal-ai/bria/background/remove", output="image.url"),
    _of_one("fal-ai/imageutils/rembg", output="image.url"),
    Model(endpoint="fal-ai/nano-banana-2", images="none", size="aspect_ratio", parameters={"resolution": "1K"}),
    Model(endpoint="fal-ai/flux/schnell", images="none", size="image_size", parameters={"output_format": "png"}),
    Model(endpoint="fal-ai/flux/dev", images="none", size="image_size", parameters={"output_format": "png"}),
)

MODELS: Mapping[str, Model] = {model.endpoint: model for model in _TABLE}
