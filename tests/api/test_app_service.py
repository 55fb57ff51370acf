"""What a server tells of itself."""

import httpx
import pytest

from deployments.api.answers import EnginesResponse
from deployments.api.app import Parts, ServiceEngines, build_api
from deployments.settings import VERSION
from tests.api.in_process import BASE

MIXED = ServiceEngines(
    EnginesResponse(portrait=["openai", "fal"], background=["fal"], cut_out=["local"], blend=["fal"]), generative=True
)
FAL = ServiceEngines(EnginesResponse(portrait=["fal"], background=["fal"], cut_out=["fal"], blend=[]), generative=True)


@pytest.mark.parametrize(
    ("engines", "engine", "blends"), [(MIXED, "mixed", True), (FAL, "fal", False)], ids=["mixed", "one"]
)
async def test_who_makes_the_pictures(parts: Parts, engines: ServiceEngines, engine: str, blends: bool) -> None:
    """By verb, in the order in which they are tried; one name, where there is only one."""
    api = build_api(Parts(settings=parts.settings, backend=parts.backend, store=parts.store, engines=engines))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(api), base_url=BASE) as client:
        told = (await client.get("/api/v1/service")).json()
    assert (told["engine"], told["blends"], told["generative"]) == (engine, blends, True)
    assert told["engines"] == engines.by_verb.model_dump()


async def test_what_its_limits_are(client: httpx.AsyncClient) -> None:
    """Those of the contract, where none are set; a version, and whether it sends webhooks."""
    told = (await client.get("/api/v1/service")).json()
    assert told["limits"] == {
        "body_bytes": 32_000_000,
        "picture_bytes": 20_000_000,
        "picture_pixels": 40_000_000,
        "source_images": 8,
        "tasks_in_flight": 10_000,
        "redirects": 3,
    }
    assert (told["version"], told["webhooks"]) == (VERSION, False)
