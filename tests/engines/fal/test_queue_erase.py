"""fal deletes what it keeps of a request, where it is asked with a key that may do that."""

import httpx
import pytest

from deployments.engines.fal.engine import FalEngine
from deployments.engines.memory_call import MemoryCall
from deployments.media.egress import Egress
from tests.engines.fal.failing import as_a_stage_does
from tests.fal_emulator.emulator import FalEmulator, answers, drops


async def receipt_of_a_request(engine: FalEngine, egress: Egress) -> str:
    call = MemoryCall()
    await as_a_stage_does(engine, egress, call)
    assert call.receipt is not None
    return call.receipt


async def test_payloads_and_files_are_deleted(fal: FalEmulator, engine: FalEngine, egress: Egress) -> None:
    """By the request's id alone; asked again, fal hears the same idempotency key."""
    receipt = await receipt_of_a_request(engine, egress)
    assert await engine.erase(receipt)
    assert await engine.erase(receipt)
    number = receipt.rpartition("/")[2]
    assert fal.erased == [number, number]
    first, again = (asked for asked in fal.asked if asked.method == "DELETE")
    assert (first.host, first.path) == ("api.fal.ai", f"/v1/models/requests/{number}/payloads")
    assert first.headers["idempotency-key"] == again.headers["idempotency-key"]
    assert f"{number}.png" not in fal.files


async def test_a_key_that_may_not_is_told(fal: FalEmulator, engine: FalEngine, egress: Egress) -> None:
    """It needs the scope ADMIN: nothing is deleted, and the report says so."""
    fal.is_admin = False
    assert not await engine.erase(await receipt_of_a_request(engine, egress))
    assert fal.erased == []


async def test_a_file_that_stays_is_told(fal: FalEmulator, engine: FalEngine, egress: Egress) -> None:
    """fal answers for each."""
    receipt = await receipt_of_a_request(engine, egress)
    results = [{"link": "a", "exception": None}, {"link": "b", "exception": "not found"}]
    fal.script("erase", answers(200, {"cdn_delete_results": results}))
    assert not await engine.erase(receipt)


async def test_a_request_that_fal_does_not_know_is_not_deleted(engine: FalEngine, network: object) -> None:
    """Nobody knows whether it ever was there."""
    assert not await engine.erase("fal-ai/nano-banana-2/requests/00000000-0000-4000-8000-000000000000")


async def test_a_lost_answer_is_an_error(fal: FalEmulator, engine: FalEngine, egress: Egress) -> None:
    """Whoever asked counts it as not deleted."""
    receipt = await receipt_of_a_request(engine, egress)
    fal.script("erase", drops)
    with pytest.raises(httpx.TransportError):
        await engine.erase(receipt)
