"""Tries of webhooks: what is answered, and what is told of it."""

import logging
from base64 import b64encode
from collections.abc import AsyncIterator
from dataclasses import replace
from inspect import signature

import pytest
from standardwebhooks import Webhook as Verifier

from deployments.api.webhook_sender import NO_SECRET, OUR_FAULT, WebhookSender
from deployments.media.destinations import parse_allow_hosts
from deployments.media.egress import BODY_TO_SKIP, BodyToSkip, Egress
from deployments.media.open_media import WEBHOOK_SECONDS
from deployments.tasks.webhook import Webhook
from deployments.tasks.webhooks import WebhookCall
from tests.faults.web import Web, serving
from tests.tasks.deliveries import ended
from tests.tasks.in_process import AT

SECRET = b"a secret of at least twenty-four bytes"


@pytest.fixture
async def web() -> AsyncIterator[Web]:
    async with serving() as web:
        yield web


@pytest.fixture
async def egress(web: Web) -> AsyncIterator[Egress]:
    egress = Egress(allow=parse_allow_hosts(f"127.0.0.1:{web.port}"))
    yield egress
    await egress.aclose()


def call_to(web: Web, path: str) -> WebhookCall:
    return WebhookCall(ended("t").task, f"http://127.0.0.1:{web.port}{path}")


async def test_it_is_one_signed_post(web: Web, egress: Egress) -> None:
    """To the URL as it is, with its query; the receiver verifies it."""
    sender = WebhookSender(egress, [SECRET])
    assert await sender.send(call_to(web, "/hook?token=1")) == 200
    (asked,) = web.asked
    assert (asked.method, asked.path, asked.query) == ("POST", "/hook", {"token": "1"})
    verified = Verifier(f"whsec_{b64encode(SECRET).decode()}").verify(asked.body, asked.headers)
    assert verified["data"]["aige_task_id"] == "t"
    assert asked.headers["content-type"] == "application/json"


@pytest.mark.parametrize("status", [204, 301, 404, 410, 429, 500])
async def test_the_status_is_the_answer(web: Web, egress: Egress, status: int) -> None:
    """A redirect's too: it is not followed."""
    sender = WebhookSender(egress, [SECRET])
    assert await sender.send(call_to(web, f"/answers?status={status}")) == status
    assert await sender.send(call_to(web, "/redirects?to=/hook")) == 302
    assert len(web.asked) == 2


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("/closes", "the connection broke off"),
        ("/no_http", "the connection broke off"),
        ("/muddles_chunks", "the connection broke off"),
        ("/resets", "the connection"),
    ],
)
async def test_where_there_is_no_answer_a_few_words_say_why(web: Web, egress: Egress, path: str, words: str) -> None:
    """They name no host."""
    answer = await WebhookSender(egress, [SECRET]).send(call_to(web, path))
    assert isinstance(answer, str)
    assert words in answer
    assert "127.0.0.1" not in answer


@pytest.mark.parametrize("url", ["http://127.0.0.1:1/hook", "http://169.254.169.254/latest", "https://localhost/"])
async def test_an_address_that_the_guard_refuses_is_a_failed_try(egress: Egress, url: str) -> None:
    """Whatever was allowed when the task was submitted."""
    answer = await WebhookSender(egress, [SECRET]).send(replace(WebhookCall(ended("t").task, ""), url=url))
    assert answer == "the URL leads to no public internet host; give one that does"


@pytest.mark.parametrize("path", ["/endless", "/drips", "/breaks_off"])
async def test_an_answer_is_read_to_64_kb_at_most_and_never_logged(
    web: Web, egress: Egress, path: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Its status counts, whatever its body does."""
    assert BODY_TO_SKIP.bytes == 64 * 1024
    caplog.set_level(logging.DEBUG)
    sender = WebhookSender(egress, [SECRET], read=BodyToSkip(BODY_TO_SKIP.bytes, 0.05))
    assert await sender.send(call_to(web, path)) == 200
    assert "secret" not in caplog.text
    assert "hook" not in caplog.text


async def test_what_a_receiver_says_is_never_logged(web: Web, egress: Egress, caplog: pytest.LogCaptureFixture) -> None:
    """Neither its body, nor the URL that it was asked at."""
    caplog.set_level(logging.DEBUG)
    said = b"HTTP/1.1 500 OK\r\nContent-Length: 9\r\n\r\nZq7Wm1-pw".hex()
    assert await WebhookSender(egress, [SECRET]).send(call_to(web, f"/says?hex={said}&token=Zq7Wm1")) == 500
    assert len(web.asked) == 1
    assert "Zq7Wm1" not in caplog.text


async def test_a_receivers_retry_after_is_not_heeded(web: Web, egress: Egress) -> None:
    """One try is one POST, and the schedule says when the next one is made."""
    web.answers += [(503, "Retry-After: 86400"), (429, "Retry-After: 0")]
    sender = WebhookSender(egress, [SECRET])
    webhook = Webhook()
    for status, pause in ((503, 5), (429, 300)):
        answer = await sender.send(call_to(web, "/hook"))
        webhook = webhook.tried(0, AT, answer)
        assert (answer, webhook.pause_s) == (status, pause)
    assert len(web.asked) == 2


async def test_its_time_is_the_servers(web: Web, egress: Egress) -> None:
    """That of the try; what clocks others have makes no difference."""
    await WebhookSender(egress, [SECRET], clock=lambda: AT).send(call_to(web, "/hook"))
    assert web.asked[0].headers["webhook-timestamp"] == str(int(AT.timestamp()))


async def test_who_does_not_answer_in_time_has_failed(web: Web, egress: Egress) -> None:
    """Fifteen seconds by default."""
    assert signature(WebhookSender).parameters["patience_s"].default == WEBHOOK_SECONDS == 15
    sender = WebhookSender(egress, [SECRET], patience_s=0.05)
    assert await sender.send(call_to(web, "/hangs")) == "the server took too long; try again later"


async def test_without_a_secret_nothing_is_sent(web: Web, egress: Egress) -> None:
    """The operator has taken it away while webhooks waited; they wait on, for as long as the schedule lasts."""
    assert await WebhookSender(egress, []).send(call_to(web, "/hook")) == NO_SECRET
    assert web.asked == []


async def test_a_fault_of_ours_is_a_failed_try(egress: Egress, caplog: pytest.LogCaptureFixture) -> None:
    """The operator finds its cause in the log, and no URL."""
    broken = WebhookCall(replace(ended("t").task, timeline=()), "https://receiver.example/hook?secret=1")
    assert await WebhookSender(egress, [SECRET]).send(broken) == OUR_FAULT
    assert "IndexError" in caplog.text
    assert "receiver.example" not in caplog.text
