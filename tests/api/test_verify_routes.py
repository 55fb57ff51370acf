"""`POST /verify`: what a picture's content credentials say, in the contract's own body."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import httpx
import pytest

from deployments.api.app import Parts, build_api
from deployments.media.provenance.manifests import Manifests
from deployments.media.provenance.sources import DigitalSource
from deployments.media.provenance.statement import Statement
from deployments.settings import Settings
from tests.api.in_process import BASE
from tests.api.problems import assert_is_problem
from tests.media.provenance.files import MODEL, picture, signed, with_broken_manifest, with_flipped_byte

UNSIGNED: dict[str, object] = {
    "signed": False,
    "valid": False,
    "issuer": None,
    "trusted": False,
    "digital_source_type": None,
    "made_by": [],
    "ingredients": [],
    "problems": [],
}


@pytest.fixture
def parts(parts: Parts) -> Parts:
    """With a limit that a test can pass."""
    settings = Settings.model_validate({"limits": {"picture_bytes": 20_000, "body_bytes": 40_000}})
    return replace(parts, settings=settings, manifests=Manifests())


@pytest.fixture
async def verify(parts: Parts) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(build_api(parts)), base_url=BASE) as client:
        yield client
    await asyncio.to_thread(parts.manifests.close)


async def answer(client: httpx.AsyncClient, data: bytes) -> object:
    response = await client.post("/api/v1/verify", content=data)
    assert response.status_code == 200, response.text
    return response.json()


@pytest.mark.parametrize("form", ["PNG", "JPEG", "WEBP"])
async def test_a_picture_without_a_manifest_is_no_error(verify: httpx.AsyncClient, form: str) -> None:
    """False, null, and nothing else."""
    assert await answer(verify, picture(form=form)) == UNSIGNED


async def test_a_result_of_aige_s(verify: httpx.AsyncClient, parts: Parts) -> None:
    """The whole body, with an ingredient that has a manifest and one that has none."""
    person = await parts.manifests.ingredient(signed(), "person", "componentOf")
    scene = await parts.manifests.ingredient(picture(), "background", "componentOf")
    statement = Statement("overlay", DigitalSource.COMPOSITE_WITH_TRAINED, (MODEL,), (person, scene))
    said = await answer(verify, signed(statement))
    assert isinstance(said, dict)
    said["ingredients"].sort(key=lambda ingredient: ingredient["title"])
    own = "AIGE (a certificate of its own)"
    assert said == {
        "signed": True,
        "valid": True,
        "issuer": own,
        "trusted": False,
        "digital_source_type": "compositeWithTrainedAlgorithmicMedia",
        "made_by": [{"engine": "fal", "model": "fal-ai/some-model"}],
        "ingredients": [
            {"title": "background", "issuer": None, "valid": False, "digital_source_type": None},
            {"title": "person", "issuer": own, "valid": True, "digital_source_type": "trainedAlgorithmicMedia"},
        ],
        "problems": [],
    }


async def test_a_changed_picture(verify: httpx.AsyncClient) -> None:
    """One bit of one pixel."""
    said = await answer(verify, with_flipped_byte(signed()))
    assert isinstance(said, dict)
    assert (said["signed"], said["valid"], said["problems"]) == (True, False, ["assertion.dataHash.mismatch"])


async def test_a_broken_manifest(verify: httpx.AsyncClient) -> None:
    """It is there, and says nothing."""
    assert await answer(verify, with_broken_manifest(signed())) == UNSIGNED | {
        "signed": True,
        "problems": ["general.error"],
    }


@pytest.mark.parametrize("data", [b"", b"GIF89a", b"%PDF-1.7 caBX", b"\x89PN", b'{"a": 1}'])
async def test_what_is_no_picture_is_refused(verify: httpx.AsyncClient, data: bytes) -> None:
    """By its first bytes."""
    assert_is_problem(await verify.post("/api/v1/verify", content=data), 400)


@pytest.mark.parametrize("data", [b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"RIFF\0\0\0\0WEBP", picture()[:50]])
async def test_nothing_but_the_first_bytes_is_a_reason_to_refuse(verify: httpx.AsyncClient, data: bytes) -> None:
    """A picture that ends too soon has no manifest."""
    assert await answer(verify, data) == UNSIGNED


@pytest.mark.parametrize("media_type", ["image/png", "application/json", "text/plain", None])
async def test_the_content_type_does_not_matter(verify: httpx.AsyncClient, media_type: str | None) -> None:
    """The bytes say what they are."""
    headers = {"Content-Type": media_type} if media_type else {}
    response = await verify.post("/api/v1/verify", content=picture(), headers=headers)
    assert response.json() == UNSIGNED


@pytest.mark.parametrize(("size", "status"), [(20_000, 200), (20_001, 413), (40_001, 413)])
async def test_the_limit_is_that_of_a_picture(verify: httpx.AsyncClient, size: int, status: int) -> None:
    """To the byte; with or without a length that says so."""
    data = picture().ljust(size, b"\0")

    async def pieces() -> AsyncIterator[bytes]:
        for at in range(0, size, 1000):
            yield data[at : at + 1000]

    for content in (data, pieces()):
        response = await verify.post("/api/v1/verify", content=content)
        assert response.status_code == status
        if status == 413:
            assert_is_problem(response, 413)


async def test_it_takes_post_only(verify: httpx.AsyncClient) -> None:
    """And says so."""
    response = await verify.get("/api/v1/verify")
    assert_is_problem(response, 405)
    assert response.headers["allow"] == "POST"
