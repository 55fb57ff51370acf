"""What the peers' tasks do: the same as ours, with the same pictures and the same sink."""

import asyncio
import time
from typing import Annotated

import httpx
from pydantic import BaseModel, Field

from benchmarks import task

PICTURE = task.picture()
HEADERS = {"Content-Type": "image/png"}


class AvatarRequest(BaseModel):
    """The body of a request."""

    prompt: str
    source_images: Annotated[list[str], Field(min_length=1, max_length=8)]
    aspect_ratio: str = "1:1"
    avatar_id: str
    writeUrl: str  # noqa: N815 - as the API has it
    readUrl: str  # noqa: N815


async def generate(prompt: str) -> bytes:
    await asyncio.sleep(task.hold_s(prompt))
    return PICTURE


async def remove_background(picture: bytes) -> bytes:
    return picture


async def upload(client: httpx.AsyncClient, url: str, picture: bytes) -> None:
    (await client.put(url, content=picture, headers=HEADERS)).raise_for_status()


def generate_sync(prompt: str) -> bytes:
    time.sleep(task.hold_s(prompt))
    return PICTURE


def upload_sync(client: httpx.Client, url: str, picture: bytes) -> None:
    client.put(url, content=picture, headers=HEADERS).raise_for_status()
