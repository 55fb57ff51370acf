"""What the client sends, what answers mean, and when to try again."""

from pathlib import Path

import httpx
import pytest

from aige.errors import ClientError, NotAnAige, Refused, Unreachable
from aige.requests import (
    content_of,
    given_up,
    inline,
    is_url,
    may_ask_proxy,
    options_of,
    origin_of,
    parsed,
    pause_after,
    settings_of,
)
from deployments.api.answers import Accepted
from tests.aige.line import Trouble, answers, problem

REQUEST = httpx.Request("GET", "http://aige.example:8000/api/v1/task/x?secret=1")


def response(trouble: Trouble) -> httpx.Response:
    answer = trouble(REQUEST)
    assert answer is not None
    return answer


@pytest.mark.parametrize(
    ("trouble", "pause"),
    [
        (answers(200), None),
        (problem(500), None),
        (problem(404), None),
        (answers(404, "Path '/' not found.", content_type="text/plain"), 0.25),  # Ray's proxy: no app is deployed
        (answers(500, "Internal Server Error", content_type="text/plain"), 0.25),  # Ray's proxy: a replica died
        (problem(503), 0.25),
        (problem(503, retry_after="7"), 7.0),
        (problem(503, retry_after="0"), 0.25),  # or it would be asked thousands of times a second
        (problem(429, retry_after="90"), 90.0),
        (answers(502), 0.25),
        (answers(504), 0.25),
        (problem(409), None),
        (problem(503, retry_after="Fri, 27 Nov 2026 04:00:00 GMT"), 0.25),
    ],
)
def test_which_answers_stand(trouble: Trouble, pause: float | None) -> None:
    """The others are asked for again, after as long as the server says."""
    assert pause_after(response(trouble), 0) == pause


@pytest.mark.parametrize("status", [404, 500])
def test_a_404_or_500_of_another_server_stands(status: int) -> None:
    """Ray's proxy is not there. Trouble that passes does so there, too."""
    failed = answers(status, "<Error>NoSuchKey</Error>", content_type="application/xml")
    assert pause_after(response(failed), 0, is_aige=False) is None
    assert pause_after(response(answers(503)), 0, is_aige=False) == 0.25


def test_pauses_grow() -> None:
    """Up to eight seconds."""
    assert [pause_after(None, tries) for tries in (0, 1, 2, 10)] == [0.25, 0.5, 1.0, 8.0]


def test_a_body_is_what_was_promised_or_an_error() -> None:
    """Of one of three kinds."""
    good = '{"aige_task_id": "t", "avatar_id": "a", "new": 1}'
    assert parsed(response(answers(201, good)), Accepted) == Accepted(aige_task_id="t", avatar_id="a")
    with pytest.raises(Refused, match=r"In words\.") as refused:
        parsed(response(problem(409)), Accepted)
    assert (refused.value.status, refused.value.kind) == (409, "about:blank")
    for strange in (answers(200, "<html>"), answers(400, "<html>"), answers(200, "{}")):
        with pytest.raises(NotAnAige, match=r"What answers at http://aige\.example:8000/ is not AIGE"):
            parsed(response(strange), Accepted)


def test_giving_up_says_what_the_last_answer_was() -> None:
    """Or that there was none."""
    error = given_up(None, httpx.ConnectError("refused."), "http://here")
    assert isinstance(error, Unreachable)
    assert str(error) == "Nothing answers at http://here (refused): start AIGE there, or name another address."
    assert isinstance(given_up(response(problem(503)), None, "http://here"), Refused)
    assert "status 404" in str(given_up(response(answers(404)), None, "http://here"))


def test_giving_another_server_up_does_not_speak_of_aige() -> None:
    """It is named itself."""
    error = given_up(None, httpx.ConnectError("refused"), "http://there", is_aige=False)
    assert str(error) == "Nothing answers at http://there (refused)."
    error = given_up(response(answers(503)), None, "http://there", is_aige=False)
    assert str(error) == "The server is not ready at http://there (status 503): try again later."


def test_a_picture_is_a_url_a_path_or_bytes(tmp_path: Path) -> None:
    """Whatever else is text is a path."""
    file = tmp_path / "photo.jpg"
    file.write_bytes(b"photo")
    assert [is_url(source) for source in ("https://x/y", "HTTP://x", "photo.jpg", file, b"http://")] == [
        True,
        True,
        False,
        False,
        False,
    ]
    assert content_of(b"bytes") == b"bytes"
    assert content_of(file) == content_of(str(file)) == b"photo"
    with pytest.raises(ClientError, match=r"missing\.jpg cannot be read: No such file"):
        content_of(tmp_path / "missing.jpg")


def test_small_pictures_go_in_the_body() -> None:
    """Large ones do not."""
    assert inline([b"a", b"b"]) == ["YQ==", "Yg=="]
    assert inline([bytes(2_000_001), bytes(2_000_001)]) is None


def test_where_the_service_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """As given, else by the environment, else where `make run` puts it."""
    assert settings_of(None, None) == ("http://127.0.0.1:8000", None)
    monkeypatch.setenv("AIGE_URL", "https://aige.example/")
    monkeypatch.setenv("AIGE_API_KEYS", "ada:first,second")
    assert settings_of(None, None) == ("https://aige.example", "first")
    monkeypatch.setenv("AIGE_API_KEYS", "bare")
    assert settings_of(None, None)[1] == "bare"
    monkeypatch.setenv("AIGE_KEY", "own")
    assert settings_of(None, None)[1] == "own"
    assert settings_of("http://given", "key") == ("http://given", "key")


def test_on_this_machine_no_proxy_is_asked() -> None:
    """Elsewhere, the environment's is."""
    here, there = options_of("http://127.0.0.1:8000", "k"), options_of("https://aige.example", None)
    assert here == ("http://127.0.0.1:8000/api/v1", httpx.Headers({"Authorization": "Bearer k"}), False)
    assert there == ("https://aige.example/api/v1", httpx.Headers(), True)
    for wrong in ("", "aige.example", "ftp://x", "http://"):
        with pytest.raises(ClientError, match="is no address such as http://127"):
            options_of(wrong, None)
    assert [may_ask_proxy(url) for url in ("http://localhost/x", "http://[::1]:8000", "https://localhost.example")] == [
        False,
        False,
        True,
    ]


def test_an_api_key_is_sent_as_utf_8() -> None:
    """As the service compares it."""
    assert options_of("http://here", "schlüssel")[1].raw == [(b"Authorization", "Bearer schlüssel".encode())]
    with pytest.raises(ClientError, match="The API key must not contain lone surrogates"):
        options_of("http://here", "\udcff")


def test_an_origin_tells_no_secret() -> None:
    """Neither the user's, nor what signs a URL."""
    assert origin_of("https://me:secret@store.example:9000/a?signature=secret") == "https://store.example:9000"
    assert origin_of("https://store.example:443/a") == "https://store.example"
