"""A finished picture arrives where its caller asked for it, or the caller reads why not."""

from collections.abc import Iterator

import pytest
import stamina
from stamina.instrumentation import RetryDetails, set_on_retry_hooks

from deployments.errors import UploadFailed, UploadUrlExpired
from deployments.media.egress import Egress
from deployments.media.upload import TRIES, upload
from tests.faults.web import PICTURE, serving
from tests.media.internet import Internet, Store
from tests.media.uploading import NOON, SIGNED, Clock


class Waiting(Exception):
    """Raised in place of a wait."""


@pytest.fixture
def waits() -> Iterator[list[float]]:
    """Real pauses, of which the first is noted and then not waited for, but raises `Waiting`."""
    seconds: list[float] = []

    def note(details: RetryDetails) -> None:
        seconds.append(details.wait_for)
        raise Waiting

    set_on_retry_hooks([note])
    with stamina.set_testing(False):
        yield seconds
    set_on_retry_hooks(None)


async def why(egress: Egress, url: str, deadline: float = 5.0) -> str:
    """The message with which uploading to `url` fails."""
    with pytest.raises(UploadFailed) as failure:
        await upload(egress, url, PICTURE, deadline=deadline)
    return str(failure.value)


async def test_the_picture_arrives_as_a_png(egress: Egress, internet: Internet) -> None:
    """One PUT with type and length, and none of Azure's headers."""
    await upload(egress, internet.url("/put"), PICTURE, deadline=5.0)
    (asked,) = internet.web.asked
    assert (asked.method, asked.body) == ("PUT", PICTURE)
    assert asked.headers["content-type"] == "image/png"
    assert asked.headers["content-length"] == str(len(PICTURE))
    assert asked.headers.keys().isdisjoint({"transfer-encoding", "x-ms-blob-type"})


@pytest.mark.parametrize(
    "host",
    [
        "a.blob.core.windows.net",
        "A.Blob.Core.Windows.NET",
        "a.blob.core.usgovcloudapi.net",
        "a.blob.core.chinacloudapi.cn",
        "a.z01.blob.storage.azure.net",
    ],
)
async def test_azure_is_told_the_blob_type(egress: Egress, internet: Internet, host: str) -> None:
    """Put Blob asks for it, in every cloud of theirs."""
    internet.names[host.lower()] = internet.names["host.example"]
    await upload(egress, internet.url("/c/k?sig=x&se=2999-01-01", host=host), PICTURE, deadline=5.0)
    assert internet.web.asked[0].headers["x-ms-blob-type"] == "BlockBlob"


async def test_azure_is_known_by_its_signature(egress: Egress, internet: Internet) -> None:
    """At a domain of one's own."""
    url = internet.url("/c/k?sv=2024-11-04&sr=b&sp=cw&se=2999-01-01&sig=x")
    await upload(egress, url, PICTURE, deadline=5.0)
    assert internet.web.asked[0].headers["x-ms-blob-type"] == "BlockBlob"


@pytest.mark.parametrize("status", [200, 201, 202, 204, 206])
async def test_any_2xx_is_success(egress: Egress, internet: Internet, status: int) -> None:
    """S3 answers 200, Azure 201."""
    internet.web.answers.append((status, ""))
    await upload(egress, internet.url("/put"), PICTURE, deadline=5.0)
    assert len(internet.web.asked) == 1


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
async def test_what_may_pass_is_tried_again(egress: Egress, internet: Internet, status: int) -> None:
    """Until it is taken, with the whole picture each time."""
    internet.web.answers = [(status, "")] * (TRIES - 1)
    await upload(egress, internet.url("/put"), PICTURE, deadline=5.0)
    assert [asked.body for asked in internet.web.asked] == [PICTURE] * TRIES


async def test_it_is_not_tried_for_ever(egress: Egress, internet: Internet) -> None:
    """Five tries, and then the caller reads the status."""
    internet.web.answers = [(503, "")] * 10
    assert "still answered 503 after 5 tries" in await why(egress, internet.url("/put"))
    assert len(internet.web.asked) == TRIES


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (301, "redirect"),
        (307, "redirect"),
        (400, "answered 400; check that writeUrl takes a PUT of image/png"),
        (403, "answered 403"),
        (404, "answered 404"),
        (411, "answered 411"),
        (412, "answered 412"),
    ],
)
async def test_what_will_not_pass_is_not_tried_again(
    egress: Egress, internet: Internet, status: int, words: str
) -> None:
    """One try; the message tells the host and what to do, and never the query."""
    internet.web.answers = [(status, "Location: /elsewhere?signature=secret")]
    message = await why(egress, internet.url("/put?X-Amz-Signature=secret"))
    assert message.startswith("The result could not be uploaded to host.example: ")
    assert words in message
    assert "secret" not in message
    assert len(internet.web.asked) == 1


async def test_lost_connections_are_tried_again(egress: Egress, internet: Internet) -> None:
    """A server that is away for all five tries."""
    async with serving() as closed:
        pass
    assert "no connection could be made" in await why(egress, f"http://host.example:{closed.port}/put?sig=secret")
    assert len(internet.dialled) == TRIES


@pytest.mark.parametrize("fault", ["closes", "resets", "no_http"])
async def test_lost_answers_are_tried_again(egress: Egress, internet: Internet, fault: str) -> None:
    """Whether it arrived is unknown then, and a PUT may be repeated."""
    await why(egress, internet.url(f"/{fault}"))
    assert len(internet.web.asked) == TRIES


async def test_a_slow_acknowledgement_is_waited_for(egress: Egress, internet: Internet) -> None:
    """A store may copy the picture to other continents first. The deadline alone ends it, after one try."""
    assert "within 0.3 seconds" in await why(egress, internet.url("/hangs"), deadline=0.3)
    assert len(internet.web.asked) == 1


async def test_the_deadline_ends_it(egress: Egress, internet: Internet) -> None:
    """Within a try too."""
    assert "within 0.05 seconds" in await why(egress, internet.url("/hangs"), deadline=0.05)
    assert len(internet.web.asked) <= 1


async def test_the_deadline_ends_a_pause(egress: Egress, internet: Internet) -> None:
    """Real pauses last a second and more; the deadline is not kept waiting by them."""
    internet.web.answers = [(503, "")] * 10
    with stamina.set_testing(False):
        assert "within 0.05 seconds" in await why(egress, internet.url("/put"), deadline=0.05)


async def test_the_server_may_say_how_long_to_wait(egress: Egress, internet: Internet, waits: list[float]) -> None:
    """`Retry-After` in seconds is obeyed."""
    internet.web.answers = [(503, "Retry-After: 7")]
    with pytest.raises(Waiting):
        await upload(egress, internet.url("/put"), PICTURE, deadline=60.0)
    assert waits == [7.0]


@pytest.mark.parametrize(
    "header", ["Retry-After: 86400", "Retry-After: Fri, 02 Jan 2026 12:00:00 GMT", "Retry-After: x"]
)
async def test_but_not_for_ever(egress: Egress, internet: Internet, waits: list[float], header: str) -> None:
    """Beyond half a minute, or not in seconds, it counts for nothing."""
    internet.web.answers = [(429, header)]
    with pytest.raises(Waiting):
        await upload(egress, internet.url("/put"), PICTURE, deadline=60.0)
    assert 1.0 <= waits[0] <= 2.0


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "inside.example", "0x7f.1"])
async def test_forbidden_places_are_never_written_to(egress: Egress, internet: Internet, host: str) -> None:
    """One refusal, no further try, and nothing sent."""
    internet.names["inside.example"] = [["10.0.0.1"]]
    message = await why(egress, internet.url("/put", host=host))
    assert "public" in message
    assert "10.0.0.1" not in message
    assert internet.dialled == []
    assert len(internet.looked_up) <= 1


async def test_an_expired_url_is_not_even_tried(egress: Egress, internet: Internet) -> None:
    """Its own signature says so."""
    with pytest.raises(UploadUrlExpired) as expiry:
        await upload(egress, internet.url(SIGNED), PICTURE, deadline=5.0, now=lambda: NOON)
    assert "send the request again with a fresh one" in str(expiry.value)
    assert "secret" not in str(expiry.value)
    assert internet.web.asked == []


@pytest.mark.parametrize(("status", "asked"), [(403, 1), (503, 1)])
async def test_a_url_that_expires_meanwhile_is_called_expired(
    egress: Egress, internet: Internet, status: int, asked: int
) -> None:
    """Whether a 403 says so, or the clock before the next try."""
    internet.web.answers = [(status, "")] * TRIES
    with pytest.raises(UploadUrlExpired, match="writeUrl has expired"):
        await upload(egress, internet.url(SIGNED), PICTURE, deadline=5.0, now=Clock(early=1))
    assert len(internet.web.asked) == asked


async def test_a_403_on_a_url_that_still_works_is_no_expiry(egress: Egress, internet: Internet) -> None:
    """Then the signature is wrong in another way."""
    internet.web.answers = [(403, "")]
    with pytest.raises(UploadFailed, match="answered 403"):
        await upload(egress, internet.url(SIGNED), PICTURE, deadline=5.0, now=Clock(early=2))


async def test_retries_tell_no_secret(egress: Egress, internet: Internet) -> None:
    """What is logged with each retry holds no part of the URL's query."""
    told: list[str] = []
    internet.web.answers = [(503, "")] * 2
    set_on_retry_hooks([lambda details: told.append(repr(details))])
    await upload(egress, internet.url("/put?X-Amz-Signature=secret"), PICTURE, deadline=5.0)
    set_on_retry_hooks(None)
    assert len(told) == 2
    assert not any("secret" in text for text in told)


async def test_the_own_store_is_written_through_its_transport(internet: Internet) -> None:
    """No network for the service's own URLs."""
    store = Store()
    egress = Egress(store=store)
    await upload(egress, "http://127.0.0.1:8000/api/v1/storage/objects/k", PICTURE, deadline=5.0)
    await egress.aclose()
    assert store.puts == [PICTURE]
    assert internet.dialled == []
