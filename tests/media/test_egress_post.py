"""One POST through the guard, as webhooks need it."""

import asyncio

import pytest

from deployments.media.destinations import NoAnswer, Refused
from deployments.media.egress import BodyToSkip, Egress
from tests.media.internet import Internet

HEADERS = {"webhook-id": "1", "Content-Type": "application/json"}


async def post(egress: Egress, url: str, *, seconds: float = 30, read_bytes: int = 1000, read_s: float = 30) -> int:
    return await egress.post(url, b"{}", HEADERS, seconds=seconds, read=BodyToSkip(read_bytes, read_s))


async def test_it_is_sent_as_it_is(egress: Egress, internet: Internet) -> None:
    """Method, body and headers; the status comes back, whatever it is."""
    internet.web.answers += [(201, ""), (503, "Retry-After: 1")]
    assert [await post(egress, internet.url("/hook?a=b")) for _ in range(3)] == [201, 503, 200]
    asked = internet.web.asked[0]
    assert (asked.method, asked.path, asked.query, asked.body) == ("POST", "/hook", {"a": "b"}, b"{}")
    assert (asked.headers["webhook-id"], asked.headers["content-type"]) == ("1", "application/json")


async def test_redirects_are_not_followed(egress: Egress, internet: Internet) -> None:
    """Wherever they lead."""
    assert await post(egress, internet.url("/redirects?to=/hook")) == 302
    assert await post(egress, internet.url("/redirects?to=http://127.0.0.1/")) == 302
    assert len(internet.web.asked) == 2


@pytest.mark.parametrize("url", ["http://127.0.0.1/", "http://10.0.0.1/", "http://localhost/", "ftp://host.example/"])
async def test_forbidden_addresses_are_refused(egress: Egress, url: str) -> None:
    """As written."""
    with pytest.raises(Refused):
        await post(egress, url)


async def test_what_is_forbidden_as_written_is_not_sent(egress: Egress, internet: Internet) -> None:
    """Though the host is public."""
    url = internet.url("/hook")
    for forbidden in (url.replace("://", "://user:secret@"), f"{url} x"):
        with pytest.raises(Refused):
            await post(egress, forbidden)
    assert (internet.dialled, internet.web.asked) == ([], [])
    assert await post(egress, url) == 200


async def test_a_name_that_leads_inside_is_refused(egress: Egress, internet: Internet) -> None:
    """When it is opened; nothing is sent."""
    internet.names["inside.example"] = [["10.0.0.1"]]
    with pytest.raises(Refused, match="the URL leads to no public internet host"):
        await post(egress, "http://inside.example/hook")
    assert internet.dialled == []


async def test_who_does_not_answer_in_time_is_given_up(egress: Egress, internet: Internet) -> None:
    """From the lookup to the status."""
    with pytest.raises(TimeoutError):
        await post(egress, internet.url("/hangs"), seconds=0.05)
    internet.stuck = 2
    with pytest.raises(TimeoutError):
        await post(egress, internet.url("/hook"), seconds=0.05)


@pytest.mark.parametrize("path", ["/closes", "/resets", "/no_http"])
async def test_without_an_answer_it_is_an_error(egress: Egress, internet: Internet, path: str) -> None:
    """One kind, whatever went wrong."""
    with pytest.raises(NoAnswer):
        await post(egress, internet.url(path))


@pytest.mark.parametrize(
    "path", ["/endless", "/drips", "/hangs_midway", "/breaks_off", "/breaks_a_chunk", "/compressed"]
)
async def test_a_body_that_nobody_wants_does_no_harm(egress: Egress, internet: Internet, path: str) -> None:
    """It is read as far as allowed, in the time that is left, and nothing of it is unpacked."""
    async with asyncio.timeout(20):
        assert await post(egress, internet.url(path), read_s=0.05 if path in {"/drips", "/hangs_midway"} else 30) == 200


async def test_the_time_for_an_answer_ends_with_its_status(egress: Egress, internet: Internet) -> None:
    """A body that takes longer makes no failure of it."""
    assert await post(egress, internet.url("/drips"), seconds=0.5, read_s=0.8) == 200


async def test_a_connection_is_used_again(egress: Egress, internet: Internet) -> None:
    """Where the answer was read to its end."""
    for _ in range(3):
        await post(egress, internet.url("/hook"))
    assert len(internet.dialled) == 1


async def test_a_connection_that_the_server_has_closed_is_not_the_receivers_fault(
    egress: Egress, internet: Internet
) -> None:
    """Nothing was sent on it, so another one is opened."""
    for _ in range(3):
        assert await post(egress, internet.url("/compressed")) == 200
    assert len(internet.dialled) == len(internet.web.asked) == 3


async def test_a_long_answer_costs_the_connection(egress: Egress, internet: Internet) -> None:
    """Rather than to read it all."""
    for _ in range(2):
        await post(egress, internet.url("/endless"))
    assert len(internet.dialled) == 2
