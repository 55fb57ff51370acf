"""What the peers' tasks do: the same as ours, with the same pictures and the same sink.

They upload with what costs the least: aiohttp, as we do, and urllib3 where the peer's tasks are not asynchronous.
"""

import asyncio
import time
from functools import cache
from http import HTTPStatus
from typing import Annotated

import aiohttp
import urllib3
from pydantic import BaseModel, Field

from benchmarks import task

PICTURE = task.picture()
HEADERS = {"Content-Type": "image/png"}
_pool = urllib3.PoolManager(maxsize=64)


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


async def upload(url: str, picture: bytes) -> None:
    async with _session(asyncio.get_running_loop()).put(url, data=picture, headers=HEADERS) as response:
        response.raise_for_status()


@cache
def _session(_loop: asyncio.AbstractEventLoop) -> aiohttp.ClientSession:
    return aiohttp.ClientSession()


def generate_sync(prompt: str) -> bytes:
    time.sleep(task.hold_s(prompt))
    return PICTURE


def upload_sync(url: str, picture: bytes) -> None:
    response = _pool.request("PUT", url, body=picture, headers=HEADERS)
    if response.status != HTTPStatus.OK:
        raise RuntimeError(f"the sink answered {response.status}")
