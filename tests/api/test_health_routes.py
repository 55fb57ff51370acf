"""What load balancers and orchestrators ask."""

import httpx
import pytest

from tests.api.in_process import InProcess
from tests.api.problems import assert_is_problem


async def test_both_are_200_while_all_is_well(client: httpx.AsyncClient) -> None:
    """With a word that says so."""
    for path, status in (("/healthz", "ok"), ("/readyz", "ready")):
        answer = await client.get(path)
        assert (answer.status_code, answer.json()) == (200, {"status": status})


@pytest.mark.parametrize(("cause", "missing"), [("away", "task status actor"), ("journal", "journal")])
async def test_what_is_missing_is_a_503_that_names_it(
    client: httpx.AsyncClient, backend: InProcess, cause: str, missing: str
) -> None:
    """With the time after which to ask again; the process itself still serves."""
    if cause == "away":
        backend.away = True
    else:
        backend.journal.out_of_order = True
    answer = await client.get("/readyz")
    assert_is_problem(answer, 503)
    assert int(answer.headers["retry-after"]) > 0
    assert missing in answer.json()["detail"]
    assert (await client.get("/healthz")).status_code == 200
    backend.away = backend.journal.out_of_order = False
    assert (await client.get("/readyz")).status_code == 200


async def test_they_lie_outside_the_base_url(client: httpx.AsyncClient) -> None:
    """Where orchestrators look for them."""
    for path in ("/api/v1/healthz", "/api/v1/readyz"):
        assert_is_problem(await client.get(path), 404)
