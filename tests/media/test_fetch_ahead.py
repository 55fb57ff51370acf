"""Pictures that are fetched while an engine works: once, whoever reads them."""

import asyncio
from typing import cast

import pytest

from deployments.errors import FetchFailed
from deployments.media.egress import Egress
from deployments.media.fetch_ahead import FetchedAhead, at_hand, fetched_ahead, plain
from deployments.media.picture import Picture


class Web:
    """An egress that counts; each URL is `released` by the test, and those of `broken` cannot be had."""

    def __init__(self) -> None:
        self.fetched: list[str] = []
        self.cancelled: list[str] = []
        self.release = asyncio.Event()
        self.broken: set[str] = set()

    async def fetch(self, url: str, _max_bytes: int) -> bytes:
        self.fetched.append(url)
        try:
            await self.release.wait()
        except asyncio.CancelledError:
            self.cancelled.append(url)
            raise
        if url in self.broken:
            raise FetchFailed("it is away")
        return url.encode()


@pytest.fixture
def web() -> Web:
    return Web()


@pytest.fixture
def egress(web: Web) -> Egress:
    return cast(Egress, web)


ONE, TWO = Picture(url="https://one"), Picture(url="https://two", of_engine=True)
INLINE = Picture(data=b"inline")


async def test_each_is_fetched_once_whoever_reads_it(web: Web, egress: Egress) -> None:
    """By the engine, and for its manifest."""
    web.release.set()
    async with fetched_ahead([ONE, INLINE, TWO], egress, 100) as pictures:
        assert [(picture.url, picture.of_engine) for picture in pictures] == [
            ("https://one", False),
            (None, False),
            ("https://two", True),
        ]
        assert [await picture.read(egress, 100) for picture in pictures] == [b"https://one", b"inline", b"https://two"]
        assert await at_hand(pictures, 1) == [b"https://one", b"inline", b"https://two"]
    assert web.fetched == ["https://one", "https://two"]


async def test_an_engine_that_hands_on_the_link_waits_for_nothing(web: Web, egress: Egress) -> None:
    """What is not there in the end is given up."""
    async with fetched_ahead([ONE], egress, 100) as (picture,):
        await asyncio.sleep(0)
        assert await at_hand([picture], 0) == [None]
    assert web.cancelled == ["https://one"]


async def test_pictures_that_do_not_come_are_waited_for_together(web: Web, egress: Egress) -> None:
    """A hundred of them for as long as one; those that have come are not lost for it."""
    late = [Picture(url=f"https://{number}") for number in range(100)]
    async with fetched_ahead([INLINE, *late], egress, 100) as pictures, asyncio.timeout(5):
        assert await at_hand(pictures, 0.2) == [b"inline", *[None] * 100]
    web.release.set()
    async with fetched_ahead([INLINE, *late], egress, 100) as pictures:
        assert await at_hand(pictures, 30) == [b"inline", *[picture.url.encode() for picture in late if picture.url]]


async def test_what_cannot_be_had_is_told_to_who_reads_it(web: Web, egress: Egress) -> None:
    """To nobody else."""
    web.release.set()
    web.broken = {"https://one"}
    async with fetched_ahead([ONE], egress, 100) as (picture,):
        assert await at_hand([picture], 1) == [None]
        with pytest.raises(FetchFailed, match="it is away"):
            await picture.read(egress, 100)
    assert web.fetched == ["https://one"]


async def test_a_reader_that_gives_up_ends_no_fetch_of_others(web: Web, egress: Egress) -> None:
    """A verb may be cancelled, or time out."""
    async with fetched_ahead([ONE], egress, 100) as (picture,):
        reading = asyncio.create_task(picture.read(egress, 100))
        await asyncio.sleep(0)
        reading.cancel()
        await asyncio.sleep(0)
        web.release.set()
        assert await picture.read(egress, 100) == b"https://one"


async def test_it_leaves_its_process_as_a_plain_picture(egress: Egress) -> None:
    """It is the same picture to whoever compares."""
    async with fetched_ahead([ONE], egress, 100) as (picture,):
        assert isinstance(picture, FetchedAhead)
        assert plain(picture) == ONE
        assert type(plain(picture)) is Picture
    assert plain(INLINE) is INLINE
    assert await at_hand([FetchedAhead(url="https://one"), INLINE], 1) == [None, b"inline"]
