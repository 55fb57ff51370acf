"""What fal's models take and give, as their pages say it: written apart from the product's table, to check it."""

from dataclasses import dataclass, field

RATIOS = {"1:1": (64, 64), "16:9": (128, 72), "9:16": (72, 128), "3:4": (96, 128), "4:3": (128, 96)}
"""Pictures come out an order of magnitude smaller than fal's; their shapes are right."""

SIZES = {
    "square_hd": (64, 64),
    "square": (32, 32),
    "portrait_4_3": (48, 64),
    "portrait_16_9": (36, 64),
    "landscape_4_3": (64, 48),
    "landscape_16_9": (64, 36),
}


@dataclass(frozen=True)
class Schema:
    """`one` and `many` name the fields for a picture's URL, or a list of them; `output` is `images` or `image`."""

    one: str | None = None
    many: str | None = None
    most: int = 1
    size: str | None = None
    prompt: bool = True
    options: frozenset[str] = field(default_factory=frozenset)
    output: str = "images"

    @property
    def required(self) -> frozenset[str]:
        names = {self.one, self.many, "prompt" if self.prompt else None}
        return frozenset(name for name in names if name is not None)

    @property
    def fields(self) -> frozenset[str]:
        return self.required | self.options | (frozenset({self.size}) if self.size else frozenset())


_SEED = frozenset({"seed"})
_FORMAT = frozenset({"seed", "output_format"})

SCHEMAS: dict[str, Schema] = {
    "fal-ai/nano-banana-2/edit": Schema(
        many="image_urls", most=14, size="aspect_ratio", options=_SEED | {"resolution"}
    ),
    "fal-ai/nano-banana-2": Schema(size="aspect_ratio", options=_SEED | {"resolution"}),
    "fal-ai/nano-banana-pro/edit": Schema(
        many="image_urls", most=14, size="aspect_ratio", options=_SEED | {"resolution"}
    ),
    "fal-ai/flux-pulid": Schema(one="reference_image_url", size="image_size", options=_SEED | {"id_weight"}),
    "fal-ai/instant-character": Schema(one="image_url", size="image_size", options=_SEED | {"scale"}),
    "fal-ai/flux-pro/kontext": Schema(one="image_url", size="aspect_ratio", options=_FORMAT),
    "fal-ai/flux-pro/kontext/multi": Schema(many="image_urls", most=10, size="aspect_ratio", options=_FORMAT),
    "fal-ai/minimax/image-01/subject-reference": Schema(one="image_url", size="aspect_ratio"),
    "fal-ai/bytedance/seedream/v4/edit": Schema(many="image_urls", most=10, size="image_size", options=_SEED),
    "fal-ai/flux-2/edit": Schema(many="image_urls", most=4, size="image_size", options=_SEED),
    "fal-ai/flux/schnell": Schema(size="image_size", options=_FORMAT | {"num_inference_steps"}),
    "fal-ai/flux/dev": Schema(size="image_size", options=_FORMAT | {"num_inference_steps"}),
    "fal-ai/flux/dev/image-to-image": Schema(one="image_url", options=_FORMAT | {"strength"}),
    "fal-ai/iclight-v2": Schema(one="image_url", size="image_size", options=_SEED | {"mask_image_url"}),
    "fal-ai/birefnet/v2": Schema(
        one="image_url", prompt=False, options=frozenset({"model", "output_mask"}), output="image"
    ),
    "fal-ai/bria/background/remove": Schema(one="image_url", prompt=False, output="image"),
    "fal-ai/imageutils/rembg": Schema(
        one="image_url", prompt=False, options=frozenset({"crop_to_bbox"}), output="image"
    ),
}


def openapi(endpoint: str) -> dict[str, object]:
    """The public schema document of a model, in the shape of fal's."""
    schema = SCHEMAS[endpoint]
    taken = {name: {"type": "string"} for name in sorted(schema.fields)}
    return {
        "openapi": "3.0.4",
        "paths": {
            f"/{endpoint}/requests/{{request_id}}/status": {"get": {"responses": {"200": {}}}},
            f"/{endpoint}/requests/{{request_id}}": {"get": {"responses": {"200": _json_of("Output")}}},
            f"/{endpoint}": {"post": {"requestBody": _json_of("Input"), "responses": {"200": {}}}},
        },
        "components": {
            "schemas": {
                "Input": {"type": "object", "properties": taken, "required": sorted(schema.required)},
                "Output": {"type": "object", "properties": {schema.output: {}}},
            }
        },
    }


def _json_of(name: str) -> dict[str, object]:
    return {"content": {"application/json": {"schema": {"$ref": f"#/components/schemas/{name}"}}}}
