"""What a task leaves behind, and what it was made of."""

import pytest

from deployments.media.storage.builtin import OBJECTS_PATH
from deployments.tasks.traces import MOST_RECEIPT, NO_TRACES, SentRequest, place_of

KEY = "0123456789abcdef" * 2


@pytest.mark.parametrize(
    ("url", "place"),
    [
        (f"https://aige.example{OBJECTS_PATH}{KEY}?expires=1&signature=a", KEY),
        (f"http://127.0.0.1:8000/behind/a/proxy{OBJECTS_PATH}{KEY}?expires=2&signature=b", KEY),
        ("https://Store.Example/a/b.png?X-Amz-Signature=1", "store.example/a/b.png"),
        ("https://store.example:8443/a/B.png#x", "store.example:8443/a/B.png"),
        (f"https://store.example{OBJECTS_PATH}short", f"store.example{OBJECTS_PATH}short"),
    ],
)
def test_a_place_is_the_same_whoever_signs_its_url(url: str, place: str) -> None:
    """And whenever; in the built-in store, wherever that is reached."""
    assert place_of(url) == place


def test_objects_that_differ_in_the_query_alone_lie_at_places_of_their_own() -> None:
    """As Google Drive's do (`uc?id=`), whoever signs their URLs. What the query says is not kept."""
    base = "https://files.example/get"
    assert len({place_of(f"{base}{query}") for query in ("", "?id=1", "?id=2", "?id=1&v=2")}) == 4
    assert place_of(f"{base}?id=secret&X-Amz-Signature=1") == place_of(f"{base}?X-Amz-Signature=2&id=secret")
    assert "secret" not in place_of(f"{base}?id=secret")


def test_requests_are_kept_once() -> None:
    """A receipt that is recorded again is the same request."""
    traces = NO_TRACES.sent("fal", "fal:a/requests/1").sent("fal", "fal:a/requests/1").sent("mine:E", "mine:E:2")
    assert traces.requests == (SentRequest("fal", "fal:a/requests/1"), SentRequest("mine:E", "mine:E:2"))


def test_of_a_receipt_that_holds_a_picture_a_digest_is_kept() -> None:
    """It is the provider's whole answer, and not a name for it."""
    (request,) = NO_TRACES.sent("openai", "openai:" + "x" * MOST_RECEIPT).requests
    assert request.receipt.startswith("openai:sha256-")
    assert len(request.receipt) < 100
