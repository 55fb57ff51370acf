"""What a server answered to one call, in as few words as are needed. A call is synchronous: this is its receipt."""

import base64
from typing import Annotated, Self

import httpx
from pydantic import BaseModel, JsonValue, ValidationError, ValidatorFunctionWrapHandler, WrapValidator
from pydantic_core import from_json


class Lost(Exception):
    """Nobody knows what became of the call: its answer was lost, or is not the server's own."""


def _or_nothing(value: object, validate: ValidatorFunctionWrapHandler) -> object:
    try:
        return validate(value)
    except ValidationError:
        return None


_OrNothing = WrapValidator(_or_nothing)
"""On fields that nobody needs: whatever a server says there, the picture has been paid for."""


class _Error(BaseModel):
    """OpenAI's error object; other servers leave out most of it."""

    message: Annotated[str | None, _OrNothing] = None
    type: Annotated[str | None, _OrNothing] = None
    code: Annotated[str | int | None, _OrNothing] = None


class _Picture(BaseModel):
    b64_json: str | None = None
    url: str | None = None


class _Usage(BaseModel):
    total_tokens: int | None = None


class _Body(BaseModel):
    """Both kinds of answer; `detail` is FastAPI's word for an error, which vLLM-Omni says.

    One picture is asked for: only the first of `data` has to be one.
    """

    data: list[JsonValue] | None = None
    usage: Annotated[_Usage | None, _OrNothing] = None
    error: Annotated[_Error | str | None, _OrNothing] = None
    detail: JsonValue = None


class Answer(BaseModel):
    """The picture (its base64, or its URL), or the server's own error."""

    status: int
    model: str
    b64_json: str | None = None
    url: str | None = None
    tokens: int | None = None
    code: str = ""
    message: str = ""

    @classmethod
    def of(cls, response: httpx.Response, model: str) -> Self:
        """The answer in `response`.

        Raises:
            Lost: it is not the server's own: a gateway's page, say.
        """
        body = body_of(response)
        if response.is_success:
            if body is None:
                raise Lost("the answer cannot be read")
            picture = _first_of(body.data)
            tokens = body.usage.total_tokens if body.usage else None
            return cls(
                status=response.status_code, model=model, b64_json=picture.b64_json, url=picture.url, tokens=tokens
            )
        is_open = response.status_code == httpx.codes.REQUEST_TIMEOUT  # whether it took it
        if body is None or is_open or (error := _error_in(body)) is None:
            raise Lost(f"the answer is {response.status_code}, and not in the server's own words")
        code = str(error.code or error.type or "")
        return cls(status=response.status_code, model=model, code=code, message=(error.message or "")[:1000])

    @property
    def receipt(self) -> str:
        return self.model_dump_json(exclude_defaults=True)

    @property
    def picture(self) -> bytes | None:
        """The picture's bytes, if it came along in base64 that can be read."""
        if not self.b64_json:
            return None
        try:
            return base64.b64decode(self.b64_json.rpartition("base64,")[2], validate=True)
        except ValueError:  # binascii.Error is one
            return None


def _first_of(data: list[JsonValue] | None) -> _Picture:
    try:
        return _Picture.model_validate(data[0]) if data else _Picture()
    except ValidationError:
        raise Lost("the answer cannot be read") from None


def body_of(response: httpx.Response) -> _Body | None:
    """The body, where it is a JSON object of the API; None where it is not."""
    try:
        value = from_json(response.content)
        return _Body.model_validate(value) if isinstance(value, dict) else None
    except (ValueError, ValidationError):
        return None


def error_in(response: httpx.Response) -> _Error | None:
    """The server's own error, if that is what it answered."""
    body = body_of(response)
    return None if body is None else _error_in(body)


def _error_in(body: _Body) -> _Error | None:
    if isinstance(body.error, str):
        return _Error(message=body.error)
    if body.error is None and body.detail is not None:
        return _Error(message=str(body.detail))
    return body.error
