"""`POST /verify`: what a picture's content credentials say."""

from fastapi import APIRouter, Request

from deployments.api.answers import VerifyResponse
from deployments.api.json_body import while_it_comes
from deployments.api.openapi import problems_of
from deployments.errors import BodyTooLarge, InvalidRequest
from deployments.media.images import sniff
from deployments.media.provenance.manifests import Manifests

_PICTURE = {"schema": {"type": "string", "format": "binary"}}
_BODY = {"required": True, "content": dict.fromkeys(("image/png", "image/jpeg", "image/webp"), _PICTURE)}


def verify_routes(manifests: Manifests, max_bytes: int) -> APIRouter:
    """The router of `/verify`, for pictures of at most `max_bytes`."""
    router = APIRouter(tags=["service"])

    @router.post("/verify", responses=problems_of(400, 401, 413, 503), openapi_extra={"requestBody": _BODY})
    async def what_a_picture_says(request: Request) -> VerifyResponse:
        """What the content credentials in a PNG, JPEG or WebP say. Its bytes are the body, of whatever content type.

        Credentials are read from the file alone: none are fetched, whatever address the picture names.
        """
        data = await _body(request, max_bytes)
        if sniff(data) is None:
            raise InvalidRequest("The body is no PNG, JPEG or WebP: send the picture's bytes as they are.", ("body",))
        return VerifyResponse.of(await manifests.report(data))

    return router


async def _body(request: Request, max_bytes: int) -> bytes:
    """The body.

    Raises:
        BodyTooLarge: it is larger than `max_bytes`.
        InvalidRequest: it breaks off.
    """
    data = bytearray()
    with while_it_comes():
        async for piece in request.stream():
            data += piece
            if len(data) > max_bytes:
                raise BodyTooLarge(f"The picture is larger than the {max_bytes:,} bytes that this server takes.")
    return bytes(data)
