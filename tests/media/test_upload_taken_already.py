"""A store that takes no second PUT has the picture if that is what it holds: the answer to the first one was lost."""

import pytest

from deployments.errors import UploadFailed
from deployments.media.egress import Egress
from deployments.media.upload import upload
from tests.faults.web import PICTURE, TAKEN_IN_SILENCE
from tests.media.internet import Internet
from tests.media.provenance.files import picture, signed
from tests.media.uploading import SIGNED, Clock

URLS = ("/put?signature=secret", "/put")


async def sent(egress: Egress, internet: Internet) -> None:
    write, read = URLS
    await upload(egress, internet.url(write), PICTURE, read_url=internet.url(read), deadline=5.0)


@pytest.mark.parametrize("refusal", [409, 412, 400, 403, 404, 410])
async def test_it_refuses_the_second(egress: Egress, internet: Internet, refusal: int) -> None:
    """By a conflict (Azure, GCS), by "already exists" (Supabase's 400), or since its URL was good for once."""
    internet.web.answers = [(TAKEN_IN_SILENCE, ""), (refusal, "")]
    await sent(egress, internet)
    assert [asked.method for asked in internet.web.asked] == ["PUT", "PUT", "GET"]


async def test_a_gateway_s_5xx_is_a_lost_answer_too(egress: Egress, internet: Internet) -> None:
    """Between it and the store, nobody knows."""
    internet.web.stored["/put"] = PICTURE
    internet.web.answers = [(504, ""), (400, "")]
    await sent(egress, internet)


@pytest.mark.parametrize("refusal", [409, 412])
async def test_the_answer_was_lost_on_a_process_that_died(egress: Egress, internet: Internet, refusal: int) -> None:
    """The next attempt's first PUT is the second one."""
    internet.web.stored["/put"] = PICTURE
    internet.web.answers = [(refusal, "")]
    await sent(egress, internet)


@pytest.mark.parametrize("found", [None, b"", PICTURE[:-1], PICTURE + b"!", PICTURE.swapcase()])
async def test_anything_else_there_is_a_refusal(egress: Egress, internet: Internet, found: bytes | None) -> None:
    """To the byte."""
    if found is not None:
        internet.web.stored["/put"] = found
    internet.web.answers = [(409, "")]
    with pytest.raises(UploadFailed, match="answered 409"):
        await sent(egress, internet)


@pytest.mark.parametrize("before", [[], [(429, "")]])
async def test_other_refusals_are_believed_where_no_answer_was_lost(
    egress: Egress, internet: Internet, before: list[tuple[int, str]]
) -> None:
    """Nobody looks what is there."""
    internet.web.stored["/put"] = PICTURE
    internet.web.answers = [*before, (403, "")]
    with pytest.raises(UploadFailed, match="answered 403"):
        await sent(egress, internet)
    assert {asked.method for asked in internet.web.asked} == {"PUT"}


async def test_a_connection_that_was_never_made_loses_no_answer(egress: Egress, internet: Internet) -> None:
    """So a refusal after it is believed."""
    internet.refused = 2
    internet.web.stored["/put"] = PICTURE
    internet.web.answers = [(403, "")]
    with pytest.raises(UploadFailed, match="answered 403"):
        await sent(egress, internet)


async def test_an_answer_lost_before_the_url_expired(egress: Egress, internet: Internet) -> None:
    """It is there all the same."""
    internet.web.answers = [(TAKEN_IN_SILENCE, "")]
    write, read = internet.url(SIGNED), internet.url("/put")
    await upload(egress, write, PICTURE, read_url=read, deadline=5.0, now=Clock(early=1))
    assert [asked.method for asked in internet.web.asked] == ["PUT", "GET"]


async def test_what_another_attempt_signed_is_the_same_picture(egress: Egress, internet: Internet) -> None:
    """The process died after its upload; no two signatures are alike."""
    first, second = signed(), signed()
    assert first != second
    internet.web.stored["/put"] = first
    internet.web.answers = [(412, "")]
    write, read = (internet.url(url) for url in URLS)
    await upload(egress, write, second, read_url=read, deadline=5.0)


async def test_another_picture_is_none_whoever_signed_it(egress: Egress, internet: Internet) -> None:
    """Its pixels count."""
    internet.web.stored["/put"] = signed(data=picture(seed=1))
    internet.web.answers = [(412, "")]
    write, read = (internet.url(url) for url in URLS)
    with pytest.raises(UploadFailed, match="answered 412"):
        await upload(egress, write, signed(), read_url=read, deadline=5.0)
