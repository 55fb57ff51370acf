"""What only a real connection shows: limits, refusals and headers through Ray Serve's proxy."""

from datetime import UTC, datetime, timedelta

import httpx
import pytest

from tests.e2e import pictures
from tests.e2e.service import TASKS_IN_FLIGHT, Service, assert_is_problem

ORIGIN = "http://localhost:5173"


@pytest.mark.parametrize(
    "change",
    [
        {"prompt": " "},
        {"prompt": 1},
        {"prompt": "x" * 4001},
        {"avatar_id": "another"},
        {"aspect_ratio": "2:1"},
        {"writeUrl": "http://127.0.0.1:1/private"},
        {"writeUrl": "ftp://host.example/x"},
        {"readUrl": None},
    ],
)
def test_a_wrong_request_is_a_400_that_a_browser_can_read(service: Service, change: dict[str, object]) -> None:
    """A problem document with the CORS headers."""
    body = service.background_body("/x.png", "instant") | change
    answer = service.http.put("/avatar/a/background", json=body, headers={"Origin": ORIGIN})
    assert_is_problem(answer, 400)
    assert answer.headers["access-control-allow-origin"] == ORIGIN
    assert answer.json()["errors"]


def test_a_preflight_answers_without_a_key(service: Service, anyone: httpx.Client) -> None:
    """For the origins that are configured."""
    asks = {"Access-Control-Request-Method": "PUT", "Access-Control-Request-Headers": "authorization,content-type"}
    url = f"{service.http.base_url}avatar/a/overlay"
    assert anyone.options(url, headers={"Origin": ORIGIN, **asks}).headers["access-control-allow-origin"] == ORIGIN
    assert anyone.options(url, headers={"Origin": "https://evil.example", **asks}).status_code == 400


def test_a_body_over_the_limit_is_a_413(service: Service) -> None:
    """33 MB, and still a readable answer."""
    answer = service.http.post("/avatar", content=b" " * 33_000_000, headers={"Content-Type": "application/json"})
    assert_is_problem(answer, 413)


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer wrong"}])
def test_without_a_key_it_is_a_401(service: Service, anyone: httpx.Client, headers: dict[str, str]) -> None:
    """Any of the configured keys opens."""
    assert_is_problem(anyone.get(f"{service.http.base_url}service", headers=headers), 401)
    assert service.http.get("/service", headers={"Authorization": "Bearer another"}).status_code == 200


def test_an_unknown_task_or_route_is_a_404_and_a_wrong_method_a_405(service: Service) -> None:
    """Ours, not the plain text of Ray's proxy."""
    for path in ("/task/x/status", "/task/00000000-0000-4000-8000-000000000000", "/task/x/events", "/nowhere"):
        assert_is_problem(service.http.get(path), 404)
    answer = service.http.get("/avatar")
    assert_is_problem(answer, 405)
    assert answer.headers["allow"] == "POST"


def test_an_idempotency_key_gives_the_same_task_again(service: Service) -> None:
    """With the same request; with a different one, it is a conflict."""
    body = service.background_body("/once.png", "instant")
    headers = {"Idempotency-Key": "end to end"}
    first, again = (service.http.put("/avatar/a/background", json=body, headers=headers) for _ in range(2))
    assert first.status_code == again.status_code == 200
    assert first.json() == again.json()
    other = service.http.put("/avatar/a/background", json=body | {"prompt": "html"}, headers=headers)
    assert_is_problem(other, 409)
    assert service.ended(first.json()["aige_task_id"]).status == "done"
    assert len(service.sink.requests["/once.png"]) == 1


def test_health_needs_no_key(service: Service, anyone: httpx.Client) -> None:
    """Both routes lie outside the API; the real actor answers, and its journal takes writes."""
    root = f"http://127.0.0.1:{service.http.base_url.port}"
    for path, status in (("/healthz", "ok"), ("/readyz", "ready")):
        answer = anyone.get(root + path)
        assert (answer.status_code, answer.json()) == (200, {"status": status})


def test_too_many_tasks_in_flight_are_a_503(service: Service) -> None:
    """With the time after which to try again; and those that were accepted end well."""
    slow = service.sink.serve("/slow.png", pictures.png(pictures.scene((64, 64))))
    gate = service.sink.gate("GET", "/slow.png")
    accepted, refused = [], None
    body = service.background_body("/crowd.png", f"elsewhere {slow}")
    for _ in range(TASKS_IN_FLIGHT + 1):
        answer = service.http.put("/avatar/a/background", json=body)
        if answer.status_code != 200:
            refused = answer
            break
        accepted.append(answer.json()["aige_task_id"])
    gate.open()
    assert refused is not None
    assert_is_problem(refused, 503)
    assert int(refused.headers["retry-after"]) > 0
    assert {service.ended(task_id).status for task_id in accepted} == {"done"}
    while (answer := service.http.put("/avatar/a/background", json=body)).status_code == 503:
        pass  # for a second after a refusal, all are refused unread
    assert answer.status_code == 200


def test_a_write_url_that_has_expired_already_is_a_400(service: Service) -> None:
    """It says so itself."""
    day_ago = datetime.now(UTC) - timedelta(days=1)
    url = f"{service.sink.url}/late.png?X-Amz-Date={day_ago:%Y%m%dT%H%M%SZ}&X-Amz-Expires=60"
    body = service.background_body("", "instant") | {"writeUrl": url}
    assert_is_problem(service.http.put("/avatar/a/background", json=body), 400)


def test_the_service_says_what_it_is(service: Service) -> None:
    """Engine and limits, as configured."""
    answer = service.http.get("/service").json()
    assert (answer["engine"], answer["generative"]) == ("by-prompt", False)
    assert (answer["engines"]["portrait"], answer["engines"]["blend"], answer["blends"]) == (["by-prompt"], [], False)
    assert answer["limits"]["tasks_in_flight"] == TASKS_IN_FLIGHT
    assert answer["limits"]["body_bytes"] == 32_000_000
