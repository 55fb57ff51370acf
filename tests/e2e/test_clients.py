"""Clients that speak HTTP as few others do, through whatever serves it."""

import socket

from tests.e2e.service import API_KEY, TASK_PATIENCE_S, Service

OFFER = {
    "Connection": "Upgrade, HTTP2-Settings",
    "Upgrade": "h2c",
    "HTTP2-Settings": "AAEAAEAAAAIAAAABAAMAAABkAAQBAAAA",
}


def test_an_offer_of_http_2_costs_no_body(service: Service) -> None:
    """Java's HttpClient, and so Spring, makes it with every request to an http:// address; `curl --http2` does too."""
    body = service.background_body("/offered.png", "instant")
    for _ in range(3):  # on one connection
        answer = service.http.put("/avatar/a/background", json=body, headers=OFFER)
        assert answer.status_code == 200, answer.text
        assert service.status(answer.json()["aige_task_id"])


def test_an_event_stream_for_http_1_0_has_no_chunk_sizes(service: Service) -> None:
    """That does not know them: the stream ends with the connection."""
    task_id = service.background("/old.png", "instant")
    url = service.http.base_url.copy_with(path=f"/api/v1/task/{task_id}/events")
    request = f"GET {url.path} HTTP/1.0\r\nAuthorization: Bearer {API_KEY}\r\n\r\n"
    with socket.create_connection((url.host, url.port or 80), TASK_PATIENCE_S) as connection:
        connection.sendall(request.encode())
        with connection.makefile("rb") as answer:
            head, _, body = answer.read().partition(b"\r\n\r\n")
    assert b" 200 " in head.partition(b"\r\n")[0]
    assert b"transfer-encoding" not in head.lower()
    assert body.startswith(b"event: status\ndata: {")
    assert body.endswith(b"\nid: done\n\n")
