"""Callers on the real service: whose task it is, and what each may start."""

from concurrent.futures import ThreadPoolExecutor

import httpx

from tests.e2e.service import HASTY_KEY, SHUT_OUT_KEY, Service, assert_is_problem


def as_caller(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


def test_another_callers_task_is_not_there(service: Service) -> None:
    """On every route; keys of one name are one caller, and a task that ran for one is shown to the other."""
    task_id = service.background("/owned.png", "instant")
    for suffix in ("", "/status", "/events"):
        assert_is_problem(service.http.get(f"/task/{task_id}{suffix}", headers=as_caller(SHUT_OUT_KEY)), 404)
    assert_is_problem(service.http.delete(f"/task/{task_id}", headers=as_caller(SHUT_OUT_KEY)), 404)
    assert service.http.get(f"/task/{task_id}", headers=as_caller("another")).status_code == 200
    assert service.ended(task_id).status == "done"


def test_a_limit_of_zero_shuts_a_caller_out(service: Service) -> None:
    """Before its body is read: what it sends is no JSON."""
    headers = {**as_caller(SHUT_OUT_KEY), "Content-Type": "application/json"}
    answer = service.http.put("/avatar/a/background", content=b"{", headers=headers)
    assert_is_problem(answer, 429)
    assert answer.json()["type"].endswith("quota-exceeded")
    assert answer.headers["retry-after"] == "86400"


def test_a_caller_starts_so_many_tasks_a_minute(service: Service) -> None:
    """However many it asks for at once; each answer says where it stands."""
    body = service.background_body("/hasty.png", "instant")

    def start(_: int) -> httpx.Response:
        return service.http.put("/avatar/a/background", json=body, headers=as_caller(HASTY_KEY))

    with ThreadPoolExecutor(10) as pool:
        answers = list(pool.map(start, range(10)))
    assert sorted(answer.status_code for answer in answers) == [200] * 2 + [429] * 8
    for answer in answers:
        assert answer.headers["ratelimit-policy"] == '"tasks";q=2;w=60'
        assert answer.headers["ratelimit"].startswith('"tasks";r=')
