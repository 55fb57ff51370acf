"""A path that ends in a newline leads nowhere."""

import httpx
import pytest

from tests.api.problems import assert_is_problem


@pytest.mark.parametrize(
    "path",
    ["/", "/docs", "/healthz", "/api/v1/service", "/api/v1/task/a/status", "/api/v1/avatar/a/background", "/assets/a"],
)
@pytest.mark.parametrize("method", ["GET", "PUT"])
async def test_a_newline_at_its_end_is_part_of_a_path(client: httpx.AsyncClient, method: str, path: str) -> None:
    """Whatever is at the path without it, and before anything of the body is read."""
    answer = await client.request(method, f"{path}%0A", content=b"{}")
    assert_is_problem(answer, 404)
